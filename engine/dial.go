package engine

import (
	"golang.org/x/sys/unix"

	"sluice/engine/relay"
	"sluice/engine/sock"
	"sluice/pool"
)

// attempt says how a connection attempt failed.
type attempt uint8

const (
	refused   attempt = iota // an error came back
	timedOut                 // timeout connect
	noPort                   // no local port or address is left
	exhausted                // no descriptor or memory for a socket
)

// term returns the termination state of a session that gives up after it.
func (a attempt) term() [2]byte {
	return [...][2]byte{refused: term('S', 'C'), timedOut: term('s', 'C'), noPort: term('R', 'C'), exhausted: term('R', 'C')}[a]
}

// route gives the session to a backend, -1 for none. early are bytes read from
// the client and not held.
func (l *loop) route(id int32, s *session, to int, early []byte) {
	if to < 0 {
		l.fail(id, s, term('S', 'C'))
		return
	}
	s.backend = int32(to)
	l.site.backends[to].Stat.Open(l.now)
	l.choose(id, s, nil, early)
}

// choose picks a server, another one than was if there is any, and dials it.
func (l *loop) choose(id int32, s *session, was *pool.Server, early []byte) {
	b := l.backendOf(s)
	picked := l.pick(id, s, was)
	if picked == nil {
		b.Stat.FailedConn.Inc()
		l.keep(s, early)
		l.fail(id, s, term('S', 'C'))
		return
	}
	switch was {
	case nil:
	case picked:
		l.countRetry(b, was)
	default:
		s.moved = true
		was.Stat.Redispatches.Inc()
		b.Stat.Redispatches.Inc()
	}
	picked.Stat.Selected.Inc()
	b.Stat.Selected.Inc()
	s.server = int32(picked.ID - 1)
	if s.queued < 0 {
		s.queued = int32(l.now - s.began)
	}
	l.dial(id, s, early)
}

// pick asks the client's cookie, and else balancing.
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

// fail ends a session for which no server can be had.
func (l *loop) fail(id int32, s *session, t [2]byte) {
	if l.isHTTP(s) {
		l.refuse(id, s, l.exchanges.at(id), 503, t)
		return
	}
	// A socket closed with bytes unread says RST; the client did nothing wrong.
	_, _ = l.stock.Read(&s.flow[client], int(s.sock[client].fd))
	l.end(id, s, ending{term: t})
}

func (l *loop) countRetry(b *backend, again *pool.Server) {
	again.Stat.Retries.Inc()
	b.Stat.Retries.Inc()
}

// assign counts the session with its server, for as long as an attempt or the
// connection lasts.
func (l *loop) assign(s *session) {
	s.counted = true
	l.serverOf(s).Stat.Open(l.now)
}

func (l *loop) unassign(s *session, in, out int64) {
	if s.counted {
		s.counted = false
		l.serverOf(s).Stat.Close(in, out)
	}
}

func (l *loop) backendOf(s *session) *backend    { return l.site.backends[s.backend] }
func (l *loop) serverOf(s *session) *pool.Server { return l.backendOf(s).Servers[s.server] }

// dial starts a connection to the session's server. The first write is the
// probe whether it stands: on one machine it usually does by then, and neither
// an event nor a question is needed.
func (l *loop) dial(id int32, s *session, early []byte) {
	b, out := l.backendOf(s), &s.flow[client]
	to := &b.addrs[s.server]
	l.enter(id, s, dialing)
	l.assign(s)
	l.serverOf(s).Stat.Connects.Inc()
	fd, e := sock.Stream(to)
	if e != 0 {
		l.keep(s, early)
		l.failed(id, s, exhausted, e)
		return
	}
	s.sock[server].open(fd, l.now)
	speaks := len(early)+out.Pending() > 0
	if speaks && b.Conf.SmartConnect && !to.IsUnix() {
		sock.DelayACK(fd)
	}
	fast := speaks && b.Servers[s.server].Conf.TFO
	if fast {
		l.keep(s, early)
		early = nil
	}
	out.Set(relay.TargetReady)
	standing := false
	switch e := l.connect(s, to, fast); e {
	case 0:
		standing = true
	case unix.EINPROGRESS:
	default:
		l.keep(s, early)
		l.failed(id, s, failure(e), e)
		return
	}
	if standing, e = l.sendEarly(s, early, standing); e != 0 {
		l.failed(id, s, failure(e), e)
		return
	}
	if !standing {
		out.Clear(relay.TargetReady)
	}
	if !l.watch(id, s, server) || !l.watch(id, s, client) {
		l.end(id, s, ending{term: term('R', 'C')})
		return
	}
	if standing {
		l.established(id, s)
	}
}

// connect starts the connection; fast: with bytes that the client's flow holds
// in the SYN. The kernel drops them if there is no connection, and so the flow
// holds them until it stands.
func (l *loop) connect(s *session, to *sock.Addr, fast bool) sock.Errno {
	fd := int(s.sock[server].fd)
	if fast {
		n, e := sock.ConnectWith(fd, to, l.stock.Held(&s.flow[client]))
		if e == 0 {
			s.inSYN = int32(n)
			return unix.EINPROGRESS
		}
		if e != unix.EOPNOTSUPP {
			return e
		}
	}
	return sock.Connect(fd, to)
}

// keep holds early bytes for a later attempt.
func (l *loop) keep(s *session, early []byte) { l.stock.Hold(&s.flow[client], early) }

// sendEarly writes what the client has sent already. A byte that was taken
// proves the connection.
func (l *loop) sendEarly(s *session, early []byte, standing bool) (bool, sock.Errno) {
	if s.inSYN > 0 {
		if stands, e := l.askDial(s); !stands {
			return false, e
		}
		standing = true
		l.tookSYN(s)
	}
	out, fd := &s.flow[client], int(s.sock[server].fd)
	before := out.Bytes
	var e sock.Errno
	switch {
	case out.Pending() > 0:
		e = l.stock.Flush(out, fd)
	case len(early) > 0:
		e = l.stock.Push(out, fd, early)
	}
	return standing || out.Bytes > before, e
}

// tookSYN lets go of the bytes that were in the SYN of a connection that stands:
// they are the kernel's to deliver, as others that it took.
func (l *loop) tookSYN(s *session) {
	out := &s.flow[client]
	out.Bytes += uint64(s.inSYN)
	l.stock.Consume(out, int(s.inSYN))
	s.inSYN = 0
}

// tendDial is called for events while no server is connected. A client that
// has nothing more to say keeps waiting for its answer; one that is gone ends
// the session.
func (l *loop) tendDial(id int32, s *session, from side, failed bool) {
	if from == client {
		if failed {
			l.end(id, s, ending{term: term('C', 'C')})
		}
		return
	}
	if s.state != dialing {
		return
	}
	standing, e := l.sendEarly(s, nil, false)
	if e == 0 && !standing {
		standing, e = l.askDial(s)
	}
	switch {
	case e != 0:
		l.failed(id, s, failure(e), e)
	case standing:
		l.established(id, s)
	}
}

// askDial asks the kernel how the connection is doing.
func (l *loop) askDial(s *session) (standing bool, e sock.Errno) {
	switch e = sock.Connect(int(s.sock[server].fd), &l.backendOf(s).addrs[s.server]); e {
	case 0, unix.EISCONN:
		return true, 0
	case unix.EALREADY, unix.EINPROGRESS:
		return false, 0
	}
	return false, e
}

// established begins the relaying.
func (l *loop) established(id int32, s *session) {
	s.connected = int32(l.now - s.began)
	s.sock[server].seen = l.now
	s.asked = s.flow[client].Bytes > 0
	if l.backendOf(s).addrs[s.server].IsUnix() {
		s.flow[server].Set(relay.SourceExact)
	}
	if l.isHTTP(s) {
		l.enter(id, s, exchanging)
		l.exchange(id, s)
		return
	}
	l.enter(id, s, relaying)
	l.relay(id, s)
}

// failed ends an attempt and decides what follows it.
func (l *loop) failed(id int32, s *session, how attempt, e sock.Errno) {
	s.sock[server].close(false)
	s.inSYN = 0
	b, was := l.backendOf(s), l.serverOf(s)
	was.Stat.FailedConn.Inc()
	l.unassign(s, 0, 0)
	if how == noPort || how == exhausted {
		l.engine.complain("can't open a connection to server "+was.String(), e)
	}
	next := l.afterFailure(id, s, how)
	if next.Next == pool.GiveUp {
		b.Stat.FailedConn.Inc()
		l.fail(id, s, how.term())
		return
	}
	s.tries++
	if next.Wait > 0 {
		if !l.watch(id, s, client) {
			l.end(id, s, ending{term: term('R', 'C')})
			return
		}
		s.anew = next.Next == pool.Redispatch
		s.wait = int32(next.Wait.Milliseconds())
		l.enter(id, s, pausing)
		return
	}
	l.retry(id, s, next.Next == pool.Redispatch)
}

// afterFailure asks the pool. Where this machine is out of ports or sockets, a
// pause would not help and the same server neither: another one is tried, if
// there is one, or the session ends.
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

// retry connects again: to the same server, or to one chosen anew.
func (l *loop) retry(id int32, s *session, anew bool) {
	was := l.serverOf(s)
	if anew {
		l.choose(id, s, was, nil)
		return
	}
	l.countRetry(l.backendOf(s), was)
	l.dial(id, s, nil)
}

// failure sorts the errors of socket, connect and the first write.
func failure(e sock.Errno) attempt {
	switch e {
	case unix.EADDRNOTAVAIL, unix.EADDRINUSE:
		return noPort
	case unix.ENOBUFS, unix.ENOMEM, unix.EMFILE, unix.ENFILE:
		return exhausted
	case unix.ETIMEDOUT:
		return timedOut
	}
	return refused
}

// enter moves the session to a state, which lasts until its deadline at most.
func (l *loop) enter(id int32, s *session, next state) {
	s.state, s.since = next, l.now
	if at := l.deadline(id, s); at != never {
		l.clock.arm(id, at, l.now)
	}
}
