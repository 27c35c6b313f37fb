package session

import (
	"time"

	"sluice/engine/site"
	"sluice/engine/sock"
	"sluice/pool/stat"
)

// farewell is the time for which a removed TCP socket still accepts clients. It gets no SYN any more,
// so all these clients began to connect before. If the SYN-ACK of a client was lost, the kernel sends
// it again after 1 s. The rest is for the client's answer.
const farewell = 1500 * time.Millisecond

// Listener is the listening socket of one bind line on one loop. It belongs to the loop. A session
// names its listener by the index. So the listener remains after its socket was closed, until its
// last session has ended.
type Listener struct {
	FD       int            // descriptor; -1: closed
	index    int32          // index in Loop.lines
	Number   int            // number of the bind line in its frontend, from 1
	Frontend *site.Frontend // in the site; nil: the listener accepts no clients any more
	site     uint8          // number of its site, in use while Frontend is not nil
	Limits   [3]*stat.Limit // maxconn of the process, the frontend and the bind line, in this order
	Watched  bool           // the socket is registered with the reactor
	Burst    int            // connections that the next event may accept, at least 1
	Held     []heldClient   // draining: accepted clients that wait for a place of the limits
	Shared   *Inherited     // nil: the socket belongs to this process only
	sessions int            // number of its sessions
	closes   int64          // earliest time when a removed socket is closed, ms of stat.Now; 0: not removed
	last     lastClients    // of a removed inherited socket
}

// Add adds a listener of the newest site to the loop. The loop accepts its clients once it runs.
func (l *Loop) Add(ln *Listener) {
	if n := len(l.unused); n > 0 {
		ln.index = l.unused[n-1]
		l.unused = l.unused[:n-1]
		l.lines[ln.index] = ln
	} else {
		ln.index = int32(len(l.lines))
		l.lines = append(l.lines, ln)
	}
	l.Listeners = append(l.Listeners, ln)
	ln.site = l.joinSite()
	l.accepting++
	l.resumeOrWait(ln)
}

// Rebind makes fresh the listeners of the loop. If the loop has the socket of one of them already,
// this listener takes the socket over. The present listeners whose sockets are not in fresh are
// removed. No client is lost: those in the queues become sessions. The caller must have made sure
// that the removed sockets get no new clients on any loop, see listen.Next.Commit. For inherited
// sockets this is not possible, see Inherited. The loop must not drain.
func (l *Loop) Rebind(fresh []*Listener) {
	present := map[int]*Listener{}
	for _, ln := range l.Listeners {
		if ln.FD >= 0 {
			present[ln.FD] = ln
		}
	}
	was := l.Listeners
	for _, ln := range fresh {
		if old := present[ln.FD]; old != nil {
			l.replace(old, ln)
		} else {
			l.Add(ln)
		}
	}
	for _, ln := range was {
		if ln.FD >= 0 && ln.Shared.isIn(fresh) {
			l.endListener(ln)
		} else {
			l.retire(ln)
		}
	}
	l.resumeAll() // removed listeners may wait for limits that replace has marked as not waited for
	l.dropUnused()
}

// replace gives the socket of a listener to a new one, which may have another frontend and other
// limits. The sessions of old free their places of its limits at their end.
func (l *Loop) replace(old, fresh *Listener) {
	fresh.Watched, fresh.Burst, fresh.closes = old.Watched, old.Burst, 0
	old.FD, old.Watched = -1, false
	l.retireFrontend(old)
	l.accepting--
	l.Add(fresh)
	if fresh.Watched {
		l.Reactor.MoveListener(fresh.FD, int(fresh.index))
	}
	l.handOn(old)
}

// retireFrontend is called when a listener will accept no client any more.
func (l *Loop) retireFrontend(ln *Listener) {
	ln.Frontend = nil
	l.leaveSite(ln.site)
}

// retire removes a listener. Its socket is closed when its queue is empty, for TCP after the time
// farewell at the earliest.
func (l *Loop) retire(ln *Listener) {
	if ln.FD < 0 || ln.closes != 0 {
		return
	}
	ln.closes = max(l.Now(), 1)
	if ln.Shared != nil {
		l.retireInherited(ln)
		return
	}
	if _, tcp := sock.Queued(ln.FD); tcp {
		ln.closes += farewell.Milliseconds()
	}
	l.Reactor.Arm(OwnTimer, ln.closes)
}

// tendRetired accepts clients of all removed listeners, and closes those that are due.
func (l *Loop) tendRetired() {
	for _, ln := range l.Listeners {
		if ln.closes != 0 && ln.FD >= 0 {
			l.accept(ln)
		}
	}
}

// closeRetired closes the socket of a removed listener if it is due and no client waits. Otherwise
// it arms the timer, because no event tells that the queue is empty. While a limit is reached, the
// next free place leads to another call. empty means that the listener has no more clients to accept.
func (l *Loop) closeRetired(ln *Listener, empty bool) {
	if n, known := sock.Queued(ln.FD); known && n == 0 {
		empty = true
	}
	switch now := l.Now(); {
	case now < ln.closes:
		l.Reactor.Arm(OwnTimer, ln.closes)
	case empty:
		l.endListener(ln)
		l.resumeAll() // others of this loop may wait for the same limits
		l.dropUnused()
	case ln.Watched:
		l.Reactor.Arm(OwnTimer, now+shortage.Milliseconds())
	}
}

// endListener closes the socket of a listener, which accepts no client any more. The caller then calls
// resumeAll and dropUnused.
func (l *Loop) endListener(ln *Listener) {
	l.closeListener(ln)
	l.retireFrontend(ln)
	l.handOn(ln)
}

// handOn marks the loop as not waiting for the limits of a listener. A limit may have chosen this
// loop for a free place already. That place then goes to the next waiting loop.
func (l *Loop) handOn(ln *Listener) {
	for _, limit := range ln.Limits {
		limit.Forget(l.Number)
		if limit.TryAcquire() {
			l.release(limit)
		}
	}
}

// isUnused reports whether a listener has no socket, no session and no held client.
func (ln *Listener) isUnused() bool { return ln.FD < 0 && ln.sessions == 0 && len(ln.Held) == 0 }

// dropUnused frees the indexes of all unused listeners. A loop that drains adds none, so there they
// stay until its end, see handOn. dropUnused leaves the old slice Listeners unchanged, because a
// caller may be reading it.
func (l *Loop) dropUnused() {
	if l.Draining {
		return
	}
	var used []*Listener
	for _, ln := range l.Listeners {
		if ln.isUnused() {
			l.lines[ln.index] = nil
			l.unused = append(l.unused, ln.index)
		} else {
			used = append(used, ln)
		}
	}
	l.Listeners = used
}

// ended is called when a session of a listener has ended.
func (l *Loop) ended(ln *Listener) {
	ln.sessions--
	if ln.isUnused() {
		l.dropUnused()
	}
}

// closeListener closes the listening socket, if it is open.
func (l *Loop) closeListener(ln *Listener) {
	if ln.FD < 0 {
		return
	}
	l.pause(ln)
	sock.Close(ln.FD)
	ln.FD = -1
	l.accepting--
	if ln.closes != 0 {
		l.closed()
	}
}
