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
func (m *modeHTTP) moveBody(from side) (moved, sock.Errno) {
	f, body := &m.s.flow[from], m.x.body(from)
	limit := f.Bytes + uint64(m.sizes.Share)
	for {
		before := f.Bytes
		if e := m.stock.Flush(f, int(m.s.sock[from.other()].fd)); e != 0 {
			return unwanted, e
		}
		if f.Bytes != before {
			m.touch(from)
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
			m.yield(from)
			return waits, 0
		case body.Free() >= int64(m.sizes.Pump) && m.x.ahead[from].Pending() == 0:
			how, e, stop = m.pumpBody(from)
		default:
			how, e, stop = m.passFraming(from)
		}
		if stop {
			return how, e
		}
	}
}

// passFraming parses bytes of a body and writes to the target those that belong to it. Bytes
// after the body, and bytes that the target does not accept, stay where they were. stop means
// that moveBody must return how.
func (m *modeHTTP) passFraming(from side) (how moved, e sock.Errno, stop bool) {
	f, body, keep := &m.s.flow[from], m.x.body(from), &m.x.ahead[from]
	src, dst := int(m.s.sock[from].fd), int(m.s.sock[from.other()].fd)
	if !f.Has(relay.TargetReady) {
		return waits, 0, true
	}
	view, e := m.stock.Look(f, keep, src, false)
	switch {
	case e != 0:
		return cutOff, e, true
	case len(view.Bytes) == 0 && f.Has(relay.SourceEnded):
		return m.bodyEnded(from), 0, true
	case len(view.Bytes) == 0:
		return waits, 0, true
	}
	next := *body
	n := next.Take(view.Bytes)
	written, e := 0, sock.Errno(0)
	if n > 0 {
		written, e = m.stock.Send(f, dst, view.Bytes[:n])
	}
	if written == n {
		*body = next
	} else {
		body.Take(view.Bytes[:written])
	}
	if from == client {
		m.copyMore(view.Bytes[:written])
	}
	m.touch(from)
	broke := m.stock.Take(f, keep, src, view, written)
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
func (m *modeHTTP) pumpBody(from side) (how moved, e sock.Errno, stop bool) {
	f, body := &m.s.flow[from], m.x.body(from)
	before := f.Bytes
	n, out, e := m.stock.PumpUpTo(f, int(m.s.sock[from].fd), int(m.s.sock[from.other()].fd), m.sizes.Share, body.Free())
	body.Moved(n)
	if n > 0 && from == client {
		m.stock.Release(&m.x.sent)
	}
	if n > 0 || f.Bytes != before {
		m.touch(from)
	}
	switch out {
	case relay.Wait:
		return waits, 0, true
	case relay.Again:
		m.yield(from)
		return waits, 0, true
	case relay.Ended:
		return m.bodyEnded(from), 0, true
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
func (m *modeHTTP) bodyEnded(from side) moved {
	reset := m.s.sock[from].has(broken) && !m.saidAll(from)
	if !reset && m.x.body(from).Ended() {
		return completed
	}
	return cutOff
}
