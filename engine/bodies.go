package engine

import (
	"sluice/engine/relay"
	"sluice/engine/sock"
)

// moved is the result of moving a body.
type moved uint8

const (
	waits     moved = iota // nothing more can be done before the next event or turn
	completed              // the whole message is written
	cutOff                 // the source ended or failed within the message
	unwanted               // the target failed
	malformed              // the framing is invalid
)

// moveBody moves the body that comes from one side, at most one share in a turn.
func (l *loop) moveBody(id int32, s *session, x *exchange, from side) (moved, sock.Errno) {
	f, body := &s.flow[from], x.body(from)
	limit := f.Bytes + uint64(l.sizes.Share)
	for {
		before := f.Bytes
		if e := l.stock.Flush(f, int(s.sock[from.other()].fd)); e != 0 {
			return unwanted, e
		}
		if f.Bytes != before {
			l.touch(s, from)
		}
		var how moved
		var e sock.Errno
		var stop bool
		switch {
		case f.Pending() > 0:
			return waits, 0
		case body.Broken():
			return malformed, 0
		case body.Done():
			return completed, 0
		case f.Bytes >= limit:
			l.yield(id, s, from)
			return waits, 0
		case body.Free() >= int64(l.sizes.Pump) && x.ahead[from].Pending() == 0:
			how, e, stop = l.pumpBody(id, s, x, from)
		default:
			how, e, stop = l.passFraming(s, x, from)
		}
		if stop {
			return how, e
		}
	}
}

// passFraming parses bytes of a body and writes to the target those that belong to it. Bytes
// after the body, and bytes that the target does not accept, stay where they were. stop means
// that moveBody must return how.
func (l *loop) passFraming(s *session, x *exchange, from side) (how moved, e sock.Errno, stop bool) {
	f, body, keep := &s.flow[from], x.body(from), &x.ahead[from]
	src, dst := int(s.sock[from].fd), int(s.sock[from.other()].fd)
	if !f.Has(relay.TargetReady) {
		return waits, 0, true
	}
	v, e := l.stock.Look(f, keep, src, false)
	switch {
	case e != 0:
		return cutOff, e, true
	case len(v.Bytes) == 0 && f.Has(relay.SourceEnded):
		return l.bodyEnded(s, x, from), 0, true
	case len(v.Bytes) == 0:
		return waits, 0, true
	}
	next := *body
	n := next.Take(v.Bytes)
	written, e := 0, sock.Errno(0)
	if n > 0 {
		written, e = l.stock.Send(f, dst, v.Bytes[:n])
	}
	if written == n {
		*body = next
	} else {
		body.Take(v.Bytes[:written])
	}
	if from == client {
		l.copyMore(x, v.Bytes[:written])
	}
	l.touch(s, from)
	broke := l.stock.Take(f, keep, src, v, written)
	switch {
	case e != 0:
		return unwanted, e, true
	case broke != 0:
		return cutOff, broke, true
	}
	return waits, 0, false
}

// pumpBody moves bytes that need no parsing: a body of known length, or the data of a large
// chunk. stop means that moveBody must return how.
func (l *loop) pumpBody(id int32, s *session, x *exchange, from side) (how moved, e sock.Errno, stop bool) {
	f, body := &s.flow[from], x.body(from)
	before := f.Bytes
	n, out, e := l.stock.PumpUpTo(f, int(s.sock[from].fd), int(s.sock[from.other()].fd), l.sizes.Share, body.Free())
	body.Moved(n)
	if n > 0 && from == client {
		l.stock.Release(&x.sent)
	}
	if n > 0 || f.Bytes != before {
		l.touch(s, from)
	}
	switch out {
	case relay.Wait:
		return waits, 0, true
	case relay.Again:
		l.yield(id, s, from)
		return waits, 0, true
	case relay.Ended:
		return l.bodyEnded(s, x, from), 0, true
	case relay.SourceFailed:
		return cutOff, e, true
	case relay.TargetFailed:
		return unwanted, e, true
	}
	return completed, 0, false
}

// bodyEnded is called when a read has reached the end of the source. This is the regular end of a
// body without a length, provided that FIN has come: after a reset, a read returns the end, too, if
// another call has taken the error.
func (l *loop) bodyEnded(s *session, x *exchange, from side) moved {
	reset := s.sock[from].has(broken) && !l.saidAll(s, from)
	if !reset && x.body(from).Ended() {
		return completed
	}
	return cutOff
}

// touch records that bytes from one side have moved, for the timeouts of both sides.
func (l *loop) touch(s *session, from side) {
	s.sock[client].seen, s.sock[server].seen = l.now, l.now
	s.asked = from == client
}
