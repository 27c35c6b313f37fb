package admin

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"sluice/conf"
	"sluice/pool"
)

// The expected columns are those of HAProxy 2.6.12 for such servers.
func TestChecksInShowStat(t *testing.T) {
	for _, tt := range []struct {
		check conf.HTTPCheck
		want  map[string]string
	}{
		{conf.HTTPCheck{}, map[string]string{"status": "DOWN", "check_status": "L7STS", "check_code": "404", "check_desc": "Layer7 wrong status", "last_chk": oddReason}},
		{conf.HTTPCheck{DisableOn404: true}, map[string]string{"status": "NOLB", "check_status": "L7OKC", "check_code": "404", "check_desc": "Layer7 check conditionally passed", "last_chk": ""}},
		{conf.HTTPCheck{Expect: []conf.StatusRange{{Low: 404, High: 404}}}, map[string]string{"status": "UP", "check_status": "L7OK", "check_code": "404", "check_desc": "Layer7 check passed", "last_chk": ""}},
	} {
		tt.check.Method, tt.check.URI, tt.check.Version = "GET", "/none", "HTTP/1.0"
		b := checkedOnce(t, tt.check)
		rows, _ := table(t, start(t, &View{Backends: []*pool.Backend{b}}, 0), "show stat")
		got := map[string]string{}
		for column := range tt.want {
			got[column] = rows["web/s1"][column]
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%+v (-want +got):\n%s", tt.check, diff)
		}
	}
}

// oddReason has all that a CSV value must quote, and bytes that log lines do not show as they are.
const oddReason = "Not \"Found\", <\x01\xe9>"

// checkedOnce returns a backend with one server, after one check. The server answers every request
// with 404 and oddReason.
func checkedOnce(t *testing.T, check conf.HTTPCheck) *pool.Backend {
	t.Helper()
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		conn, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		defer conn.Close()
		fmt.Fprintf(conn, "HTTP/1.0 404 %s\r\n\r\n", oddReason)
	}))
	defer web.Close()
	at := netip.MustParseAddrPort(web.Listener.Addr().String())
	s := &conf.Server{Name: "s1", Weight: 1, Check: true, Inter: time.Minute, Rise: 1, Fall: 1, Address: conf.Address{IP: at.Addr(), Port: at.Port()}}
	b, ps := pool.New(3, &conf.Backend{Name: "web", HTTPCheck: &check, Servers: []*conf.Server{s}}, pool.Means{})
	if err := ps.Err(); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	over := make(chan struct{})
	go func() {
		defer close(over)
		checkAll(ctx, b)
	}()
	waitFor(t, func() bool { return b.Servers()[0].LastCheck() != nil })
	cancel()
	<-over
	return b
}

// checkAll runs the checks of these backends until ctx ends.
func checkAll(ctx context.Context, backends ...*pool.Backend) {
	var state pool.Registry
	lease := state.Lease()
	for _, b := range backends {
		lease.Backend(b, func(pool.Event) {})
	}
	state.Check(ctx, func(pool.Event) {})
}

// waitFor waits until the condition holds.
func waitFor(t *testing.T, holds func() bool) {
	t.Helper()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for late := time.After(10 * time.Second); !holds(); {
		select {
		case <-tick.C:
		case <-late:
			t.Fatal("it does not hold after 10s")
		}
	}
}
