//go:build !simulation

package engine

import (
	"fmt"
	"io"
	"net"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"sluice/pool/stat"
)

// At each kind of maxconn, accepting stops. The other clients wait in the kernel's queue and
// are served in their order, and all places of the limit are used.
func TestMaxconn(t *testing.T) {
	const limit, clients = 4, 60
	for name, c := range map[string]struct{ global, front, bind string }{
		"process":  {"maxconn 4", "", ""},
		"frontend": {"maxconn 100", "maxconn 4", ""},
		"bind":     {"maxconn 100", "maxconn 50", "maxconn 4"},
	} {
		t.Run(name, func(t *testing.T) {
			var now, most atomic.Int64
			b := start(t, fmt.Sprintf(`
  timeout connect 2s
  timeout client 10s
  timeout server 10s
global
  %s
frontend f
  bind 127.0.0.1:1 %s
  %s
  default_backend b
backend b
  server s %s`, c.global, c.bind, c.front, newPeer(t, func(c *net.TCPConn) {
				raise(&most, now.Add(1))
				readHead(c)
				waitUntil(time.Second, func() bool { return most.Load() >= limit })
				now.Add(-1)
				_, _ = io.WriteString(c, "fine")
			})))
			got := make(chan string, clients)
			for range clients {
				go func() { got <- tryAsk(b) }()
			}
			for range clients {
				if text := <-got; text != "fine" {
					t.Errorf("a client got %q", text)
				}
			}
			if n := most.Load(); n != limit {
				t.Errorf("%d connections at once; want %d", n, limit)
			}
		})
	}
}

func raise(most *atomic.Int64, n int64) {
	for was := most.Load(); n > was && !most.CompareAndSwap(was, n); was = most.Load() {
	}
}

// waitUntil polls a condition for at most the time most. It does not fail the test.
func waitUntil(most time.Duration, holds func() bool) {
	for end := time.Now().Add(most); !holds() && time.Now().Before(end); {
		<-time.After(time.Millisecond)
	}
}

// At the limit a client waits and is neither refused nor reset.
func TestMaxconnBacklogWaits(t *testing.T) {
	b := start(t, plain+"  server s "+newPeer(t, echo).String()+"\nglobal\n  maxconn 1\n")
	first := b.dial("f")
	wait(t, "the first session", func() bool { return b.Sessions() == 1 })
	second := b.dial("f")
	_, _ = io.WriteString(second, "second")
	b.silent(100 * time.Millisecond)
	if b.Sessions() != 1 {
		t.Errorf("%d sessions; want 1", b.Sessions())
	}
	if got := ask(t, first, "first"); got != "first" {
		t.Errorf("the first got %q", got)
	}
	first.Close()
	if got := ask(t, second, ""); got != "second" {
		t.Errorf("the second got %q", got)
	}
}

// Loops share the queue of a UNIX socket. A loop may get a free place after another loop has
// accepted its client. It must then pass the place to a loop that has a client.
func TestMaxconnPlaceIsPassedOn(t *testing.T) {
	path := filepath.Join(t.TempDir(), "socket")
	b := start(t, `
  timeout connect 2s
  timeout client 10s
  timeout server 10s
global
  maxconn 1
frontend u
  bind unix@`+path+`
  default_backend b
frontend f
  bind 127.0.0.1:1
  default_backend b
backend b
  server s `+newPeer(t, echo).String())
	for range 30 {
		holder := b.dial("f")
		wait(t, "the holder", func() bool { return b.Sessions() == 1 })
		byUnix := b.dial("u")
		byTCP := b.dial("f")
		holder.Close()
		for _, c := range []net.Conn{byUnix, byTCP} {
			go func() {
				_, _ = io.WriteString(c, "x")
				closeWrite(t, c)
			}()
		}
		for _, c := range []net.Conn{byUnix, byTCP} {
			if got, err := fetch(c); got != "x" || err != nil {
				t.Fatalf("%q, %v", got, err)
			}
		}
		wait(t, "all to be over", func() bool { return b.Sessions() == 0 })
	}
}

// A maximum that changes while clients wait has an effect at once. Sessions that it leaves no place
// continue. The process can have more sessions than maxconn of the configuration.
func TestMaxconnChangesWhileClientsWait(t *testing.T) {
	for name, limit := range map[string]func(*balancer) *stat.Limit{
		"process":  func(b *balancer) *stat.Limit { return &b.Limit },
		"frontend": func(b *balancer) *stat.Limit { return &b.today().Frontends[0].Limit },
		"bind":     func(b *balancer) *stat.Limit { return b.Loops[0].Listeners[0].Limits[2] },
	} {
		t.Run(name, func(t *testing.T) {
			const clients = 12
			b := start(t, plain+"  server s "+newPeer(t, echo).String()+"\nglobal\n  maxconn 1\n")
			l := limit(b)
			b.setMax(&b.Limit, 0)
			b.setMax(l, 1)
			served := make(chan net.Conn, clients)
			for range clients {
				go func() { served <- greeted(t, b.dial("f")) }()
			}
			sessions := func(n int64) {
				t.Helper()
				wait(t, fmt.Sprintf("%d sessions", n), func() bool { return b.Sessions() == n && l.Cur() == n })
			}
			sessions(1)
			b.setMax(l, 5)
			sessions(5)
			b.setMax(l, 3)
			for _, left := range []int64{4, 3} {
				(<-served).Close()
				sessions(left)
			}
			if n := b.Stat.Total(); n != 5 {
				t.Errorf("%d sessions have begun; want 5, none of them above the lower maximum", n)
			}
			(<-served).Close()
			wait(t, "the sixth client", func() bool { return b.Stat.Total() == 6 })
			b.setMax(l, 0)
			sessions(clients - 3)
			for range clients - 3 {
				(<-served).Close()
			}
		})
	}
}

// greeted returns the connection when its server has answered.
func greeted(t *testing.T, c net.Conn) net.Conn {
	t.Helper()
	got := make([]byte, 1)
	_, _ = io.WriteString(c, "x")
	if _, err := io.ReadFull(c, got); err != nil {
		t.Error(err)
	}
	return c
}
