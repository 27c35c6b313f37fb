package engine

import "bytes"

// mostRepeated is the longest request, head and body, of which a copy is held
// until the first byte of its answer.
const mostRepeated = 16 << 10

// mayRepeat lists all that must be true for a request to be sent once more, on a
// new connection: it went out on a connection that had served another, which the
// server may have closed just then (RFC 9112 9.3.1); no byte of an answer has
// come; all of it that was sent is still held, as only that of an idempotent
// method is (RFC 9110 9.2.2); and it was not resent before.
func (l *loop) mayRepeat(s *session, x *exchange) bool {
	return x.has(reused) && !x.has(heard) && !x.has(resent) && x.sent.Pending() > 0
}

// repeat sends the request once more, to a server that is chosen anew.
func (l *loop) repeat(id int32, s *session, x *exchange) {
	x.marks = x.marks&^reused | resent
	l.head = append(l.head[:0], l.stock.Held(&x.sent)...)
	l.stock.Release(&x.sent)
	l.countRetry(s)
	l.unassign(s, 0, 0)
	l.dropServer(id, s, x)
	s.flow[client].Bytes = x.before[client] // the first server has got none of it
	s.tries++
	s.queued, s.connected = -1, -1
	l.choose(id, s, nil, l.head)
}

// copySent holds a copy of the first bytes of a request on a kept connection.
func (l *loop) copySent(x *exchange, head []byte) {
	if idempotent(head) && len(head) <= mostRepeated && l.stock.Room(&x.sent, len(head)) {
		l.stock.Hold(&x.sent, head)
	}
}

// copyMore adds what follows them, while there is a copy. A request that gets
// too long is not resent.
func (l *loop) copyMore(x *exchange, b []byte) {
	switch n := x.sent.Pending(); {
	case n == 0:
	case n+len(b) <= mostRepeated && l.stock.Room(&x.sent, n+len(b)):
		l.stock.Hold(&x.sent, b)
	default:
		l.stock.Release(&x.sent)
	}
}

// idempotent tells by a head's first word whether the request may be sent twice.
func idempotent(head []byte) bool {
	method, _, _ := bytes.Cut(head, []byte(" "))
	switch string(method) {
	case "GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE":
		return true
	}
	return false
}
