//go:build !simulation

package engine

import (
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
