package engine

import (
	"sluice/engine/relay"
	"sluice/engine/sock"
)

// worthPumping is how many bytes without framing must follow for them to be
// moved by their number; fewer are read and looked at together with what
// frames them.
const worthPumping = relay.BufferSize / 4

// moved says how moving a body went on.
type moved uint8

const (
	waits     moved = iota // for an event
	completed              // all of the message is written
	cutOff                 // the source ended or failed in the middle
	unwanted               // the target takes no more
	malformed              // the framing can't be followed
)

// moveBody moves the body that comes from one side.
func (l *loop) moveBody(id int32, s *session, x *exchange, from side) (moved, sock.Errno) {
	f, body := &s.flow[from], x.body(from)
	src, dst := int(s.sock[from].fd), int(s.sock[from.other()].fd)
	limit := f.Bytes + share
	for {
		if e := l.stock.Flush(f, dst); e != 0 {
			return unwanted, e
		}
		switch {
		case f.Pending() > 0:
			return waits, 0
		case body.Broken():
			return malformed, 0
		case body.Done():
			return completed, 0
		case f.Bytes >= limit:
			l.again(id, s, from)
			return waits, 0
		case body.Free() >= worthPumping && x.ahead[from].Pending() == 0:
			if how, e, stop := l.pumpBody(id, s, x, from); stop {
				return how, e
			}
			continue
		}
		b := l.stock.Held(&x.ahead[from])
		kept := len(b) > 0
		if !kept {
			var e sock.Errno
			if !f.Has(relay.SourceReady) && !f.Has(relay.SourceEnded) || !f.Has(relay.TargetReady) {
				return waits, 0
			}
			if !f.Has(relay.SourceEnded) {
				b, e = l.stock.Read(f, src)
			}
			if e != 0 {
				return cutOff, e
			}
			if len(b) == 0 {
				if f.Has(relay.SourceEnded) {
					return l.bodyEnded(s, x, from), 0
				}
				return waits, 0
			}
		}
		if e := l.passFraming(s, x, from, b, kept, dst); e != 0 {
			return unwanted, e
		}
	}
}

// passFraming looks over bytes of a body and passes on those that belong to
// it; what follows is kept for later.
func (l *loop) passFraming(s *session, x *exchange, from side, b []byte, kept bool, dst int) sock.Errno {
	n := x.body(from).Take(b)
	l.touch(s, from)
	var e sock.Errno
	if n > 0 {
		e = l.stock.Push(&s.flow[from], dst, b[:n])
	}
	if kept {
		l.stock.Consume(&x.ahead[from], n)
	} else {
		l.stock.Hold(&x.ahead[from], b[n:])
	}
	return e
}

// pumpBody moves bytes that need no looking at: a body of known length, or the
// data of a large chunk. stop says that nothing can go on now.
func (l *loop) pumpBody(id int32, s *session, x *exchange, from side) (how moved, e sock.Errno, stop bool) {
	f, body := &s.flow[from], x.body(from)
	before := f.Bytes
	n, out, e := l.stock.PumpUpTo(f, int(s.sock[from].fd), int(s.sock[from.other()].fd), share, body.Free())
	body.Moved(n)
	if n > 0 || f.Bytes != before {
		l.touch(s, from)
	}
	switch out {
	case relay.Wait:
		return waits, 0, true
	case relay.Again:
		l.again(id, s, from)
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

// bodyEnded is called when the source has no more bytes, which is how some
// answers end.
func (l *loop) bodyEnded(s *session, x *exchange, from side) moved {
	if x.body(from).Ended() {
		return completed
	}
	return cutOff
}

func (l *loop) touch(s *session, from side) {
	s.sock[client].seen, s.sock[server].seen = l.now, l.now
	s.asked = from == client
}
