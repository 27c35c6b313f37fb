package engine

import (
	"math"

	errorx "github.com/panjf2000/gnet/v2/pkg/errors"
	"golang.org/x/sys/unix"

	"sluice/engine/relay"
	"sluice/engine/sock"
)

// drain stops accepting new clients. Before it closes a listener, it accepts the clients in the
// kernel's queue: their connections are established, and closing the listener would reset them.
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

// dismissIdle ends a session that is between two requests when the loop drains, as HAProxy
// does. If a request has already arrived, the session serves that request first.
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

// between reports whether a session in the state asking is between two requests: it has had an
// answer, and no byte of the next request has come.
func (l *loop) between(id int32) bool {
	x := l.exchanges.at(id)
	return x.asked > 0 && !x.has(begun)
}

// drained closes a listener of a draining loop when its queue is empty.
func (l *loop) drained(ln *listener) {
	if ln.left > 0 {
		return
	}
	l.closeListener(ln)
}

// closeListener closes the listening socket, if it is open.
func (l *loop) closeListener(ln *listener) {
	if ln.fd < 0 {
		return
	}
	sock.Close(ln.fd)
	ln.fd, ln.watched = -1, false
	l.accepting--
}

// queued returns how many clients wait in the queue of a listening socket. For a UNIX socket
// the number is unknown; queued then returns math.MaxInt, and clients are accepted until none
// is left.
func queued(fd int) int {
	info, err := unix.GetsockoptTCPInfo(fd, unix.IPPROTO_TCP, unix.TCP_INFO)
	if err != nil {
		return math.MaxInt
	}
	return int(info.Unacked)
}

// cutsAnswer reports whether ending the session now would cut off an answer in mode http. The
// client is then reset, so that it does not take the part for the whole answer.
func (l *loop) cutsAnswer(id int32, s *session) bool {
	if s.state != exchanging {
		return false
	}
	x := l.exchanges.at(id)
	return x.has(spoken) && !l.answerWritten(s, x)
}

// stop ends all sessions at once. Its error ends the loop.
func (l *loop) stop() error {
	for _, ln := range l.listeners {
		l.closeListener(ln)
	}
	l.sessions.each(func(id int32) {
		s := l.sessions.at(id)
		l.meet(id, client, metStop)
		if s.state == leaving { // it has its termination state already
			l.leave(id, s, true)
			return
		}
		l.end(id, s, ending{term: term('K', 'D'), last: client, abrupt: l.cutsAnswer(id, s)})
	})
	return errorx.ErrEngineShutdown
}
