package engine

import (
	"sluice/engine/relay"
	"sluice/engine/sock"
	"sluice/pool"
)

// attempt is the reason why an attempt to connect failed.
type attempt uint8

const (
	refused   attempt = iota // the connection failed with an error
	timedOut                 // timeout connect has expired, or ETIMEDOUT
	noPort                   // no local port or address is available
	exhausted                // no descriptor or memory for a socket
)

// term returns the termination state of a session whose last attempt failed.
func (a attempt) term() [2]byte {
	return [...][2]byte{refused: term('S', 'C'), timedOut: term('s', 'C'), noPort: term('R', 'C'), exhausted: term('R', 'C')}[a]
}

// route gives the session to a backend; to is its index, -1 for none. early are bytes read from
// the client that no flow holds.
func (l *loop) route(id int32, s *session, to int, early []byte) {
	if to < 0 {
		l.keep(s, early)
		l.fail(id, s, term('S', 'C'))
		return
	}
	s.backend = int32(to)
	l.countRouted(s)
	l.choose(id, s, nil, early)
}

// choose picks a server and dials it. was is the server of the attempt before, or nil; choose
// picks another one if possible.
func (l *loop) choose(id int32, s *session, was *pool.Server, early []byte) {
	picked := l.pick(id, s, was)
	if picked == nil {
		l.countNoServer(s)
		l.keep(s, early)
		l.fail(id, s, term('S', 'C'))
		return
	}
	s.server = int32(picked.ID - 1)
	switch was {
	case nil:
	case picked:
		l.countRetry(s)
	default:
		s.redispatched = true
		l.countRedispatch(s, was)
	}
	if !l.persists(id, s) {
		l.countPicked(s)
	}
	if s.queued < 0 {
		s.queued = int32(l.now - s.began)
	}
	l.dial(id, s, early)
}

// pick returns the server that the client's cookie names, otherwise the choice of balancing. A
// cookie is ignored after the first attempt. nil means that no server is usable.
func (l *loop) pick(id int32, s *session, was *pool.Server) *pool.Server {
	b := l.backendOf(s)
	if b.cookie != nil && l.isHTTP(s) {
		claim := &l.exchanges.at(id).claim
		if was == nil && claim.Server >= 0 {
			return b.Servers[claim.Server]
		}
		if claim.Server >= 0 {
			claim.Server, claim.Letter = -1, 'D'
		}
	}
	return b.Pick(pool.Key{Source: s.clientAddr().Addr()}, was)
}

// fail ends a session for which no server is available.
func (l *loop) fail(id int32, s *session, t [2]byte) {
	if l.isHTTP(s) {
		l.refuse(id, s, l.exchanges.at(id), 503, t)
		return
	}
	// Closing a socket with unread bytes would send RST.
	l.hearLast(s)
	l.end(id, s, ending{term: t})
}

// assign adds the session to the current sessions of its server, for the duration of an attempt
// or connection.
func (l *loop) assign(s *session) {
	s.counted = true
	l.countAssigned(s)
}

// unassign ends what assign began. in and out are bytes from and to the client.
func (l *loop) unassign(s *session, in, out int64) {
	if s.counted {
		s.counted = false
		l.countUnassigned(s, in, out)
	}
}

func (l *loop) backendOf(s *session) *backend    { return l.site.backends[s.backend] }
func (l *loop) serverOf(s *session) *pool.Server { return l.backendOf(s).Servers[s.server] }

// closeServer closes the server's socket. What events and reads told of it does not hold for
// the next one. A server that may have got a part of the stream with the SYN is reset.
func (l *loop) closeServer(s *session) {
	s.sock[server].close(s.inSYN > 0)
	s.sock[server].flags = 0
	s.flow[server].Clear(relay.SourceReady | relay.SourceClosing | relay.SourceExact | relay.SourceUrgent | relay.SourceDoubtful | relay.SourceEnded)
	s.flow[client].Clear(relay.TargetReady)
}

// failed ends an attempt to connect and decides what follows.
func (l *loop) failed(id int32, s *session, how attempt, e sock.Errno) {
	l.closeServer(s)
	s.inSYN = 0
	l.unassign(s, 0, 0)
	if how == noPort || how == exhausted {
		l.engine.complain("can't open a connection to server "+l.serverOf(s).String(), e)
	}
	next := l.afterFailure(id, s, how)
	if next.Next == pool.GiveUp {
		l.countGivenUp(s)
		l.fail(id, s, how.term())
		return
	}
	s.tries++
	if next.Wait > 0 {
		if !l.watch(id, s, client) {
			l.end(id, s, ending{term: term('R', 'C')})
			return
		}
		s.pickAgain = next.Next == pool.Redispatch
		s.wait = int32(next.Wait.Milliseconds())
		l.enter(id, s, pausing)
		return
	}
	l.retry(id, s, next.Next == pool.Redispatch)
}

// afterFailure asks the pool what follows a failed attempt. If this machine lacks ports or
// sockets, neither a pause nor the same server would help: another server is tried, or the
// session ends.
func (l *loop) afterFailure(id int32, s *session, how attempt) pool.Retry {
	b, was := l.backendOf(s), l.serverOf(s)
	next := b.AfterFailure(pool.Failure{Server: was, Retries: int(s.tries), Timeout: how == timedOut, Persist: l.persists(id, s)})
	if next.Next == pool.GiveUp || how == refused || how == timedOut {
		return next
	}
	if b.Active() > 1 {
		return pool.Retry{Next: pool.Redispatch}
	}
	return pool.Retry{Next: pool.GiveUp}
}

// retry connects again, to the same server or, with pickAgain, to another one.
func (l *loop) retry(id int32, s *session, pickAgain bool) {
	was := l.serverOf(s)
	if pickAgain {
		l.choose(id, s, was, nil)
		return
	}
	l.countRetry(s)
	l.dial(id, s, nil)
}

// enter changes the session's state and arms the deadline of the new state.
func (l *loop) enter(id int32, s *session, next state) {
	s.state, s.since = next, l.now
	if at := l.deadline(id, s); at != never {
		l.clock.arm(id, at, l.now)
	}
}
