package admin

import (
	"encoding/csv"
	"fmt"
	"maps"
	"net/netip"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"sluice/conf"
	"sluice/pool/stat"
)

// The output of Debian's HAProxy 2.6.12.
const header = "# pxname,svname,qcur,qmax,scur,smax,slim,stot,bin,bout,dreq,dresp,ereq,econ,eresp,wretr,wredis,status,weight,act,bck,chkfail,chkdown,lastchg,downtime,qlimit,pid,iid,sid,throttle,lbtot,tracked,type,rate,rate_lim,rate_max,check_status,check_code,check_duration,hrsp_1xx,hrsp_2xx,hrsp_3xx,hrsp_4xx,hrsp_5xx,hrsp_other,hanafail,req_rate,req_rate_max,req_tot,cli_abrt,srv_abrt,comp_in,comp_out,comp_byp,comp_rsp,lastsess,last_chk,last_agt,qtime,ctime,rtime,ttime,agent_status,agent_code,agent_duration,check_desc,agent_desc,check_rise,check_fall,check_health,agent_rise,agent_fall,agent_health,addr,cookie,mode,algo,conn_rate,conn_rate_max,conn_tot,intercepted,dcon,dses,wrew,connect,reuse,cache_lookups,cache_hits,srv_icur,src_ilim,qtime_max,ctime_max,rtime_max,ttime_max,eint,idle_conn_cur,safe_conn_cur,used_conn_cur,need_conn_est,uweight,agg_server_status,agg_server_check_status,agg_check_status,-,ssl_sess,ssl_reused_sess,ssl_failed_handshake,h2_headers_rcvd,h2_data_rcvd,h2_settings_rcvd,h2_rst_stream_rcvd,h2_goaway_rcvd,h2_detected_conn_protocol_errors,h2_detected_strm_protocol_errors,h2_rst_stream_resp,h2_goaway_resp,h2_open_connections,h2_backend_open_streams,h2_total_connections,h2_backend_total_streams,h1_open_connections,h1_open_streams,h1_total_connections,h1_total_streams,h1_bytes_in,h1_bytes_out,h1_spliced_bytes_in,h1_spliced_bytes_out,"

const infoKeys = "Name Version Release_date Nbthread Nbproc Process_num Pid Uptime Uptime_sec Memmax_MB PoolAlloc_MB PoolUsed_MB PoolFailed Ulimit-n Maxsock Maxconn Hard_maxconn CurrConns CumConns CumReq MaxSslConns CurrSslConns CumSslConns Maxpipes PipesUsed PipesFree ConnRate ConnRateLimit MaxConnRate SessRate SessRateLimit MaxSessRate SslRate SslRateLimit MaxSslRate SslFrontendKeyRate SslFrontendMaxKeyRate SslFrontendSessionReuse_pct SslBackendKeyRate SslBackendMaxKeyRate SslCacheLookups SslCacheMisses CompressBpsIn CompressBpsOut CompressBpsRateLim Tasks Run_queue Idle_pct node Stopping Jobs Unstoppable_Jobs Listeners ActivePeers ConnectedPeers DroppedLogs BusyPolling FailedResolutions TotalBytesOut TotalSplicdedBytesOut BytesOutRate DebugCommandsIssued CumRecvLogs Build_info Memmax_bytes PoolAlloc_bytes PoolUsed_bytes Start_time_sec Tainted"

// table is like cells, without the columns that are 0.
func table(t *testing.T, path, command string) (rows map[string]map[string]string, order []string) {
	t.Helper()
	rows, order = cells(t, path, command)
	for _, row := range rows {
		maps.DeleteFunc(row, func(_, v string) bool { return v == "0" })
	}
	return rows, order
}

// cells sends `show stat` and returns the non-empty columns of each row by pxname/svname, and the
// order of the rows.
func cells(t *testing.T, path, command string) (rows map[string]map[string]string, order []string) {
	t.Helper()
	text := ask(t, path, command+"\n")
	body, ok := strings.CutSuffix(text, "\n\n")
	if !ok {
		t.Errorf("%s does not end with an empty line", command)
	}
	records, err := csv.NewReader(strings.NewReader(strings.TrimPrefix(body, "# "))).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	rows = map[string]map[string]string{}
	for _, r := range records[1:] {
		name := r[0] + "/" + r[1]
		order = append(order, name)
		rows[name] = map[string]string{}
		for i, v := range r {
			if v != "" {
				rows[name][records[0][i]] = v
			}
		}
	}
	return rows, order
}

func TestShowStat(t *testing.T) {
	v := sample(t)
	www, s1, now := v.Frontends[0].Stat, &v.Backends[0].Servers()[0].Stat, stat.Now()
	for range 2 {
		www.Conns.Open(now)
		www.Open(now)
	}
	www.Conns.Close(10, 20)
	www.Close(10, 20)
	www.Requests.Response(204)
	www.DeniedReq.Inc()
	s1.Open(now)
	s1.Times.Connect.Add(5)
	rows, order := table(t, start(t, v, 0), "show stat")
	want := []string{"www/FRONTEND", "web/s1", "web/s2", "web/s3", "web/BACKEND", "db/FRONTEND", "db/d1", "db/BACKEND"}
	if diff := cmp.Diff(want, order); diff != "" {
		t.Errorf("order (-want +got):\n%s", diff)
	}
	checkRow(t, rows["www/FRONTEND"], "scur 1 smax 2 slim 500 stot 2 bin 10 bout 20 dreq 1 status OPEN pid 1 iid 2 rate_max 2 hrsp_2xx 1 mode http conn_rate 2 conn_rate_max 2 conn_tot 2 - -")
	checkRow(t, rows["web/s1"], "scur 1 smax 1 stot 1 status no_check weight 2 uweight 2 act 1 pid 1 iid 3 sid 1 type 2 rate_max 1 ctime 5 ctime_max 5 addr 127.0.0.1:8080 cookie c,1 mode http - -")
	checkRow(t, rows["web/s2"], "status UP_1/3 weight 1 uweight 1 bck 1 pid 1 iid 3 sid 2 type 2 lastsess -1 check_status INI check_desc Initializing check_rise 2 check_fall 3 check_health 2 addr 127.0.0.1:8080 mode http - -")
	checkRow(t, rows["web/s3"], "status MAINT weight 1 uweight 1 act 1 pid 1 iid 3 sid 3 type 2 lastsess -1 addr 127.0.0.1:8080 mode http - -")
	checkRow(t, rows["web/BACKEND"], "slim 1 status UP weight 2 uweight 2 act 1 bck 1 pid 1 iid 3 type 1 lastsess -1 cookie SRV mode http algo roundrobin - -")
	checkRow(t, rows["db/d1"], "status no_check weight 1 uweight 1 act 1 pid 1 iid 4 sid 1 type 2 lastsess -1 addr unix mode tcp - -")
}

// checkRow requires these columns. Other columns must be 0 or depend on the time of the test.
func checkRow(t *testing.T, got map[string]string, want string) {
	t.Helper()
	wanted := map[string]string{"pxname": got["pxname"], "svname": got["svname"]}
	words := strings.Fields(want)
	for i := 0; i < len(words); i += 2 {
		wanted[words[i]] = strings.ReplaceAll(words[i+1], "_", " ")
	}
	for _, timely := range []string{"rate", "lastchg"} {
		delete(got, timely)
	}
	if diff := cmp.Diff(wanted, got); diff != "" {
		t.Errorf("%s/%s (-want +got):\n%s", got["pxname"], got["svname"], diff)
	}
}

func TestShowStatOfSome(t *testing.T) {
	path := start(t, sample(t), 0)
	for command, want := range map[string]string{
		"show stat 4 -1 -1":    "db/FRONTEND db/d1 db/BACKEND",
		"show stat db 2 -1":    "db/BACKEND",
		"show stat -1 1 -1":    "www/FRONTEND db/FRONTEND",
		"show stat 3 4 2":      "web/s2",
		"show stat 3 6 2":      "web/s2 web/BACKEND",
		"show stat 3 4 -1 up":  "web/s1 web/s2",
		"show stat no-maint":   "www/FRONTEND web/s1 web/s2 web/BACKEND db/FRONTEND db/d1 db/BACKEND",
		"show stat web 4 3 up": "",
	} {
		if _, order := table(t, path, command); strings.Join(order, " ") != want {
			t.Errorf("%s: %v, want %s", command, order, want)
		}
	}
}

func TestUserSeesNoAddresses(t *testing.T) {
	var text []byte
	for r := range sample(t).rows(0) {
		text = appendRow(text, r, false)
	}
	for _, hidden := range []string{"127.0.0.1", "c,1", "SRV", "roundrobin", "unix"} {
		if strings.Contains(string(text), hidden) {
			t.Errorf("%s is shown", hidden)
		}
	}
}

func TestHeader(t *testing.T) {
	if got := string(appendHeader(nil)); got != header+"\n" {
		t.Errorf("header\n%s\nwant\n%s", got, header)
	}
}

// A row costs no memory but the answer, and the text of an address.
func TestRowsAllocateLittle(t *testing.T) {
	v := sample(t)
	v.Backends = v.Backends[:1]
	v.Backends[0] = backend(t, 3, &conf.Backend{Name: "web", Servers: []*conf.Server{{Name: "s", Weight: 1}}})
	few := testing.AllocsPerRun(10, func() { writeAll(v) })
	for i := range 1000 {
		at := conf.Address{IP: netip.MustParseAddr("127.0.0.1"), Port: 8080}
		if _, ps := v.Backends[0].Add(&conf.Server{Name: fmt.Sprint("s", i), Weight: 1, Address: at}); ps.Err() != nil {
			t.Fatal(ps.Err())
		}
	}
	if more := testing.AllocsPerRun(10, func() { writeAll(v) }); more > few {
		t.Errorf("%v allocations for a server, and %v for 1001", few, more)
	}
}

func writeAll(v *View) {
	line := make([]byte, 0, 1<<12)
	for r := range v.rows(0) {
		line = appendRow(line[:0], r, false)
	}
}

// infoOf sends `show info` and returns the values by key, and the order of the keys.
func infoOf(t *testing.T, path string) (values map[string]string, order []string) {
	t.Helper()
	values = map[string]string{}
	for line := range strings.Lines(strings.TrimSuffix(ask(t, path, "show info\n"), "\n")) {
		key, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), ": ")
		values[key] = value
		order = append(order, strings.ReplaceAll(key, " ", "_"))
	}
	return values, order
}

func TestShowInfo(t *testing.T) {
	v := sample(t)
	v.Process.Counts.Open(0)
	got, order := infoOf(t, start(t, v, 0))
	if diff := cmp.Diff(strings.Fields(infoKeys), order); diff != "" {
		t.Errorf("keys (-want +got):\n%s", diff)
	}
	for key, want := range map[string]string{
		"Name": "Sluice", "Version": "1.2.3", "Release_date": "2026/01/02", "Nbthread": "2", "Ulimit-n": "4096", "Maxsock": "4000", "Maxconn": "1000",
		"CurrConns": "1", "CumConns": "1", "Maxpipes": "7", "Stopping": "1", "Jobs": "3", "Listeners": "2", "Build info": "1.2.3",
		"Pid": strconv.Itoa(os.Getpid()), "Tainted": "0", "Idle_pct": "100",
	} {
		if got[key] != want {
			t.Errorf("%s is %q, want %q", key, got[key], want)
		}
	}
}

// If HAProxy 2.6 is installed, the header above must be equal to its header.
func TestHeaderIsThatOfHAProxy(t *testing.T) {
	got, _, _ := strings.Cut(ask(t, haproxy(t, "backend b\n"), "show stat\n"), "\n")
	if got != header {
		t.Errorf("HAProxy says\n%s\nwe say\n%s", got, header)
	}
}
