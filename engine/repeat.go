package engine

import "bytes"

// mayRepeat lists all conditions under which a request is sent again on a new connection:
//   - It was sent on a connection that had served another request. The server may have closed
//     that connection at this moment (RFC 9112 9.3.1).
//   - No byte of an answer has come.
//   - It was not resent before.
//   - A copy of all bytes sent is held. Only requests with an idempotent method are copied
//     (RFC 9110 9.2.2).
func (v *visit) mayRepeat() bool {
	return v.x.has(reused) && !v.x.has(heard) && !v.x.has(resent) && v.x.sent.Pending() > 0
}

// repeat sends the request again, to a server that is chosen again.
func (v *visit) repeat() {
	v.x.marks = v.x.marks&^reused | resent
	v.head = append(v.head[:0], v.stock.Held(&v.x.sent)...)
	v.stock.Release(&v.x.sent)
	v.countRetry()
	v.unassign(0, 0)
	v.dropServer()
	v.s.flow[client].Bytes = v.x.before[client] // the bytes sent to the first server do not count
	v.s.tries++
	v.s.queued, v.s.connected = -1, -1
	v.choose(nil, v.head)
}

// copySent holds a copy of the first bytes of a request that uses the idle connection.
func (v *visit) copySent(head []byte) {
	if idempotent(head) && len(head) <= v.sizes.Repeat && v.stock.Room(&v.x.sent, len(head)) {
		v.stock.Hold(&v.x.sent, head)
	}
}

// copyMore adds further bytes of the request to the copy. It drops the copy if the request
// becomes too long, so that this request is never resent.
func (v *visit) copyMore(b []byte) {
	switch n := v.x.sent.Pending(); {
	case n == 0:
	case n+len(b) <= v.sizes.Repeat && v.stock.Room(&v.x.sent, n+len(b)):
		v.stock.Hold(&v.x.sent, b)
	default:
		v.stock.Release(&v.x.sent)
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
