package engine

import (
	"time"

	"sluice/conf"
	"sluice/engine/access"
	"sluice/engine/site"
	"sluice/engine/sock"
)

// logConnect writes a log line when a client is accepted. Only a frontend without a configured
// log format gets this line.
func (v *visit) logConnect() {
	f := v.f
	if f.Route == access.None || f.Conf.Log.Format != conf.LogDefault {
		return
	}
	var own sock.Addr
	sock.Local(int(v.s.sock[client].fd), &own)
	v.line = access.AppendConnect(v.line[:0], &access.Connect{
		Client:   v.s.clientAddr(),
		Local:    own.AddrPort(),
		Listener: int32(v.ln.number),
		Frontend: f.Conf.Name,
		Mode:     f.Conf.Mode,
	})
	v.sink.Send(f.Route, access.Info, v.line)
}

// logs reports whether the session gets a log line at its end.
func (v *visit) logs() bool {
	return v.f.Route != access.None && v.f.Conf.Log.Format != conf.LogDefault
}

// sendLine formats a log line as the frontend is configured, and sends it. normal means that
// the session had no error.
func (l *loop) sendLine(f *site.Frontend, r *access.HTTPRecord, normal bool) {
	if f.Line.AsksSerial() {
		r.Serial = l.process.serials.Add(1) - 1
	}
	l.line = l.appendLine(l.line[:0], f, r)
	l.sink.Send(f.Route, levelOf(&f.Conf.Log, normal), l.line)
}

func (l *loop) appendLine(dst []byte, f *site.Frontend, r *access.HTTPRecord) []byte {
	switch f.Conf.Log.Format {
	case conf.LogCustom:
		return l.formatter.AppendCustom(dst, f.Line, r)
	case conf.LogJSON:
		return l.formatter.AppendJSON(dst, f.Conf.Mode, r)
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
func (v *visit) recordOf() access.Record {
	r := access.Record{
		Client:       v.s.clientAddr(),
		Listener:     int32(v.ln.number),
		Accept:       time.UnixMilli(v.s.wall),
		Frontend:     v.f.Conf.Name,
		Tw:           int64(v.s.queued),
		Tc:           -1,
		Tt:           v.now() - v.s.began,
		Term:         v.s.term,
		Act:          int32(v.process.stat.Cur()),
		Fe:           int32(v.f.Stat.Cur()),
		Retries:      int32(v.s.tries),
		Redispatched: v.s.redispatched,
	}
	if v.s.connected >= 0 {
		r.Tc = int64(v.s.connected - v.s.queued)
	}
	switch {
	case v.b != nil:
		v.logServer(&r)
	case v.s.term[1] == 'R' && v.s.term[0] != 'P' && v.f.Conf.Mode == conf.TCP:
		r.Backend = v.f.Conf.DefaultBackend // as HAProxy does while no backend is chosen
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
func (v *visit) logServer(r *access.Record) {
	r.Backend, r.Be = v.b.Name, int32(v.b.Stat.Cur())-1
	if v.s.server >= 0 {
		srv := v.srv()
		r.Server, r.Srv, r.Target = srv.Name, int32(srv.Stat.Cur()), srv.Target().Addr
		if v.s.counted {
			r.Srv--
		}
	}
}
