package engine

import (
	"time"

	"sluice/conf"
	"sluice/engine/access"
	"sluice/engine/sock"
)

// logConnect writes a log line when a client is accepted. Only a frontend without a configured
// log format gets this line.
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

// log writes the log line of a session in mode tcp. In mode http, each exchange has its own
// line.
func (l *loop) log(id int32, s *session, ln *listener) {
	f := ln.frontend
	opt := &f.conf.Log
	if f.route == access.None || opt.Format == conf.LogDefault || l.isHTTP(s) {
		return
	}
	normal := s.term[0] == '-' && s.tries == 0
	if opt.DontLogNull && s.received == 0 || opt.DontLogNormal && normal {
		return
	}
	r := &l.record
	r.Record = l.recordOf(s, ln)
	r.Bytes, r.Uploaded = s.flow[server].Bytes, uint64(s.received)
	if f.line.AsksAddresses() {
		tellOwn(s, &r.Record, l.own.at(id))
	}
	l.sendLine(f, r, normal)
}

// sendLine formats a log line as the frontend is configured, and sends it. normal means that
// the session had no error.
func (l *loop) sendLine(f *frontend, r *access.HTTPRecord, normal bool) {
	if f.line.AsksSerial() {
		r.Serial = l.engine.serials.Add(1) - 1
	}
	l.line = l.appendLine(l.line[:0], f, r)
	l.sink.Send(f.route, levelOf(&f.conf.Log, normal), l.line)
}

func (l *loop) appendLine(dst []byte, f *frontend, r *access.HTTPRecord) []byte {
	switch f.conf.Log.Format {
	case conf.LogCustom:
		return l.formatter.AppendCustom(dst, f.line, r)
	case conf.LogJSON:
		return l.formatter.AppendJSON(dst, f.conf.Mode, r)
	case conf.LogHTTP:
		return l.formatter.AppendHTTP(dst, r)
	}
	whole := r.Overall()
	return l.formatter.AppendTCP(dst, &whole)
}

// levelOf returns the level of a log line: info, or err for a failed session under `option
// log-separate-errors`.
func levelOf(opt *conf.Logging, normal bool) access.Level {
	if opt.SeparateErrors && !normal {
		return access.Err
	}
	return access.Info
}

// recordOf returns the values that all log formats share.
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
		Redispatched: s.redispatched,
	}
	if s.connected >= 0 {
		r.Tc = int64(s.connected - s.queued)
	}
	switch {
	case s.backend >= 0:
		l.logServer(s, &r)
	case s.term[1] == 'R' && s.term[0] != 'P' && ln.frontend.conf.Mode == conf.TCP:
		r.Backend = ln.frontend.conf.DefaultBackend // as HAProxy does while no backend is chosen
	}
	return r
}

// askOwn stores the local addresses of the session's sockets, by side. The address of a closed
// socket remains invalid.
func askOwn(s *session, own *[2]sock.Addr) {
	*own = [2]sock.Addr{}
	for which := range side(2) {
		if fd := s.sock[which].fd; fd >= 0 {
			sock.Local(int(fd), &own[which])
		}
	}
}

// tellOwn copies the local addresses to the log record.
func tellOwn(s *session, r *access.Record, own *[2]sock.Addr) {
	r.Local = own[client].AddrPort()
	if s.server >= 0 {
		r.Source = own[server].AddrPort()
	}
}

// logServer records the backend, the server and their current sessions. The counts exclude this
// session: HAProxy has released it at that time (measured with 2.6).
func (l *loop) logServer(s *session, r *access.Record) {
	b := l.backendOf(s)
	r.Backend, r.Be = b.Name, int32(b.Stat.Cur())-1
	if s.server >= 0 {
		srv := b.Servers[s.server]
		r.Server, r.Srv, r.Target = srv.Name, int32(srv.Stat.Cur()), srv.Addr
		if s.counted {
			r.Srv--
		}
	}
}
