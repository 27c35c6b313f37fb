package admin

import (
	"context"
	"maps"
	"net"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"sluice/conf"
	"sluice/pool"
	"sluice/pool/stat"
)

// manyKinds is a configuration with rows of every kind. DIR is replaced by a directory.
const manyKinds = `
global
 maxconn 500
defaults
 timeout connect 1s
 timeout client 1s
 timeout server 1s
frontend plain
 bind DIR/plain
 maxconn 77
 use_backend none if { src 127.0.0.1 }
 use_backend none
 default_backend servers
frontend web
 bind DIR/web
 mode http
 use_backend shop if { path /shop }
 default_backend shop
frontend lonely
 bind DIR/lonely
 mode http
 default_backend shop
backend servers
 server plain 127.0.0.1:1
 server heavy 127.0.0.1:1 weight 7
 server light 127.0.0.1:1 weight 0
 server spare 127.0.0.1:1 backup weight 5
 server six [::1]:1
 server path DIR/none
 server off 127.0.0.1:1 disabled
 server unchecked 127.0.0.1:1 disabled check
 server refuses 127.0.0.1:1 check inter 1s rise 1 fall 1
backend shop
 mode http
 option httpchk
 cookie SRV insert
 server a 127.0.0.1:1 cookie c1
 server answers DIR/answers check inter 1s
backend none
backend gone
 server off 127.0.0.1:1 disabled
`

// notCompared are columns that depend on the time, and those in which HAProxy counts its checks.
var notCompared = strings.Fields("lastchg downtime check_duration need_conn_est h1_total_connections h1_total_streams h1_bytes_in h1_bytes_out")

// TestRowsAreHAProxys gives Debian's HAProxy and us the same configuration. Both must write the
// same value into every column of every row.
func TestRowsAreHAProxys(t *testing.T) {
	dir := t.TempDir()
	text := strings.ReplaceAll(manyKinds, "DIR", dir)
	answering(t, filepath.Join(dir, "answers"))
	theirs, ours := haproxy(t, text), start(t, viewOf(t, text), 0)
	if diff := cmp.Diff(comparable(t, theirs), comparable(t, ours)); diff != "" {
		t.Errorf("HAProxy (-) and ours (+):\n%s", diff)
	}
}

// comparable returns the columns of all rows that have a value, by the name of the row. It waits until
// the first checks have ended.
func comparable(t *testing.T, path string) map[string]map[string]string {
	t.Helper()
	var all map[string]map[string]string
	waitFor(t, func() bool {
		all, _ = cells(t, path, "show stat")
		return !slices.ContainsFunc(slices.Collect(maps.Values(all)), func(r map[string]string) bool {
			return strings.HasSuffix(r["check_status"], "INI") || strings.HasPrefix(r["check_status"], "* ") || r["h1_open_connections"] == "1"
		})
	})
	for _, row := range all {
		for _, name := range notCompared {
			if row[name] != "" {
				row[name] = "n"
			}
		}
	}
	return all
}

// answering serves a web server on a UNIX socket. It answers each request with 200.
func answering(t *testing.T, path string) {
	t.Helper()
	ln, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ln.Close() })
	go func() {
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				_, _ = conn.Read(make([]byte, 1<<12))
				_, _ = conn.Write([]byte("HTTP/1.0 200 OK\r\n\r\n"))
			}()
		}
	}()
}

// viewOf returns the view of a configuration. Its checks run until the test ends.
func viewOf(t *testing.T, text string) *View {
	t.Helper()
	c, ps := conf.ParseString("h.cfg", text)
	if err := ps.Err(); err != nil {
		t.Fatal(err)
	}
	v := &View{Process: stat.Info{Counts: new(stat.Process)}}
	for i, f := range c.Frontends {
		most := f.MaxConn
		if most == 0 {
			most = c.Global.MaxConn
		}
		v.Frontends = append(v.Frontends, Frontend{ID: 2 + i, Conf: f, MaxConn: most, Stat: new(stat.Proxy)})
	}
	ctx, cancel := context.WithCancel(t.Context())
	var checks sync.WaitGroup
	for i, bc := range c.Backends {
		b, ps := pool.New(2+len(c.Frontends)+i, bc, pool.Means{})
		if err := ps.Err(); err != nil {
			t.Fatal(err)
		}
		v.Backends = append(v.Backends, b)
	}
	checks.Go(func() { checkAll(ctx, v.Backends...) })
	t.Cleanup(func() { cancel(); checks.Wait() })
	return v
}

// TestInfoIsHAProxys: `show info` has the keys of Debian's HAProxy in its order. A key that is unused
// here has the value that an idle HAProxy gives it.
func TestInfoIsHAProxys(t *testing.T) {
	theirs, names := infoOf(t, haproxy(t, "backend b\n"))
	ours, order := infoOf(t, start(t, sample(t), 0))
	if diff := cmp.Diff(names, order); diff != "" {
		t.Errorf("HAProxy (-) and ours (+):\n%s", diff)
	}
	busy := []string{"Run_queue", "Idle_pct"} // HAProxy is not quite idle while it answers
	for i := range stat.Keys {
		if k := &stat.Keys[i]; k.Mark == stat.Unused && theirs[k.Name] != ours[k.Name] && !slices.Contains(busy, k.Name) {
			t.Errorf("%s: HAProxy has %q, we %q", k.Name, theirs[k.Name], ours[k.Name])
		}
	}
}
