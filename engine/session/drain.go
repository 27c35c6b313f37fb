package session

import (
	errorx "github.com/panjf2000/gnet/v2/pkg/errors"
	"golang.org/x/sys/unix"

	"sluice/engine/site"
	"sluice/engine/sock"
)

// mostQueued is the highest number of clients that the kernel's queue of a listening socket can
// hold: the largest backlog.
const mostQueued = 65535

// heldClient is a client that a draining loop has accepted, and that waits for a place of a limit.
type heldClient struct {
	fd   int
	peer sock.Addr
}

// Drain stops accepting new clients. The listening sockets are closed at once, so that another
// process can listen on their addresses. Before that, Drain accepts the clients in their queues:
// their connections are established, and closing the socket would reset them. Drain returns the
// error of Ended.
func (l *Loop) Drain() error {
	l.Draining = true
	l.Sessions.Each(func(id int32) { l.Visit(id).meet(Client, MetDrain) })
	for _, ln := range l.Listeners {
		if ln.FD >= 0 {
			l.hold(ln)
			l.closeListener(ln)
		}
	}
	for _, ln := range l.Listeners {
		l.serveHeld(ln)
	}
	l.Sessions.Each(func(id int32) { l.Visit(id).Mode.Drain() })
	return l.Ended()
}

// hold accepts the clients in the kernel's queue of a listener, even if a limit is reached. Clients
// for which the plan has no descriptor left remain in the queue.
func (l *Loop) hold(ln *Listener) {
	for n := min(queued(ln), l.process.Plan().Spare(int(l.process.Stat.Cur()))-l.holding); n > 0; n-- {
		var c heldClient
		var e sock.Errno
		c.fd, e = sock.Accept(ln.FD, &c.peer)
		switch e {
		case 0:
			ln.Held = append(ln.Held, c)
			l.holding++
		case unix.EAGAIN, unix.EMFILE, unix.ENFILE, unix.ENOBUFS, unix.ENOMEM:
			return
		}
	}
}

// serveHeld begins the sessions of held clients, in their order, as far as the limits have places.
func (l *Loop) serveHeld(ln *Listener) {
	for len(ln.Held) > 0 && l.admit(ln) {
		c := ln.Held[0]
		ln.Held = ln.Held[1:]
		l.holding--
		l.peer = c.peer
		l.open(ln, c.fd)
	}
}

// queued returns the number of clients in the queue of a listening socket that the listener accepts.
// For a UNIX socket the number is unknown; queued then returns mostQueued.
func queued(ln *Listener) int {
	if ln.closes != 0 && ln.Shared != nil {
		return ln.last.left
	}
	if n, ok := sock.Queued(ln.FD); ok {
		return n
	}
	return mostQueued
}

// Stop closes all listeners and ends all sessions at once. It returns ErrEngineShutdown, which ends
// the loop.
func (l *Loop) Stop() error {
	l.Draining = true
	for _, ln := range l.Listeners {
		l.discard(ln)
	}
	l.Sessions.Each(func(id int32) { l.Visit(id).kill() })
	return errorx.ErrEngineShutdown
}

// discard closes a listener and its held clients. Clients in its queue are reset.
func (l *Loop) discard(ln *Listener) {
	l.closeListener(ln)
	for _, c := range ln.Held {
		sock.Close(c.fd)
	}
	l.holding, ln.Held = l.holding-len(ln.Held), nil
}

// EndSite ends all sessions and listeners of a site at once, unless it is the newest one. number is the
// number of the site. EndSite does nothing if the loop no longer uses the site.
func (l *Loop) EndSite(number uint8, s *site.Site) error {
	if number != l.newest && l.sites[number] == s {
		l.endListeners(number)
		l.Sessions.Each(func(id int32) {
			if l.Sessions.At(id).site == number {
				l.Visit(id).kill()
			}
		})
	}
	return l.Ended()
}

// endListeners closes the removed listeners of a site. Otherwise the clients in their queues would begin
// sessions of the site, which nothing ends.
func (l *Loop) endListeners(number uint8) {
	for _, ln := range l.Listeners {
		if ln.Frontend != nil && ln.site == number {
			l.discard(ln)
			l.retireFrontend(ln)
			l.handOn(ln)
		}
	}
	l.resumeAll() // others of this loop may wait for the same limits, see handOn
	for _, ln := range l.Listeners {
		l.serveHeld(ln)
	}
	l.dropUnused()
}

// kill ends the session at once.
func (v *Visit) kill() {
	v.meet(Client, MetStop)
	if v.S.State == Leaving { // it has its termination state already
		v.leave(true)
		return
	}
	v.End(Ending{Term: Term('K', 'D'), Last: Client, Abrupt: v.Mode.Cuts()})
}
