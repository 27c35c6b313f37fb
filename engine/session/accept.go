package session

import (
	"net/netip"
	"time"

	"golang.org/x/sys/unix"

	"sluice/conf"
	"sluice/engine/relay"
	"sluice/engine/site"
	"sluice/engine/sock"
	"sluice/pool/stat"
)

const (
	// shortage is the pause before a retry if the kernel lacks descriptors or memory. A listener
	// pauses if a connection cannot be accepted, a session if a read or write lacks memory.
	shortage = 100 * time.Millisecond
)

// resume starts to accept, or continues after a pause. It does nothing if the listener is
// closed.
func (l *Loop) resume(ln *Listener) error {
	if ln.Watched || ln.FD < 0 {
		return nil
	}
	if err := l.Reactor.WatchListener(ln.FD, int(ln.index)); err != nil {
		return err
	}
	ln.Watched = true
	return nil
}

// pause stops accepting. New clients wait in the kernel's queue.
func (l *Loop) pause(ln *Listener) {
	if ln.Watched {
		l.Reactor.ForgetListener(ln.FD)
		ln.Watched = false
	}
}

// resumeOrWait resumes a listener. If the kernel has no memory for that, it tries again later.
func (l *Loop) resumeOrWait(ln *Listener) {
	if err := l.resume(ln); err != nil {
		l.short(ln, "watch listening sockets", err)
	}
}

// resumeAll resumes all listeners. It is called when a shortage may be over, and when a limit has a
// free place.
func (l *Loop) resumeAll() {
	for _, ln := range l.Listeners {
		l.resumeOrWait(ln)
	}
}

// retryAccept is called when limit has a free place and this loop was chosen to use it. Another
// loop that shares the kernel's queue may have accepted the waiting client already. The place then
// goes to the next waiting loop.
func (l *Loop) retryAccept(limit *stat.Limit) error {
	l.resumeAll()
	for _, ln := range l.Listeners {
		if ln.Watched {
			l.accept(ln)
		}
		l.serveHeld(ln)
	}
	if limit.TryAcquire() {
		l.release(limit)
	}
	return l.Ended()
}

// accept accepts waiting clients. If the listener is removed, accept then closes it as soon as no
// client waits.
func (l *Loop) accept(ln *Listener) {
	switch {
	case ln.closes == 0:
		l.acceptBurst(ln)
	case ln.Shared != nil:
		l.closeRetired(ln, l.acceptLast(ln))
	default:
		_, empty := l.acceptBurst(ln)
		l.closeRetired(ln, empty)
	}
}

// acceptBurst accepts waiting clients, at most ln.Burst of them. It returns the number of clients
// that it has taken from the queue, and whether no client waits any more. Burst adapts, to save calls that find no client. It becomes the number of clients found,
// or doubles, up to Sizes.Accepts, if all calls found a client.
func (l *Loop) acceptBurst(ln *Listener) (taken int, empty bool) {
	for n := range ln.Burst {
		if !l.admit(ln) {
			return n, false
		}
		if !l.take(ln) {
			ln.Burst = max(n, 1)
			return n, ln.Watched // a shortage pauses the listener
		}
	}
	taken = ln.Burst
	ln.Burst = min(ln.Burst*2, l.Sizes.Accepts)
	return taken, false
}

// admit takes a place of every limit. If a limit is reached, it pauses the listener until a
// place is free, and returns false.
func (l *Loop) admit(ln *Listener) bool {
	for i, limit := range ln.Limits {
		if limit.TryAcquire() {
			continue
		}
		limit.Wait(l.Number)
		if limit.TryAcquire() {
			continue
		}
		l.pause(ln)
		for _, taken := range ln.Limits[:i] {
			l.release(taken)
		}
		return false
	}
	return true
}

// dismiss frees a place of every limit of the listener.
func (l *Loop) dismiss(ln *Listener) {
	for _, limit := range ln.Limits {
		l.release(limit)
	}
}

// release frees a place of the limit and wakes the loop that may take it.
func (l *Loop) release(limit *stat.Limit) {
	if wake := limit.Release(); wake >= 0 {
		l.process.Wake(wake, limit)
	}
}

// take accepts one client. The listener's limits already count this client. take returns false if
// no client waits or the kernel lacks resources. accept then stops.
func (l *Loop) take(ln *Listener) bool {
	fd, e := sock.Accept(ln.FD, &l.peer)
	if e == 0 {
		l.open(ln, fd)
		return true
	}
	l.dismiss(ln)
	switch e {
	case unix.EAGAIN:
		return false
	case unix.EMFILE, unix.ENFILE, unix.ENOBUFS, unix.ENOMEM:
		l.short(ln, "accept a connection", e)
		return false
	}
	// After ECONNABORTED and similar errors this client is gone, but others may wait.
	return true
}

// short logs that the kernel lacks descriptors or memory, and pauses the listener. After 100 ms (the
// constant shortage) the loop's own timer ends the pauses of all listeners.
func (l *Loop) short(ln *Listener, what string, err error) {
	l.pause(ln)
	l.Reactor.Arm(OwnTimer, l.Now()+shortage.Milliseconds())
	l.process.complain("can't "+what+", accepting pauses", err)
}

// open starts the session of a client that was just accepted, or closes the connection if a
// rule denies it or no session is free.
func (l *Loop) open(ln *Listener, fd int) {
	f := ln.Frontend
	l.countAccepted(f)
	id := l.Sessions.take()
	if id == 0 || !l.allowed(f, fd) {
		if id != 0 {
			l.Sessions.give(id)
		}
		l.countTurnedAway(f, id != 0)
		sock.Close(fd)
		l.dismiss(ln)
		return
	}
	s := l.Sessions.At(id)
	s.line, s.site, s.frontend = ln.index, ln.site, int32(f.Index)
	l.users[ln.site]++
	ln.sessions++
	v := l.Visit(id)
	v.begin(fd)
	v.Settle()
}

// begin starts the session of a client that was just accepted.
func (v *Visit) begin(fd int) {
	s := v.S
	s.Began, s.Wall = v.Now(), v.Reactor.Wall()
	s.setPeer(&v.peer)
	s.Sock[Client].open(fd, v.Now())
	s.Flow[Server].Set(relay.TargetReady)
	if s.unix {
		s.Flow[Client].Set(relay.SourceExact) // a short read does not prove that the socket is empty
	}
	v.countOpened()
	v.logConnect()
	v.Mode.Begin()
}

// allowed evaluates the `tcp-request connection` rules, which need no byte. A connection that
// they deny is closed at once and never logged.
func (l *Loop) allowed(f *site.Frontend, fd int) bool {
	if len(f.Conf.Connection) == 0 {
		return true
	}
	l.Facts.Src, l.Facts.Dst = l.peer.AddrPort(), netip.AddrPort{}
	if f.Needs.Dst {
		l.Facts.Dst = LocalAddr(fd)
	}
	return f.Rules.Connection(&l.Facts) == conf.Accept
}

// LocalAddr returns our address of a connection. It is the zero AddrPort on a UNIX socket. This costs
// a system call, so it is called only if a rule or a format needs the address.
func LocalAddr(fd int) netip.AddrPort {
	var own sock.Addr
	sock.Local(fd, &own)
	return own.AddrPort()
}
