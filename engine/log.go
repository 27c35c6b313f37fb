package engine

import (
	"time"

	"sluice/conf"
	"sluice/engine/access"
	"sluice/engine/sock"
)

// logConnect writes the line of a frontend that asks for no other: who came,
// at accept.
func (l *loop) logConnect(s *session, ln *listener) {
	f := ln.frontend
	if f.route == access.None || f.conf.Log.Format != conf.LogDefault {
		return
	}
	var own sock.Addr
	sock.Local(int(s.sock[client].fd), &own)
	l.line = access.AppendConnect(l.line[:0], &access.Connect{
		Client:   s.clientAddr(),
		Local:    own.AddrPort(),
		Listener: int32(ln.number),
		Frontend: f.conf.Name,
		Mode:     f.conf.Mode,
	})
	l.sink.Send(f.route, access.Info, l.line)
}

// log writes the session's line.
func (l *loop) log(s *session, ln *listener) {
	f := ln.frontend
	opt := &f.conf.Log
	if f.route == access.None || opt.Format == conf.LogDefault || l.isHTTP(s) {
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
	switch {
	case s.backend >= 0:
		l.logServer(s, r)
	case s.term[1] == 'R' && s.term[0] != 'P':
		r.Backend = f.conf.DefaultBackend // HAProxy's word for "not decided"
	}
	l.line = l.formatter.AppendTCP(l.line[:0], r)
	l.sink.Send(f.route, access.Info, l.line)
}

// logServer tells backend and server. Their counts are without this session, as
// in HAProxy, which has released it by then (measured with 2.6).
func (l *loop) logServer(s *session, r *access.Record) {
	b := l.backendOf(s)
	r.Backend, r.Be = b.Name, int32(b.Stat.Cur())-1
	if s.server >= 0 {
		srv := b.Servers[s.server]
		r.Server, r.Srv = srv.Name, int32(srv.Stat.Cur())
		if s.counted {
			r.Srv--
		}
	}
}
