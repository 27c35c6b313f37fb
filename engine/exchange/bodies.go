package exchange

import (
	"sluice/engine/relay"
	"sluice/engine/session"
	"sluice/engine/sock"
)

// bodyResult is the result of a step of moving a body.
type bodyResult uint8

const (
	bodyGoesOn    bodyResult = iota // bytes were moved, and the next step may move more
	bodyWaits                       // nothing more can be done before the next event or turn
	bodyWritten                     // the whole message is written
	bodyCutOff                      // the source ended or failed within the message
	bodyUnwanted                    // writing to the target failed
	bodyMalformed                   // the framing is invalid
)

// moveBody moves the body that comes from one side, at most Sizes.Share bytes in a turn. The error
// is the one of the failed call, for bodyCutOff and bodyUnwanted; 0 if no call failed.
func (m *modeHTTP) moveBody(from side) (bodyResult, sock.Errno) {
	f, body := &m.S.Flow[from], m.x.body(from)
	limit := f.Bytes + uint64(m.Sizes.Share)
	for {
		before := f.Bytes
		if e := m.Stock.Flush(f, int(m.S.Sock[from.Other()].FD)); e != 0 {
			return bodyUnwanted, e
		}
		if f.Bytes != before {
			m.Touch(from)
		}
		var how bodyResult
		var e sock.Errno
		switch {
		case f.Pending() > 0:
			return bodyWaits, 0
		case body.Broken():
			return bodyMalformed, 0
		case body.Done():
			return bodyWritten, 0
		case f.Bytes >= limit:
			m.Yield(from)
			return bodyWaits, 0
		case body.Free() >= int64(m.Sizes.Pump) && m.x.ahead[from].Pending() == 0:
			how, e = m.pumpBody(from)
		default:
			how, e = m.passFraming(from)
		}
		if how != bodyGoesOn {
			return how, e
		}
	}
}

// passFraming parses bytes of a body and writes the bytes that belong to the body to the target.
// Bytes after the body, and bytes that the target does not accept, stay in the socket or in ahead.
func (m *modeHTTP) passFraming(from side) (bodyResult, sock.Errno) {
	f, body, keep := &m.S.Flow[from], m.x.body(from), &m.x.ahead[from]
	src, dst := int(m.S.Sock[from].FD), int(m.S.Sock[from.Other()].FD)
	if !f.Has(relay.TargetReady) {
		return bodyWaits, 0
	}
	view, e := m.Stock.Look(f, keep, src, false)
	switch {
	case e != 0:
		return bodyCutOff, e
	case len(view.Bytes) == 0 && f.Has(relay.SourceEnded):
		return m.bodyEnded(from), 0
	case len(view.Bytes) == 0:
		return bodyWaits, 0
	}
	next := *body
	n := next.Take(view.Bytes)
	written, e := 0, sock.Errno(0)
	if n > 0 {
		written, e = m.Stock.Send(f, dst, view.Bytes[:n])
	}
	if written == n {
		*body = next
	} else {
		body.Take(view.Bytes[:written])
	}
	if from == client {
		m.copyMore(view.Bytes[:written])
	}
	m.Touch(from)
	broke := m.Stock.Take(f, keep, src, view, written)
	switch {
	case e != 0:
		return bodyUnwanted, e
	case broke != 0:
		return bodyCutOff, broke
	}
	return bodyGoesOn, 0
}

// pumpBody moves bytes that need no parsing: a body of known length, or the data of a large
// chunk.
func (m *modeHTTP) pumpBody(from side) (bodyResult, sock.Errno) {
	f, body := &m.S.Flow[from], m.x.body(from)
	before := f.Bytes
	n, out, e := m.Stock.PumpUpTo(f, int(m.S.Sock[from].FD), int(m.S.Sock[from.Other()].FD), m.Sizes.Share, body.Free())
	body.Moved(n)
	if n > 0 && from == client {
		m.Stock.Release(&m.x.sent)
	}
	if n > 0 || f.Bytes != before {
		m.Touch(from)
	}
	switch out {
	case relay.Wait:
		return bodyWaits, 0
	case relay.Again:
		m.Yield(from)
		return bodyWaits, 0
	case relay.Ended:
		return m.bodyEnded(from), 0
	case relay.SourceFailed:
		return bodyCutOff, e
	case relay.TargetFailed:
		return bodyUnwanted, e
	}
	return bodyGoesOn, 0
}

// bodyEnded is called when a read has reached the end of the source. This is the regular end of a
// body without a length, provided that FIN has come. After a reset, a read also returns the end if
// another call has consumed the error. Then the body is cut off.
func (m *modeHTTP) bodyEnded(from side) bodyResult {
	reset := m.S.Sock[from].Has(session.Broken) && !m.SaidAll(from)
	if !reset && m.x.body(from).Ended() {
		return bodyWritten
	}
	return bodyCutOff
}
