package httpflow

import "strconv"

// What the Connection field says is between two neighbours, so none is passed
// on; one of our own comes behind all fields where the other side would take the
// opposite for granted. That is when HAProxy adds one with `option httpclose`,
// `http-server-close` and without (configuration.txt 4.2). Unlike HAProxy, names
// of other fields in it are not passed on either: a server that heeds them would
// throw away what was added here, as X-Forwarded-For.

var (
	closeWord   = []byte("close")
	keepWord    = []byte("keep-alive")
	upgradeWord = []byte("upgrade")
	trailers    = []byte("trailers")
	zero        = []byte("0")
)

// ToServer makes the request's last edits: what the two connections need. A
// request for a protocol that would carry others past the rules, as h2c, is
// turned into an ordinary one.
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

// ToClient makes the last edits of the answer h that w holds.
func (x *Exchange) ToClient(w *Rewrite, h *Head) {
	if h.Status < 200 || h.Status == 204 {
		w.unframe()
	}
	if h.Interim() {
		return
	}
	if h.again && h.Status != 204 {
		start := len(w.text)
		w.text = strconv.AppendInt(w.text, h.length, 10)
		w.tellOnce(w.text[start:])
	}
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

// onlyTrailers leaves of TE what concerns the client: the codings are between
// neighbours (RFC 9110 10.1.4), and none is known here but chunked.
func onlyTrailers(_ *Rewrite, _ *edit, value []byte) ([]byte, bool) {
	return trailers, hasItem(value, "trailers")
}
