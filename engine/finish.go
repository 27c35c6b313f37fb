package engine

import (
	"time"

	"sluice/conf"
	"sluice/engine/access"
	"sluice/engine/sock"
)

const (
	// unsentInterval is how often the kernel is asked whether a peer has
	// acknowledged everything, so that RST can follow.
	unsentInterval = 16
	// serverGrace is how long a server may take for the last bytes of a client
	// that has reset its connection, and so asked for nothing any more.
	serverGrace = 500
	// clientGrace is how long a client may take for the last bytes of a server
	// that has reset its connection, where no timeout client says it.
	clientGrace = 30_000
)

// ending says why a session ends and how.
type ending struct {
	term   [2]byte // termination state as in HAProxy's log
	linger bool    // the socket of side last is closed when its peer has everything
	last   side
	abrupt bool // and with RST
}

func term(who, when byte) [2]byte { return [2]byte{who, when} }

// end closes the sockets. One may have to wait until the bytes on their way
// have arrived: RST overtakes and discards them, and the kernel sends it by
// itself for a socket that is closed with bytes unread.
func (l *loop) end(id int32, s *session, how ending) {
	s.term, s.received = how.term, s.clientBytes()
	for which := range side(2) {
		l.stock.Release(&s.flow[which])
		if !(how.linger && which == how.last) {
			l.closeSide(s, which)
		}
	}
	if how.linger && s.sock[how.last].fd >= 0 {
		s.last, s.abrupt = how.last, how.abrupt
		l.enter(id, s, leaving)
		l.leave(id, s)
		return
	}
	l.finish(id, s)
}

func (l *loop) closeSide(s *session, which side) {
	if fd := l.disown(s, which); fd >= 0 {
		sock.Close(fd)
	}
}

// leave closes the last socket once its peer has everything, or has had time
// enough.
func (l *loop) leave(id int32, s *session) {
	if sock.Unsent(int(s.sock[s.last].fd)) > 0 && l.now < s.since+l.grace(s) {
		return
	}
	if s.abrupt {
		sock.Reset(l.disown(s, s.last))
	}
	l.closeSide(s, s.last)
	l.finish(id, s)
}

func (l *loop) grace(s *session) int64 {
	if s.last == server {
		return serverGrace
	}
	if t := l.listeners[s.line].frontend.client; t > 0 {
		return t
	}
	return clientGrace
}

// finish counts and logs the session and frees its place.
func (l *loop) finish(id int32, s *session) {
	l.clock.wheel.Cancel(id)
	ln := l.listeners[s.line]
	l.log(s, ln)
	in, out := s.received, int64(s.flow[server].Bytes)
	f := ln.frontend
	f.stat.Conns.Close(in, out)
	f.stat.Close(in, out)
	l.engine.stat.Close(in, out)
	if s.backend >= 0 {
		b := l.backendOf(s)
		b.Stat.Close(in, out)
		l.countAborts(s, b)
		if s.server >= 0 {
			l.serverOf(s).Stat.Close(in, out)
		}
	}
	l.sessions.give(id)
	l.dismiss(ln)
}

func (l *loop) countAborts(s *session, b *backend) {
	switch s.term[0] {
	case 'C', 'c':
		b.Stat.ClientAborts.Inc()
	case 'S', 's':
		if s.connected >= 0 {
			b.Stat.ServerAborts.Inc()
		}
	}
}

// log writes the session's line.
func (l *loop) log(s *session, ln *listener) {
	f := ln.frontend
	opt := &f.conf.Log
	if f.route == access.None || opt.Format == conf.LogDefault {
		return
	}
	if opt.DontLogNull && s.received == 0 {
		return
	}
	if opt.DontLogNormal && s.term[0] == '-' && s.tries == 0 {
		return
	}
	r := &l.record
	*r = access.Record{
		Client:       s.clientAddr(),
		Listener:     int32(ln.number),
		Accept:       time.UnixMilli(s.wall),
		Frontend:     f.conf.Name,
		Tw:           int64(s.queued),
		Tc:           -1,
		Tt:           l.now - s.began,
		Bytes:        s.flow[server].Bytes,
		Term:         s.term,
		Act:          int32(l.engine.stat.Cur()),
		Fe:           int32(f.stat.Cur()),
		Retries:      int32(s.tries),
		Redispatched: s.moved,
	}
	if s.connected >= 0 {
		r.Tc = int64(s.connected - s.queued)
	}
	if s.backend >= 0 {
		l.logServer(s, r)
	}
	l.line = l.formatter.AppendTCP(l.line[:0], r)
	l.sink.Send(f.route, access.Info, l.line)
}

func (l *loop) logServer(s *session, r *access.Record) {
	b := l.backendOf(s)
	r.Backend, r.Be = b.Name, int32(b.Stat.Cur())
	if s.server >= 0 {
		srv := b.Servers[s.server]
		r.Server, r.Srv = srv.Name, int32(srv.Stat.Cur())
	}
}
