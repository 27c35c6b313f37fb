//go:build !simulation

package engine

import (
	"io"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// Fault 17. One of two servers is killed under load. Clients that are not connected to it are
// served, by a retry on the other server. Then the check marks the killed server down.
func TestFault17ServerKilledUnderLoad(t *testing.T) {
	doomed := newDoomed(t)
	b := start(t, `
  timeout connect 500ms
  timeout client 10s
  timeout server 10s
frontend f
  bind 127.0.0.1:1
  default_backend b
backend b
  option redispatch
  server doomed `+doomed.Addr().String()+` check inter 100ms fall 2
  server live `+newPeer(t, answers("fine")).String()+` check inter 100ms`)
	var served, failed atomic.Int64
	stop := make(chan bool)
	var clients sync.WaitGroup
	for range 4 {
		clients.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				if got := tryAsk(b); got == "fine" {
					served.Add(1)
				} else {
					failed.Add(1)
				}
			}
		})
	}
	wait(t, "load", func() bool { return served.Load() > 200 })
	doomed.kill()
	wait(t, "the check to mark it down", func() bool { return b.today().Backends[0].Active() == 1 })
	after := served.Load()
	wait(t, "load without it", func() bool { return served.Load() > after+200 })
	close(stop)
	clients.Wait()
	// Each client may lose one stream that the killed server had accepted.
	if n := failed.Load(); n > 4 {
		t.Errorf("%d of %d clients failed", n, served.Load())
	}
	for range served.Load() + failed.Load() {
		if e := b.entry(); e.term != "--" && (e.term != "SD" || e.server != "b/doomed") {
			t.Errorf("log line %q", e.text)
		}
	}
}

// doomed is a server like answers("fine") that can be killed with all its
// connections.
type doomed struct {
	*peer
	mu   sync.Mutex
	open map[net.Conn]bool // nil: it is dead
}

func newDoomed(t *testing.T) *doomed {
	t.Helper()
	d := &doomed{open: map[net.Conn]bool{}}
	d.peer = newPeer(t, func(c *net.TCPConn) {
		d.mu.Lock()
		if d.open == nil {
			d.mu.Unlock()
			return
		}
		d.open[c] = true
		d.mu.Unlock()
		answers("fine")(c)
		d.mu.Lock()
		delete(d.open, c)
		d.mu.Unlock()
	})
	return d
}

func (d *doomed) kill() {
	d.Close()
	d.mu.Lock()
	defer d.mu.Unlock()
	for c := range d.open {
		reset(c)
	}
	d.open = nil
}

// tryAsk makes a request on its own connection. It returns the part of the answer that it has
// got.
func tryAsk(b *balancer) string {
	c, err := net.DialTimeout("tcp", b.addrs["f"].String(), patienceOfTests)
	if err != nil {
		return err.Error()
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(patienceOfTests))
	_, _ = io.WriteString(c, head("any"))
	got, _ := io.ReadAll(c)
	return string(got)
}
