package stat

import (
	"net/netip"
	"testing"
)

// busy returns a row of which every part that a metric reads has a value.
func busy(of Scope) *Row {
	var p Proxy
	p.Open(0)
	p.Open(0)
	p.Close(3, 4)
	p.Conns.Open(0)
	p.Requests.Request(0)
	for _, status := range []int{0, 100, 200, 300, 400, 500} {
		p.Requests.Response(status)
	}
	p.Times.Add(1, 2, 3, 4)
	for _, c := range []*Counter{
		&p.DeniedResp, &p.FailedConn, &p.FailedResp, &p.Retries, &p.Redispatches, &p.ClientAborts, &p.ServerAborts, &p.Selected,
		&p.Connects, &p.Reuses, &p.DeniedConn, &p.DeniedSess, &p.DeniedReq, &p.FailedReq, &p.Intercepted,
	} {
		c.Inc()
	}
	return &Row{
		Scope: of, ProxyName: "p", ServerName: "s", ProxyID: 2, ServerID: 3, HTTP: true, Limit: 7, Status: "UP", State: "UP 1/3",
		Traffic: &p.Traffic, Proxy: &p, Weight: 1, UserWeight: 2, Active: 1, Backup: 2, Since: 5000, Downs: 1, Downtime: 6000,
		Cookie: "c", Algorithm: "a", Address: netip.MustParseAddrPort("[::1]:80"), Check: Check{
			Checked: true, Failed: 1, Running: true, Rise: 2, Fall: 3, Health: 4, Status: "L7OK", Text: "passed", Ended: true,
			Milliseconds: 8, Code: 200, Info: "OK",
		},
	}
}

// idle returns a row of something that was just created.
func idle(of Scope) *Row {
	var p Proxy
	return &Row{Scope: of, HTTP: true, Traffic: &p.Traffic, Proxy: &p, Downtime: -1}
}

// A metric marked as unused never changes; every other one does.
func TestUnusedMetricsAreMarked(t *testing.T) {
	constant := map[string]bool{"pid": true, "type": true, "mode": true}
	for i := range Columns {
		c := &Columns[i]
		for of := ForFrontend; of <= ForServer; of <<= 1 {
			if c.Scope&of == 0 {
				continue
			}
			before, after := c.Of(idle(of)), c.Of(busy(of))
			if got := before != after; got == (c.Mark == Unused) && !constant[c.Name] {
				t.Errorf("%s of scope %d: %q and %q; marked as unused: %v", c.Name, of, before, after, c.Mark == Unused)
			}
		}
	}
	constant = map[string]bool{"Name": true, "Nbproc": true, "Process_num": true, "Start_time_sec": true}
	for i := range Keys {
		k := &Keys[i]
		if before, after := k.Of(&Info{Counts: new(Process)}), k.Of(busyInfo()); (before != after) == (k.Mark == Unused) && !constant[k.Name] {
			t.Errorf("%s: %q and %q; marked as unused: %v", k.Name, before, after, k.Mark == Unused)
		}
	}
}

func busyInfo() *Info {
	i := &Info{
		Now: 1000, Version: "1", Released: "2026/01/02", Threads: 1, PID: 2, UlimitN: 3, MaxSock: 4, MaxConn: 5, MaxPipes: 6,
		Allocated: 7 << 20, Used: 8 << 20, Tasks: 9, Node: "n", Stopping: true, Listeners: 10, Dropped: 11, Counts: new(Process),
	}
	i.Counts.Open(i.Now)
	i.Counts.Move(1, 2)
	i.Counts.Requests.Request(i.Now)
	i.Counts.Spliced.Inc()
	return i
}

// A row that is outside of a metric's scope has no value.
func TestScope(t *testing.T) {
	server := &Row{Scope: ForServer, Traffic: new(Traffic)} // no Proxy: reading one would fail
	for i := range Columns {
		c := &Columns[i]
		if v := c.Of(server); c.Scope&ForServer == 0 && !v.Empty() {
			t.Errorf("a server has %s: %q", c.Name, v)
		}
	}
}

func TestValues(t *testing.T) {
	tcp, http, server := busy(ForFrontend), busy(ForBackend), busy(ForServer)
	tcp.HTTP = false
	fresh, disabled, unchecked := busy(ForServer), busy(ForServer), busy(ForServer)
	fresh.Check.Ended, disabled.Check.Running, disabled.Check.Ended = false, false, false
	unchecked.Check, unchecked.Downtime = Check{}, -1
	never := idle(ForServer)
	for _, tt := range []struct {
		column string
		of     *Row
		want   string
	}{
		{"scur", tcp, "1"}, {"scur", http, "1"}, {"stot", http, "2"}, {"bin", http, "3"}, {"bout", http, "4"},
		{"slim", http, "7"}, {"slim", never, ""}, {"type", tcp, "0"}, {"type", http, "1"}, {"type", server, "2"},
		{"mode", tcp, "tcp"}, {"mode", http, "http"}, {"req_tot", tcp, "1"}, {"req_tot", http, "1"},
		{"hrsp_2xx", tcp, ""}, {"hrsp_2xx", http, "1"}, {"intercepted", tcp, ""}, {"cache_hits", http, "0"}, {"cache_hits", tcp, ""},
		{"lastsess", server, "0"}, {"lastsess", never, "-1"}, {"lastchg", server, "5"}, {"downtime", server, "6"}, {"downtime", unchecked, ""},
		{"qtime", http, "1"}, {"ttime_max", http, "4"}, {"addr", server, "[::1]:80"}, {"addr", never, "unix"}, {"cookie", never, ""},
		{"status", server, "UP 1/3"}, {"chkfail", server, "1"}, {"chkfail", disabled, "1"}, {"chkfail", unchecked, ""},
		{"chkdown", http, "1"}, {"chkdown", unchecked, ""}, {"check_status", fresh, "L7OK"}, {"check_status", disabled, ""},
		{"check_code", server, "200"}, {"check_code", fresh, ""}, {"check_rise", fresh, "2"}, {"check_health", unchecked, ""}, {"throttle", server, ""},
	} {
		if got := column(t, tt.column).Of(tt.of).String(); got != tt.want {
			t.Errorf("%s of %s: %q, want %q", tt.column, tt.of.ServerName, got, tt.want)
		}
	}
}

func column(t *testing.T, name string) *Metric[*Row] {
	t.Helper()
	for i := range Columns {
		if Columns[i].Name == name {
			return &Columns[i]
		}
	}
	t.Fatalf("no column %s", name)
	return nil
}

func TestTags(t *testing.T) {
	for _, tt := range []struct {
		column string
		of     Scope
		want   string
	}{{"scur", ForBackend, "MGP"}, {"rate", ForFrontend, "MRP"}, {"rate", ForBackend, "MGP"}, {"act", ForServer, "SGP"}} {
		if got := column(t, tt.column).Tags(tt.of); got != tt.want {
			t.Errorf("%s of scope %d: %s, want %s", tt.column, tt.of, got, tt.want)
		}
	}
}

func TestUptime(t *testing.T) {
	if got, want := (&Info{Now: (2*86400 + 3*3600 + 4*60 + 5) * 1000}).uptime(), "2d 3h04m05s"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// Many series are written at once: reading a value costs no memory, except for texts that are made.
func TestReadingAllocatesNothing(t *testing.T) {
	r := busy(ForServer)
	r.Address = netip.AddrPort{}
	line := make([]byte, 0, 1<<12)
	if got := testing.AllocsPerRun(100, func() {
		line = line[:0]
		for i := range Columns {
			line = Columns[i].Of(r).Append(line)
		}
	}); got != 0 {
		t.Errorf("%v allocations a row, want 0", got)
	}
}
