package engine

import "bytes"

// mayRepeat lists all conditions under which a request is sent again on a new connection:
//   - It was sent on a connection that had served another request. The server may have closed
//     that connection at this moment (RFC 9112 9.3.1).
//   - No byte of an answer has come.
//   - It was not resent before.
//   - A copy of all bytes sent is held. Only requests with an idempotent method are copied
//     (RFC 9110 9.2.2).
func (l *loop) mayRepeat(s *session, x *exchange) bool {
	return x.has(reused) && !x.has(heard) && !x.has(resent) && x.sent.Pending() > 0
}

// repeat sends the request again, to a server that is chosen again.
func (l *loop) repeat(id int32, s *session, x *exchange) {
	x.marks = x.marks&^reused | resent
	l.head = append(l.head[:0], l.stock.Held(&x.sent)...)
	l.stock.Release(&x.sent)
	l.countRetry(s)
	l.unassign(s, 0, 0)
	l.dropServer(id, s, x)
	s.flow[client].Bytes = x.before[client] // the bytes sent to the first server do not count
	s.tries++
	s.queued, s.connected = -1, -1
	l.choose(id, s, nil, l.head)
}

// copySent holds a copy of the first bytes of a request that uses the idle connection.
func (l *loop) copySent(x *exchange, head []byte) {
	if idempotent(head) && len(head) <= l.sizes.Repeat && l.stock.Room(&x.sent, len(head)) {
		l.stock.Hold(&x.sent, head)
	}
}

// copyMore adds further bytes of the request to the copy. It drops the copy if the request
// becomes too long, so that this request is never resent.
func (l *loop) copyMore(x *exchange, b []byte) {
	switch n := x.sent.Pending(); {
	case n == 0:
	case n+len(b) <= l.sizes.Repeat && l.stock.Room(&x.sent, n+len(b)):
		l.stock.Hold(&x.sent, b)
	default:
		l.stock.Release(&x.sent)
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
