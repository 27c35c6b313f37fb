package exchange

import (
	"bytes"
)

// repeat sends the copy of the request again, on a new connection. The server is chosen again.
func (m *modeHTTP) repeat() {
	m.x.marks = m.x.marks&^reused | resent
	m.head = append(m.head[:0], m.Stock.Held(&m.x.sent)...)
	m.Stock.Release(&m.x.sent)
	m.CountRetry()
	m.Unassign(0, 0)
	m.dropServer()
	m.S.Flow[client].Bytes = m.x.before[client] // the bytes sent to the first server do not count
	m.S.Tries++
	m.S.Queued, m.S.Connected = -1, -1
	m.Choose(nil, m.head)
}

// copySent holds a copy of the head, and of the body bytes after it, of a request that uses the
// idle connection. It holds none if the method is not idempotent, the request exceeds Sizes.Repeat,
// or the memory budget is used up.
func (m *modeHTTP) copySent(head []byte) {
	if idempotent(head) && len(head) <= m.Sizes.Repeat && m.Stock.Room(&m.x.sent, len(head)) {
		m.Stock.Hold(&m.x.sent, head)
	}
}

// copyMore adds further bytes of the request to the copy, if there is a copy. It drops the copy if
// the request becomes too long or the memory budget is used up. Such a request is never sent again.
func (m *modeHTTP) copyMore(b []byte) {
	switch n := m.x.sent.Pending(); {
	case n == 0:
	case n+len(b) <= m.Sizes.Repeat && m.Stock.Room(&m.x.sent, n+len(b)):
		m.Stock.Hold(&m.x.sent, b)
	default:
		m.Stock.Release(&m.x.sent)
	}
}

// idempotent reports whether the head has an idempotent method (RFC 9110 9.2.2), so that the
// request may be sent twice.
func idempotent(head []byte) bool {
	method, _, _ := bytes.Cut(head, []byte(" "))
	switch string(method) {
	case "GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE":
		return true
	}
	return false
}
