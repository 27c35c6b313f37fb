//go:build !simulation

package engine

import (
	"fmt"
	"net"
	"runtime"
	"testing"

	"sluice/engine/session"
)

// After 1,000 changes of bind lines, the process has no more listeners, descriptors and goroutines
// than after the first 250, except for connections that are still open.
func TestThousandRebindsLeaveNothing(t *testing.T) {
	at := fmt.Sprintf("127.0.0.1:%d", unusedPort(t))
	r := rebindable(t, unbound(newPeer(t, echo).String()), "127.0.0.1:1")
	var listed, indexes, fds, routines [4]int
	for i := range listed {
		c := greeted(t, r.dial("f"))
		defer c.Close()
		for range 250 {
			r.rebind("127.0.0.1:1 name x", at)
			r.rebind("127.0.0.1:1")
		}
		wait(t, "the removed listeners to be closed", func() bool { return r.open() == 2 })
		r.onLoops(func(l *session.Loop) {
			listed[i] += len(l.Listeners)
			indexes[i] += l.Indexes()
		})
		fds[i], routines[i] = descriptors(t), runtime.NumGoroutine()
	}
	const first, last = 0, len(listed) - 1
	const perConnection = 6 // descriptors of both ends in this process, with the pipe of the server
	if listed[last] != 2+len(listed) {
		t.Errorf("%v listeners are listed after each 250 changes; want 2 open ones and one for each connection", listed)
	}
	if indexes[last] > 2*indexes[first] {
		t.Errorf("%v indexes after each 250 changes", indexes)
	}
	if fds[last] > fds[first]+last*perConnection || routines[last] > routines[first]+last*perConnection {
		t.Errorf("%v descriptors and %v goroutines after each 250 changes", fds, routines)
	}
}

// open returns the number of open listeners.
func (r *rebinder) open() (n int) {
	r.onLoops(func(l *session.Loop) {
		for _, ln := range l.Listeners {
			if ln.FD >= 0 {
				n++
			}
		}
	})
	return n
}

// The engine drains or stops while removed listeners still have clients, and while replaced ones
// have sessions. A drain serves the clients in the queues.
func TestEngineEndsWhileListenersAreRemoved(t *testing.T) {
	for name, c := range map[string]struct {
		end    func(*Engine)
		served bool
	}{
		"drain": {(*Engine).Drain, true},
		"stop":  {(*Engine).Stop, false},
	} {
		t.Run(name, func(t *testing.T) {
			const waiting = 20
			r := rebindable(t, unbound(newPeer(t, echo).String()), "127.0.0.1:1 maxconn 1")
			first := greeted(t, r.dial("f"))
			var clients []net.Conn
			for range waiting {
				clients = append(clients, r.dial("f"))
			}
			wait(t, "the listeners to wait", func() bool { return r.paused() == 2 })
			r.rebind("127.0.0.1:1 maxconn 1 name x")
			r.rebind("127.0.0.2:1")
			c.end(r.Engine)
			if c.served {
				first.Close()
				echoed(t, clients)
			}
			r.join()
		})
	}
}
