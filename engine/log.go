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

// log writes the session's line. In mode http each exchange has its own.
func (l *loop) log(s *session, ln *listener) {
	f := ln.frontend
	opt := &f.conf.Log
	if f.route == access.None || opt.Format == conf.LogDefault || l.isHTTP(s) {
		return
	}
	normal := s.term[0] == '-' && s.tries == 0
	if opt.DontLogNull && s.received == 0 || opt.DontLogNormal && normal {
		return
	}
	l.record = l.recordOf(s, ln)
	l.record.Bytes = s.flow[server].Bytes
	l.line = l.formatter.AppendTCP(l.line[:0], &l.record)
	l.sink.Send(f.route, levelOf(opt, normal), l.line)
}

// levelOf returns the level of a line: info, or err for what went wrong under
// `option log-separate-errors`.
func levelOf(opt *conf.Logging, normal bool) access.Level {
	if opt.SeparateErrors && !normal {
		return access.Err
	}
	return access.Info
}

// recordOf tells what all lines tell.
func (l *loop) recordOf(s *session, ln *listener) access.Record {
	r := access.Record{
		Client:       s.clientAddr(),
		Listener:     int32(ln.number),
		Accept:       time.UnixMilli(s.wall),
		Frontend:     ln.frontend.conf.Name,
		Tw:           int64(s.queued),
		Tc:           -1,
		Tt:           l.now - s.began,
		Term:         s.term,
		Act:          int32(l.engine.stat.Cur()),
		Fe:           int32(ln.frontend.stat.Cur()),
		Retries:      int32(s.tries),
		Redispatched: s.moved,
	}
	if s.connected >= 0 {
		r.Tc = int64(s.connected - s.queued)
	}
	switch {
	case s.backend >= 0:
		l.logServer(s, &r)
	case s.term[1] == 'R' && s.term[0] != 'P' && ln.frontend.conf.Mode == conf.TCP:
		r.Backend = ln.frontend.conf.DefaultBackend // HAProxy's word for "not decided"
	}
	return r
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
