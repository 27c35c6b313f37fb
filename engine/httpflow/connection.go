package httpflow

import "strconv"

// The Connection field applies only to one connection (RFC 9110 7.6.1), so it is never passed on. A
// new Connection field is added where the default of the other side would be wrong. HAProxy adds
// one in the same cases, with `option httpclose`, with `option http-server-close` and without both
// (configuration.txt 4.2).
//
// Unlike HAProxy, the new field does not repeat the names of other fields. A server that obeys such
// a list would remove fields that were added here, for example X-Forwarded-For.

var (
	closeWord   = []byte("close")
	keepWord    = []byte("keep-alive")
	upgradeWord = []byte("upgrade")
	trailers    = []byte("trailers")
	zero        = []byte("0")
)

// ToServer makes the last edits of a request: those that concern the connection to the server. A
// request for a protocol that could carry requests past the rules, for example h2c, becomes an
// ordinary request.
func (x *Exchange) ToServer(w *Rewrite) {
	if x.has(repeats) {
		w.tellOnce(zero)
	}
	w.DelHeader("connection")
	w.edit(edit{name: "te", change: onlyTrailers})
	if x.has(overreaches) {
		w.DelHeader("upgrade")
		w.DelHeader("http2-settings")
	}
	ends := x.has(closeServer) && !x.has(pretend)
	switch {
	case x.has(connect):
	case x.has(upgrades):
		w.AddHeader("connection", upgradeWord)
	case ends && !x.has(old):
		w.AddHeader("connection", closeWord)
	case !ends && x.has(old):
		w.AddHeader("connection", keepWord)
	}
}

// ToClient makes the last edits of the answer h, which w holds: those that concern the connection
// to the client.
func (x *Exchange) ToClient(w *Rewrite, h *Head) {
	if w.code < 200 || w.code == 204 {
		w.unframe()
	}
	if h.Interim() {
		return
	}
	if h.again && w.code != 204 {
		start := len(w.text)
		w.text = strconv.AppendInt(w.text, h.length, 10)
		w.tellOnce(w.text[start:])
	}
	x.reframe(w, h) // after tellOnce, which would change a length of 0 that reframe adds
	w.DelHeader("connection")
	switch {
	case h.Status == 101:
		w.AddHeader("connection", upgradeWord)
	case x.has(tunnel):
	case x.has(closeClient) && h.Minor > 0:
		w.AddHeader("connection", closeWord)
	case !x.has(closeClient) && (x.has(old) || h.Minor == 0):
		w.AddHeader("connection", keepWord)
	}
}

// onlyTrailers reduces a TE field to "trailers", or removes it. The transfer codings in it concern
// only the connection to the client (RFC 9110 10.1.4), and chunked is the only coding supported
// here.
func onlyTrailers(_ *Rewrite, _ *edit, value []byte) ([]byte, bool) {
	return trailers, hasItem(value, "trailers")
}
