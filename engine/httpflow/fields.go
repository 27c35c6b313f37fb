package httpflow

import "bytes"

// Fields are the field lines of a head: a *sniff.Head or a *Head implements it. Next returns the
// field at position at, and the position of the following field. The position is 0 when there is no
// more field:
//
//	for name, value, at := h.Next(0); at > 0; name, value, at = h.Next(at) {
type Fields interface {
	Next(at int) (name, value []byte, next int)
}

// Has reports whether there is a field of that name. The name's letters may be in any case.
func Has(f Fields, name string) bool {
	for n, _, at := f.Next(0); at > 0; n, _, at = f.Next(at) {
		if isWord(n, name) {
			return true
		}
	}
	return false
}

// Head is the head of an answer. Its slices point into the bytes given to [Exchange.Reply], or to
// Reread later.
type Head struct {
	Status int
	Line   []byte // the status line as received, without its line end
	Minor  int    // minor version: 0 for HTTP/1.0, 1 for HTTP/1.1 and every later HTTP/1 version

	length  int64 // value of Content-Length in bytes; -1: no such field
	again   bool  // the answer has Content-Length more than once
	chunked bool
	close   bool // Connection contains close; the default of the version is not considered
	keep    bool
	fields  []byte // the field lines, without the empty line at the end
}

// Next returns the field at position at. The value comes without the blanks around it. next is the
// position of the following field; it is 0 if there was no field at position at.
func (h *Head) Next(at int) (name, value []byte, next int) {
	b := h.fields[at:]
	end := bytes.IndexByte(b, '\n') + 1
	if end == 0 {
		return nil, nil, 0
	}
	colon := bytes.IndexByte(b, ':')
	return b[:colon:colon], trim(chomp(b[colon+1 : end])), at + end
}

// switches reports whether the fields of a 101 answer are valid. Connection must contain upgrade
// (RFC 9110 7.8). A switch to WebSocket must also accept the client's key.
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

// Interim reports whether another answer follows this one (RFC 9110 15.2). It returns false for
// 101: no HTTP message follows that answer.
func (h *Head) Interim() bool { return h.Status < 200 && h.Status != 101 }
