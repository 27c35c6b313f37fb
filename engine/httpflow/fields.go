package httpflow

import "bytes"

// Fields are the field lines of a head: of a *sniff.Head or of a *Head. Next
// returns the field at a position and the position of the next, 0 at the end:
//
//	for name, value, at := h.Next(0); at > 0; name, value, at = h.Next(at) {
type Fields interface {
	Next(at int) (name, value []byte, next int)
}

// Has reports whether there is a field of that name, letters of any case.
func Has(f Fields, name string) bool {
	for n, _, at := f.Next(0); at > 0; n, _, at = f.Next(at) {
		if isWord(n, name) {
			return true
		}
	}
	return false
}

// Head is the head of an answer. Its slices point into the bytes that
// [Exchange.Reply] was given.
type Head struct {
	Status int
	Line   []byte // the status line, as sent, without its end
	Minor  int    // of the version: 1 for HTTP/1.1 and whatever follows it

	length  int64 // -1: not told
	again   bool  // told once more
	chunked bool
	close   bool // by its words alone
	keep    bool
	fields  []byte // field lines without the empty line
}

// Next returns the field at position at, its value without the blanks around
// it, and the position of the next, or 0 at the end.
func (h *Head) Next(at int) (name, value []byte, next int) {
	b := h.fields[at:]
	end := bytes.IndexByte(b, '\n') + 1
	if end == 0 {
		return nil, nil, 0
	}
	colon := bytes.IndexByte(b, ':')
	return b[:colon:colon], trim(chomp(b[colon+1 : end])), at + end
}

// switches says whether an answer 101 tells of it as it must: Connection names
// the upgrade (RFC 9110 7.8), and a WebSocket has accepted the client's key.
func (h *Head) switches() bool {
	var upgrade, webSocket, accepted bool
	for name, value, at := h.Next(0); at > 0; name, value, at = h.Next(at) {
		switch {
		case isWord(name, "connection"):
			upgrade = upgrade || hasItem(value, "upgrade")
		case isWord(name, "upgrade"):
			webSocket = hasItem(value, "websocket")
		case isWord(name, "sec-websocket-accept"):
			accepted = accepted || len(value) == webSocketAccept
		}
	}
	return upgrade && (accepted || !webSocket)
}

// Interim reports whether this answer goes before another (RFC 9110 15.2).
// 101 is none: it is the last thing said in HTTP.
func (h *Head) Interim() bool { return h.Status < 200 && h.Status != 101 }
