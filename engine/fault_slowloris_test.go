//go:build !simulation

package engine

import (
	"io"
	"net"
	"slices"
	"testing"
	"time"
)

// Fault 26. 2,000 clients that slowly send single bytes of a head are closed at the deadline.
// Other clients are not much slower because of them.
func TestFault26Slowloris(t *testing.T) {
	const many, limit = 2000, 1500
	b := start(t, `
  timeout connect 2s
  timeout client 10s
  timeout server 10s
  timeout http-request 1500ms
frontend f
  bind 127.0.0.1:1
  use_backend b if { hdr(host) good.test }
backend b
  server s `+newPeer(t, answers("fine")).String())
	quiet, _ := b.speed(t, 200)
	b.skipLines(200)
	slow := make([]net.Conn, many)
	for i := range slow {
		slow[i] = b.dial("f")
	}
	dripped := make(chan bool)
	go func() {
		defer close(dripped)
		dripAll(slow, []byte(head("slow.test")), 100*time.Millisecond)
	}()
	busy, slowest := b.speed(t, 200)
	<-dripped
	cut := 0
	for range many + 200 {
		if e := b.entry(); e.term == "cR" {
			cut++
			within(t, "life of a slow client", e.tt, limit, limit+soon)
		}
	}
	if cut != many {
		t.Errorf("%d of %d were cut off", cut, many)
	}
	// The slow clients run on the same processors, so some delay is allowed.
	if busy > 2*quiet+100*time.Millisecond || slowest > time.Second {
		t.Errorf("good clients take %v with slow ones, 1 %% of them %v; %v without", busy, slowest, quiet)
	}
}

// speed makes requests one after the other. It returns the median and the 99th percentile of
// their times.
func (b *balancer) speed(t *testing.T, requests int) (median, slowest time.Duration) {
	t.Helper()
	all := make([]time.Duration, requests)
	for i := range all {
		began := time.Now()
		if got := ask(t, b.dial("f"), head("good.test")); got != "fine" {
			t.Errorf("got %q", got)
		}
		all[i] = time.Since(began)
	}
	slices.Sort(all)
	return all[requests/2], all[requests*99/100]
}

func (b *balancer) skipLines(n int) {
	for range n {
		b.line()
	}
}

// dripAll repeatedly sends one byte of text on each connection and pauses, until the other side
// has closed all connections.
func dripAll(all []net.Conn, text []byte, pause time.Duration) {
	tick := time.NewTicker(pause)
	defer tick.Stop()
	for i := 0; len(all) > 0; i++ {
		alive := all[:0]
		for _, c := range all {
			if _, err := c.Write(text[i%(len(text)-4):][:1]); err == nil {
				alive = append(alive, c)
			} else {
				_, _ = io.Copy(io.Discard, c)
				c.Close()
			}
		}
		all = alive
		<-tick.C
	}
}
