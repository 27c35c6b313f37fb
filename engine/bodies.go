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
func (v *visit) moveBody(from side) (moved, sock.Errno) {
	f, body := &v.s.flow[from], v.x.body(from)
	limit := f.Bytes + uint64(v.sizes.Share)
	for {
		before := f.Bytes
		if e := v.stock.Flush(f, int(v.s.sock[from.other()].fd)); e != 0 {
			return unwanted, e
		}
		if f.Bytes != before {
			v.touch(from)
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
			v.yield(from)
			return waits, 0
		case body.Free() >= int64(v.sizes.Pump) && v.x.ahead[from].Pending() == 0:
			how, e, stop = v.pumpBody(from)
		default:
			how, e, stop = v.passFraming(from)
		}
		if stop {
			return how, e
		}
	}
}

// passFraming parses bytes of a body and writes to the target those that belong to it. Bytes
// after the body, and bytes that the target does not accept, stay where they were. stop means
// that moveBody must return how.
func (v *visit) passFraming(from side) (how moved, e sock.Errno, stop bool) {
	f, body, keep := &v.s.flow[from], v.x.body(from), &v.x.ahead[from]
	src, dst := int(v.s.sock[from].fd), int(v.s.sock[from.other()].fd)
	if !f.Has(relay.TargetReady) {
		return waits, 0, true
	}
	view, e := v.stock.Look(f, keep, src, false)
	switch {
	case e != 0:
		return cutOff, e, true
	case len(view.Bytes) == 0 && f.Has(relay.SourceEnded):
		return v.bodyEnded(from), 0, true
	case len(view.Bytes) == 0:
		return waits, 0, true
	}
	next := *body
	n := next.Take(view.Bytes)
	written, e := 0, sock.Errno(0)
	if n > 0 {
		written, e = v.stock.Send(f, dst, view.Bytes[:n])
	}
	if written == n {
		*body = next
	} else {
		body.Take(view.Bytes[:written])
	}
	if from == client {
		v.copyMore(view.Bytes[:written])
	}
	v.touch(from)
	broke := v.stock.Take(f, keep, src, view, written)
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
func (v *visit) pumpBody(from side) (how moved, e sock.Errno, stop bool) {
	f, body := &v.s.flow[from], v.x.body(from)
	before := f.Bytes
	n, out, e := v.stock.PumpUpTo(f, int(v.s.sock[from].fd), int(v.s.sock[from.other()].fd), v.sizes.Share, body.Free())
	body.Moved(n)
	if n > 0 && from == client {
		v.stock.Release(&v.x.sent)
	}
	if n > 0 || f.Bytes != before {
		v.touch(from)
	}
	switch out {
	case relay.Wait:
		return waits, 0, true
	case relay.Again:
		v.yield(from)
		return waits, 0, true
	case relay.Ended:
		return v.bodyEnded(from), 0, true
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
func (v *visit) bodyEnded(from side) moved {
	reset := v.s.sock[from].has(broken) && !v.saidAll(from)
	if !reset && v.x.body(from).Ended() {
		return completed
	}
	return cutOff
}

// touch records that bytes from one side have moved, for the timeouts of both sides.
func (v *visit) touch(from side) {
	v.s.sock[client].seen, v.s.sock[server].seen = v.now, v.now
	v.s.asked = from == client
}
