package session

import (
	"time"

	"sluice/conf"
	"sluice/engine/access"
	"sluice/engine/site"
	"sluice/engine/sock"
)

// logConnect writes a log line when a client is accepted. Only a frontend without a configured
// log format gets this line.
func (v *Visit) logConnect() {
	f := v.Frontend
	if f.Route == access.None || f.Conf.Log.Format != conf.LogDefault {
		return
	}
	var own sock.Addr
	sock.Local(int(v.S.Sock[Client].FD), &own)
	v.Line = access.AppendConnect(v.Line[:0], &access.Connect{
		Client:   v.S.ClientAddr(),
		Local:    own.AddrPort(),
		Listener: int32(v.Listener.Number),
		Frontend: f.Conf.Name,
		Mode:     f.Conf.Mode,
	})
	v.sink.Send(f.Route, access.Info, v.Line)
}

// logs reports whether the session gets a log line at its end.
func (v *Visit) logs() bool {
	return v.Frontend.Route != access.None && v.Frontend.Conf.Log.Format != conf.LogDefault
}

// SendLine formats a log line in the log format of the frontend, and sends the line. normal is
// the result of Normal.
func (l *Loop) SendLine(f *site.Frontend, r *access.HTTPRecord, normal bool) {
	if f.Line.AsksSerial() {
		r.Serial = l.process.serials.Add(1) - 1
	}
	l.Line = l.appendLine(l.Line[:0], f, r)
	l.sink.Send(f.Route, levelOf(&f.Conf.Log, normal), l.Line)
}

func (l *Loop) appendLine(dst []byte, f *site.Frontend, r *access.HTTPRecord) []byte {
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

// Normal reports whether HAProxy 2.6 takes the session, or the request in mode http, as normal (its
// strm_log). A normal one has no line under `option dontlog-normal`, and the level info. The answer
// of a rule is normal, and then a retry does not count. status is that of the answer, 0 in mode tcp.
func (v *Visit) Normal(status int) bool {
	if v.S.Redispatched || status >= 500 {
		return false
	}
	switch v.S.Term[0] {
	case '-':
		return v.S.Tries == 0
	case 'L':
		return true
	}
	return false
}

// levelOf returns the level of a log line: info, or err under `option log-separate-errors` if the
// session is not normal.
func levelOf(opt *conf.Logging, normal bool) access.Level {
	if opt.SeparateErrors && !normal {
		return access.Err
	}
	return access.Info
}

// RecordOf returns the values that all log formats share. Times are in ms; -1: not reached.
func (v *Visit) RecordOf() access.Record {
	r := access.Record{
		Client:       v.S.ClientAddr(),
		Listener:     int32(v.Listener.Number),
		Accept:       time.UnixMilli(v.S.Wall),
		Frontend:     v.Frontend.Conf.Name,
		Tw:           int64(v.S.Queued),
		Tc:           -1,
		Tt:           v.Now() - v.S.Began,
		Term:         v.S.Term,
		Act:          int32(v.process.Stat.Cur()),
		Fe:           int32(v.Frontend.Stat.Cur()),
		Retries:      int32(v.S.Tries),
		Redispatched: v.S.Redispatched,
	}
	if v.S.Connected >= 0 {
		r.Tc = int64(v.S.Connected - v.S.Queued)
	}
	switch {
	case v.Backend != nil:
		v.logServer(&r)
	case v.S.Term[1] == 'R' && v.S.Term[0] != 'P' && v.Frontend.Conf.Mode == conf.TCP:
		r.Backend = v.Frontend.Conf.DefaultBackend // as HAProxy does while no backend is chosen
	}
	return r
}

// AskOwn stores the local addresses of the session's sockets in own, by side. It is called before
// the sockets are closed. The address of a closed socket is the zero Addr.
func AskOwn(s *Session, own *[2]sock.Addr) {
	*own = [2]sock.Addr{}
	for which := range Side(2) {
		if fd := s.Sock[which].FD; fd >= 0 {
			sock.Local(int(fd), &own[which])
		}
	}
}

// TellOwn copies the local addresses, by side, to the log record.
func TellOwn(s *Session, r *access.Record, own *[2]sock.Addr) {
	r.Local = own[Client].AddrPort()
	if s.Server >= 0 {
		r.Source = own[Server].AddrPort()
	}
}

// logServer records the backend, the server and their current sessions. The counts exclude this
// session: HAProxy has released it at that time (measured with 2.6).
func (v *Visit) logServer(r *access.Record) {
	r.Backend, r.Be = v.Backend.Name, int32(v.Backend.Stat.Cur())-1
	if v.S.Server >= 0 {
		srv := v.Server()
		r.Server, r.Srv, r.Target = srv.Name, int32(srv.Stat.Cur()), srv.Target().Addr
		if v.S.Counted {
			r.Srv--
		}
	}
}
