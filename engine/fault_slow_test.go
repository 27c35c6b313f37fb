//go:build !simulation

package engine

import (
	"io"
	"net"
	"sync/atomic"
	"testing"
	"time"
)

// Fault 7. A server sends 1 GiB to a reader that does not read. TCP stops the sender, and the
// balancer grows by less than 1 MiB.
func TestFault07StalledReader(t *testing.T) {
	const offered = 1 << 30
	for _, name := range []string{"client", "server"} {
		t.Run(name+" does not read", func(t *testing.T) {
			var sent atomic.Int64
			offer := func(c net.Conn) {
				for chunk := make([]byte, 256<<10); sent.Load() < offered; {
					n, err := c.Write(chunk)
					sent.Add(int64(n))
					if err != nil {
						return
					}
				}
			}
			var warmed atomic.Bool
			c := startChild(t, nil, 1000, plain+"  server s "+newPeer(t, func(c *net.TCPConn) {
				switch {
				case !warmed.Load():
					answers("fine")(c)
				case name == "client":
					offer(c)
				default:
					<-t.Context().Done()
				}
			}).String())
			for range 100 {
				if got := tryAsk(c.balancer); got != "fine" {
					t.Fatalf("got %q", got)
				}
			}
			warmed.Store(true)
			before := readMemory(t, c.pid())
			conn := c.dialSmall("f")
			if name == "server" {
				go offer(conn)
			}
			waitStalled(t, &sent)
			after := readMemory(t, c.pid())
			grown := int64(after.rss - before.rss)
			t.Logf("%d KiB sent, %d KiB grown", sent.Load()>>10, grown>>10)
			if grown >= 1<<20 {
				t.Errorf("the balancer grew by %d bytes", grown)
			}
			conn.Close()
		})
	}
}

// waitStalled waits until a count stays the same for a while.
func waitStalled(t *testing.T, count *atomic.Int64) {
	t.Helper()
	last, since := int64(-1), time.Now()
	wait(t, "the sender to stall", func() bool {
		if n := count.Load(); n != last {
			last, since = n, time.Now()
		}
		return last > 0 && time.Since(since) > 500*time.Millisecond
	})
}

// Fault 7. A session without progress is idle, even if the other side offers bytes. A session
// with slow progress is not idle.
func TestFault07IdleMeansNoProgress(t *testing.T) {
	const cfg = `
  timeout connect 2s
  timeout client 600ms
  timeout server 10s
frontend f
  bind 127.0.0.1:1
  default_backend b
backend b
  server s `
	pushing := func(c *net.TCPConn) { _ = push(c) }
	t.Run("none", func(t *testing.T) {
		b := start(t, cfg+newPeer(t, pushing).String())
		b.dialSmall("f")
		e := b.wantTerm("cD")
		within(t, "life", e.tt, 600, 600+soon)
	})
	t.Run("slow", func(t *testing.T) {
		b := start(t, cfg+newPeer(t, pushing).String())
		c := b.dialSmall("f")
		for range 20 {
			if _, err := io.CopyN(io.Discard, c, 256<<10); err != nil {
				t.Fatal(err)
			}
			b.silent(50 * time.Millisecond)
		}
		c.Close()
		b.wantTerm("CD")
	})
}
