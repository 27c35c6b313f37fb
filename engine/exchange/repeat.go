package exchange

import (
	"bytes"
)

// repeat sends the request again, to a server that is chosen again.
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

// copySent holds a copy of the first bytes of a request that uses the idle connection.
func (m *modeHTTP) copySent(head []byte) {
	if idempotent(head) && len(head) <= m.Sizes.Repeat && m.Stock.Room(&m.x.sent, len(head)) {
		m.Stock.Hold(&m.x.sent, head)
	}
}

// copyMore adds further bytes of the request to the copy. It drops the copy if the request
// becomes too long, so that this request is never resent.
func (m *modeHTTP) copyMore(b []byte) {
	switch n := m.x.sent.Pending(); {
	case n == 0:
	case n+len(b) <= m.Sizes.Repeat && m.Stock.Room(&m.x.sent, n+len(b)):
		m.Stock.Hold(&m.x.sent, b)
	default:
		m.Stock.Release(&m.x.sent)
	}
}

// idempotent reports whether the method of the head allows the request to be sent twice.
func idempotent(head []byte) bool {
	method, _, _ := bytes.Cut(head, []byte(" "))
	switch string(method) {
	case "GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE":
		return true
	}
	return false
}
