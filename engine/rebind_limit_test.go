//go:build !simulation

package engine

import (
	"fmt"
	"net"
	"strings"
	"testing"

	"sluice/engine/session"
)

// A listener that waits for a place of its limit is replaced or removed. The clients in its queue
// are served: at once under a higher limit, otherwise when a place is free. Sessions free their
// places of the limits under which they began.
func TestRebindWhileALimitIsReached(t *testing.T) {
	const waiting = 20
	for name, c := range map[string]struct {
		then string
		now  int // waiting clients that are served before the first client ends
	}{
		"raised":  {"127.0.0.1:1 maxconn 6", 5},
		"removed": {"127.0.0.1:1", waiting},
		"kept":    {"127.0.0.1:1 maxconn 1 name x", 0},
		"retired": {"127.0.0.2:1 maxconn 1", 0},
	} {
		t.Run(name, func(t *testing.T) {
			r := rebindable(t, unbound(newPeer(t, echo).String()), "127.0.0.1:1 maxconn 1")
			limits := r.Loops[0].Listeners[0].Limits
			first := greeted(t, r.dial("f"))
			served, leave := make(chan bool, waiting), make(chan bool, waiting)
			for range waiting {
				conn := r.dial("f")
				go func() {
					greeted(t, conn)
					served <- true
					<-leave
					conn.Close()
				}()
			}
			wait(t, "the listeners to wait", func() bool { return r.paused() == 2 })
			r.rebind(c.then)
			for range c.now {
				<-served
			}
			if n := r.Sessions(); n != int64(1+c.now) {
				t.Errorf("%d sessions; want %d", n, 1+c.now)
			}
			first.Close()
			for range waiting - c.now {
				<-served
				leave <- true
			}
			for range c.now {
				leave <- true
			}
			wait(t, "the sessions to end", func() bool { return r.Sessions() == 0 })
			wait(t, "the former listeners to be gone", func() bool { return r.settled(1) })
			for i, limit := range limits {
				if n := limit.Cur(); n != 0 {
					t.Errorf("%d places of limit %d are taken", n, i)
				}
			}
		})
	}
}

// A removed listener waits for a place of its frontend, longer than it accepts clients of its own
// accord. A reload then replaces another listener of the same frontend. The clients in the queue of the
// removed one are served all the same when a place is free.
func TestRemovedListenerWaitsBesideAReplacedOne(t *testing.T) {
	const waiting = 6
	cfg := strings.Replace(unbound(newPeer(t, echo).String()), "BINDS", "BINDS\n  maxconn 1", 1)
	r := rebindable(t, cfg, "127.0.0.1:1", "127.0.0.2:1")
	first := greeted(t, r.dial("f"))
	var clients []net.Conn
	for range waiting {
		clients = append(clients, r.dial("f"))
	}
	r.rebind("127.0.0.2:1")
	wait(t, "the removed listeners to wait without a timer", func() bool { return r.paused() >= 1 && !r.armed() })
	r.rebind("127.0.0.2:1 name x")
	first.Close()
	echoed(t, clients)
}

// armed reports whether a loop has its own timer armed.
func (r *rebinder) armed() (armed bool) {
	r.onLoops(func(l *session.Loop) {
		_, one := l.Reactor.Due(session.OwnTimer)
		armed = armed || one
	})
	return armed
}

// A listener waits for a place of its frontend and gets another frontend. Its loop then no longer waits
// for a place of the former one: if the loop ended, that place would be lost.
func TestMovedListenerDoesNotWait(t *testing.T) {
	const waiting = 6
	cfg := unbound(newPeer(t, echo).String())
	one := strings.Replace(cfg, "BINDS", fmt.Sprintf("  bind 127.0.0.1:%d\n  maxconn 1", unusedPort(t)), 1)
	b := start(t, one)
	limit := b.Loops[0].Listeners[0].Limits[1]
	first := greeted(t, b.dial("f"))
	var clients []net.Conn
	for range waiting {
		clients = append(clients, b.dial("f"))
	}
	r := &rebinder{balancer: b}
	wait(t, "a listener to wait", func() bool { return r.paused() > 0 })
	b.reload(strings.Replace(one, "frontend f", "frontend g", 1))
	if loops := limit.SetMax(1000); len(loops) > 0 {
		t.Errorf("loops %v wait for a place of a frontend that none of their listeners has", loops)
	}
	first.Close()
	echoed(t, clients)
}

// paused returns the number of open listeners that do not accept.
func (r *rebinder) paused() (n int) {
	r.onLoops(func(l *session.Loop) {
		for _, ln := range l.Listeners {
			if ln.FD >= 0 && !ln.Watched {
				n++
			}
		}
	})
	return n
}
