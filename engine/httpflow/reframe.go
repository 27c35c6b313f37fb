package httpflow

import "sluice/conf"

// The functions of this file implement rules that change the method of a request or the status of
// an answer. Both determine whether the answer has a body (RFC 9112 6.3).

// SetMethod implements `http-request set-method`. It does nothing if the client could not find the
// end of the answer afterwards: CONNECT begins a tunnel, and the answer to HEAD announces a body
// that does not follow. The reverse is possible: the client of a HEAD gets only the head of the
// answer to another method. The server's connection is closed, because the body may remain on it.
func (x *Exchange) SetMethod(w *Rewrite, method []byte) {
	m := methods[string(method)]
	if x.has(connect) || m == connect || m == head && !x.has(head) {
		return
	}
	w.method = method
	x.CloseServer()
}

// SetStatus implements `http-response set-status`. An empty reason stands for the usual reason
// phrase of the status. SetStatus reports whether the status has changed. It has not if the change
// would begin, end or prevent a tunnel, or if another answer would have to follow.
func (x *Exchange) SetStatus(w *Rewrite, status int, reason string) bool {
	if status < 200 || w.code < 200 || x.has(connect) && (w.code < 300) != (status < 300) {
		return false
	}
	w.setStatus(status, reason)
	return true
}

// reframe adapts the framing of the answer h to the status that a rule has set. A status without a
// body drops the server's body; the server's connection is then closed, because that body remains
// on it. A status with a body gets an empty one.
func (x *Exchange) reframe(w *Rewrite, h *Head) {
	switch {
	case x.has(tunnel | head):
	case conf.Bodyless(w.code) && !x.Response.Done():
		x.Response = Body{}
		x.CloseServer()
	case conf.Bodyless(h.Status) && !conf.Bodyless(w.code):
		w.unframe()
		w.edits = append(w.edits, edit{name: "content-length", value: zero, append: true})
	}
}
