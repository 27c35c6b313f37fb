package load

import (
	"bytes"
	"io"
	"net"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"sluice/bench/port"
)

// server listens on the loopback and calls hand for each connection. It stops at the end of the
// test.
func server(t *testing.T, hand func(net.Conn)) netip.AddrPort {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ln.Close() })
	go func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				hand(c)
			}()
		}
	}()
	return netip.MustParseAddrPort(ln.Addr().String())
}

// echo sends back the bytes that it receives, in pieces of at most n bytes.
func echo(n int64) func(net.Conn) {
	return func(c net.Conn) {
		for {
			if _, err := io.CopyN(c, c, n); err != nil {
				return
			}
		}
	}
}

var ask = []byte("question")

// TestLatencyCountsFromTheSchedule: a server stalls once for longer than the whole load. The
// latencies must include the wait of all exchanges that were scheduled during the stall.
func TestLatencyCountsFromTheSchedule(t *testing.T) {
	const stall = 200 * time.Millisecond
	var stalled atomic.Bool
	addr := server(t, func(c net.Conn) {
		buf := make([]byte, len(ask))
		for asked := 0; ; asked++ {
			if _, err := io.ReadFull(c, buf); err != nil {
				return
			}
			if asked == 1 && stalled.CompareAndSwap(false, true) {
				<-time.After(stall)
			}
			_, _ = c.Write(buf)
		}
	})
	r, err := Run(Plan{Addr: addr, Exchanges: []Exchange{{ask, ask}}, Clients: 1, Keep: true, Rate: 1000, For: stall / 2})
	if err != nil {
		t.Fatal(err)
	}
	if r.Done != 100 {
		t.Errorf("%d exchanges, wanted the 100 of the schedule", r.Done)
	}
	if median := time.Duration(r.Latency.ValueAtQuantile(50)); median < stall/2 {
		t.Errorf("median %v: wanted the wait of those behind the stall counted, above %v", median, stall/2)
	}
}

func TestRateIsKept(t *testing.T) {
	addr := server(t, echo(int64(len(ask))))
	r, err := Run(Plan{Addr: addr, Exchanges: []Exchange{{ask, ask}}, Clients: 8, Keep: true, Rate: 333, For: 300 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	if r.Done < 99 || r.Done > 101 {
		t.Errorf("%d exchanges in 300 ms at 333 a second, wanted 100", r.Done)
	}
}

func TestFailuresAreErrors(t *testing.T) {
	closed := server(t, func(net.Conn) {})
	wrong := server(t, func(c net.Conn) { _, _ = io.CopyN(io.Discard, c, 8); _, _ = c.Write([]byte("quest!!!")) })
	short := server(t, func(c net.Conn) { _, _ = io.CopyN(io.Discard, c, 8); _, _ = c.Write(ask[:3]) })
	nobody, err := port.Free(1)
	if err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		addr netip.AddrPort
		want string
	}{
		"nobody": {nobody[0], "connection refused"},
		"closed": {closed, "exchanges failed"},
		"wrong":  {wrong, `got "!!!" at byte 5 of the answer, wanted "ion"`},
		"short":  {short, "unexpected EOF after 3 of 8 bytes"},
	} {
		_, err := Run(Plan{Addr: test.addr, Exchanges: []Exchange{{ask, ask}}, Clients: 2, For: 50 * time.Millisecond})
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v, wanted %q", name, err, test.want)
		}
	}
}

func TestPlansThatMakeNoSense(t *testing.T) {
	good := Plan{Exchanges: []Exchange{{ask, ask}}, Clients: 1, For: 1}
	for want, spoil := range map[string]func(*Plan){
		"without exchanges": func(p *Plan) { p.Exchanges = nil },
		"0 clients":         func(p *Plan) { p.Clients = 0 },
		"a load for 0s":     func(p *Plan) { p.For = 0 },
		"a rate of -1":      func(p *Plan) { p.Rate = -1 },
	} {
		p := good
		spoil(&p)
		if _, err := Run(p); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, wanted %q", err, want)
		}
	}
}

func TestReceiveSeesWrongBytes(t *testing.T) {
	var sent bytes.Buffer
	const n = 3*chunk + 17
	if err := Send(&sent, n); err != nil {
		t.Fatal(err)
	}
	if err := Receive(bytes.NewReader(sent.Bytes()), n, true); err != nil {
		t.Error(err)
	}
	sent.Bytes()[chunk+5]++
	if err := Receive(bytes.NewReader(sent.Bytes()), n, true); err == nil {
		t.Error("a changed byte was not seen")
	}
	if err := Receive(bytes.NewReader(sent.Bytes()[:n-1]), n, false); err == nil {
		t.Error("a missing byte was not seen")
	}
}

func TestWrk(t *testing.T) {
	r, err := parseWrk("Running 1s test\n  100 requests in 1.10s, 20.00KB read\nRequests/sec: 90.9\n")
	if err != nil || r.Done != 100 || r.Elapsed != 1100*time.Millisecond {
		t.Errorf("%+v, %v", r, err)
	}
	for _, bad := range []string{"", "  Socket errors: connect 0, read 3, write 0, timeout 0\n 5 requests in 1.00s,"} {
		if _, err := parseWrk(bad); err == nil {
			t.Errorf("no error for %q", bad)
		}
	}
	args := strings.Join(Wrk{Addr: netip.MustParseAddrPort("127.0.0.1:1"), Host: "x", Clients: 64, For: 300 * time.Millisecond}.Args(), " ")
	if want := "-t 2 -c 64 -d 1s -H Host: x -H Connection: close http://127.0.0.1:1/"; args != want {
		t.Errorf("%s, wanted %s", args, want)
	}
}
