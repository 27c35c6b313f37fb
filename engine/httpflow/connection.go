package httpflow

import "strconv"

// What the Connection field says is between two neighbours, and is written anew
// for the next: its words close and keep-alive go, and one of them comes behind
// all fields where the other side would take the opposite for granted. This is
// what HAProxy does with `option httpclose`, `http-server-close` and without
// (configuration.txt 4.2).

var (
	closeWord = []byte("close")
	keepWord  = []byte("keep-alive")
	trailers  = []byte("trailers")
)

// ToServer makes the request's last edits: what the two connections need. A
// request that leaves HTTP keeps its Connection field. One for a protocol that
// would carry requests past the rules, as h2c, is turned into an ordinary one.
func (x *Exchange) ToServer(w *Rewrite) {
	switch {
	case x.has(connect | upgrades):
		return
	case x.has(overreaches):
		w.DelHeader("upgrade")
		w.DelHeader("http2-settings")
		w.edits = append(w.edits, edit{name: "connection", change: stay})
	default:
		w.edits = append(w.edits, edit{name: "connection", change: persist})
	}
	w.edits = append(w.edits, edit{name: "te", change: onlyTrailers})
	switch {
	case x.has(closeServer) && !x.has(old):
		w.AddHeader("connection", closeWord)
	case !x.has(closeServer) && x.has(old):
		w.AddHeader("connection", keepWord)
	}
}

// ToClient makes the last edits of the answer h that w holds.
func (x *Exchange) ToClient(w *Rewrite, h *Head) {
	if h.Interim() || x.has(tunnel) {
		return
	}
	if h.again {
		start := len(w.text)
		w.text = strconv.AppendInt(w.text, h.length, 10)
		w.SetHeader("content-length", w.text[start:])
	}
	w.edits = append(w.edits, edit{name: "connection", change: persist})
	switch {
	case x.has(closeClient) && h.Minor > 0:
		w.AddHeader("connection", closeWord)
	case !x.has(closeClient) && (x.has(old) || h.Minor == 0):
		w.AddHeader("connection", keepWord)
	}
}

// persist takes out of a Connection field how long the connection lasts.
func persist(w *Rewrite, _ *edit, value []byte) ([]byte, bool) {
	return w.without(value, "close", "keep-alive")
}

// stay takes out the upgrade, too.
func stay(w *Rewrite, _ *edit, value []byte) ([]byte, bool) {
	return w.without(value, "close", "keep-alive", "upgrade", "http2-settings")
}

// without takes words out of a comma list; false: none is left.
func (w *Rewrite) without(list []byte, words ...string) ([]byte, bool) {
	start := len(w.text)
	for len(list) > 0 {
		var item []byte
		if item, list = nextItem(list); len(item) == 0 || isOneOf(item, words) {
			continue
		}
		if len(w.text) > start {
			w.text = append(w.text, ", "...)
		}
		w.text = append(w.text, item...)
	}
	return w.text[start:], len(w.text) > start
}

func isOneOf(b []byte, words []string) bool {
	for _, word := range words {
		if isWord(b, word) {
			return true
		}
	}
	return false
}

// onlyTrailers leaves of TE what concerns the client: the codings are between
// neighbours (RFC 9110 10.1.4), and none is known here but chunked.
func onlyTrailers(_ *Rewrite, _ *edit, value []byte) ([]byte, bool) {
	return trailers, hasItem(value, "trailers")
}
