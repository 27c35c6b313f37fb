package engine

import (
	"math"

	errorx "github.com/panjf2000/gnet/v2/pkg/errors"
	"golang.org/x/sys/unix"

	"sluice/engine/relay"
	"sluice/engine/sock"
)

// drain stops taking clients, but for those whose connection stands already
// and waits in the queue: closing a listening socket resets them.
func (l *loop) drain() error {
	l.draining = true
	l.sessions.each(func(id int32) { l.meet(id, client, metDrain) })
	for _, ln := range l.listeners {
		if ln.fd < 0 {
			continue
		}
		ln.left = queued(ln.fd)
		ln.burst = mostAccepts
		l.accept(ln)
		l.drained(ln)
	}
	l.sessions.each(l.dismissIdle)
	return l.ended()
}

// dismissIdle ends a draining loop's connection that lies between two requests,
// as HAProxy does. A request that has arrived by now is served.
func (l *loop) dismissIdle(id int32) {
	s := l.sessions.at(id)
	if s.state != asking || !l.between(id) {
		return
	}
	s.flow[client].Set(relay.SourceReady)
	l.ask(id, s)
	if s.state == asking && l.between(id) {
		l.end(id, s, ending{term: term('-', '-')})
		return
	}
	l.awaitWritable(id, s)
}

// between reports whether a session that asks has had an answer, and no byte of
// the next request has come.
func (l *loop) between(id int32) bool {
	x := l.exchanges.at(id)
	return x.asked > 0 && !x.has(begun)
}

// drained closes a listener when nobody waits there any more.
func (l *loop) drained(ln *listener) {
	if ln.left > 0 {
		return
	}
	l.closeListener(ln)
}

func (l *loop) closeListener(ln *listener) {
	if ln.fd < 0 {
		return
	}
	sock.Close(ln.fd)
	ln.fd, ln.watched = -1, false
	l.accepting--
}

// queued returns how many clients wait on a listening socket. The kernel tells
// for TCP; elsewhere the queue is taken until it is empty.
func queued(fd int) int {
	info, err := unix.GetsockoptTCPInfo(fd, unix.IPPROTO_TCP, unix.TCP_INFO)
	if err != nil {
		return math.MaxInt
	}
	return int(info.Unacked)
}

// cutsAnswer reports whether the end of a session cuts off an answer in mode http.
// The client is reset then, so that it does not take a part for the whole.
func (l *loop) cutsAnswer(id int32, s *session) bool {
	if s.state != exchanging {
		return false
	}
	x := l.exchanges.at(id)
	return x.has(spoken) && !l.answerWritten(s, x)
}

// stop ends everything now.
func (l *loop) stop() error {
	for _, ln := range l.listeners {
		l.closeListener(ln)
	}
	l.sessions.each(func(id int32) {
		s := l.sessions.at(id)
		l.meet(id, client, metStop)
		if s.state == leaving { // it has ended, and knows why
			l.leave(id, s, true)
			return
		}
		l.end(id, s, ending{term: term('K', 'D'), last: client, abrupt: l.cutsAnswer(id, s)})
	})
	return errorx.ErrEngineShutdown
}
