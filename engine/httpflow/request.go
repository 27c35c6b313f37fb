package httpflow

import (
	"bytes"

	"sluice/sniff"
)

// judge refuses what sniff lets pass, as it is no danger where only one head is
// read, and notes what the answer will need. It returns 0 or a status.
func (x *Exchange) judge(h *sniff.Head) int {
	x.marks = taken | methods[string(h.Method)]
	if h.Version[len("HTTP/1.")] == '0' {
		x.marks |= old
	}
	if h.Repeated {
		x.marks |= repeats
	}
	coded := h.Chunked && (h.ContentLength >= 0 || x.has(old))
	if coded || h.Folded || !x.words(h) || x.has(connect) && (h.Chunked || h.ContentLength > 0) {
		return 400
	}
	switch {
	case h.Chunked:
		x.Request = chunked()
	case h.ContentLength > 0 && x.has(old) && bare[string(h.Method)]:
		return 413
	case h.ContentLength > 0:
		x.Request = counted(h.ContentLength)
	}
	if x.has(upgrades) && !x.Request.Done() {
		x.marks ^= upgrades | overreaches
	}
	return 0
}

// bare are the methods with which a body has no meaning (RFC 9110 9.3). A reader
// of HTTP/1.0 may take it for the next request: HAProxy refuses it with 413, too.
var bare = map[string]bool{"GET": true, "HEAD": true, "DELETE": true}

var methods = map[string]marks{"HEAD": head, "GET": get, "POST": post, "CONNECT": connect}

// words reads the fields that tell how the connection goes on. It is false
// where the Host field is missing, which HTTP/1.1 asks for (RFC 9112 3.2), and
// where a WebSocket is asked for without a key (RFC 6455 4.1).
func (x *Exchange) words(h *sniff.Head) bool {
	var host, close, keep, wants, offers, forbidden, webSocket, key bool
	for name, value, at := h.Next(0); at > 0; name, value, at = h.Next(at) {
		switch {
		case isWord(name, "host"):
			host = true
		case isWord(name, "connection"):
			close = close || hasItem(value, "close")
			keep = keep || hasItem(value, "keep-alive")
			wants = wants || hasItem(value, "upgrade")
		case isWord(name, "upgrade"):
			offers = true
			forbidden = forbidden || carriesRequests(value)
			webSocket = hasItem(value, "websocket") // of several lines the last, as in HAProxy
		case isWord(name, "sec-websocket-key"):
			key = key || len(value) == webSocketKey
		}
	}
	switch {
	case offers && (forbidden || !wants || x.has(old)):
		x.marks |= overreaches
	case offers:
		x.marks |= upgrades
	}
	if close || x.has(old) && !keep {
		x.marks |= closeClient | closeServer
	}
	return (host || x.has(old)) && (key || !wants || !webSocket)
}

// The lengths of 16 and of 20 bytes in base64, RFC 6455 4.1 and 4.2.2.
const (
	webSocketKey    = 24
	webSocketAccept = 28
)

// carriesRequests says whether one of these protocols (RFC 9110 7.8) is a way to
// send requests past the rules: HTTP itself, bare or in TLS.
func carriesRequests(protocols []byte) bool {
	for len(protocols) > 0 {
		var p []byte
		p, protocols = nextItem(protocols)
		name, _, _ := bytes.Cut(p, slash)
		if isWord(name, "h2c") || isWord(name, "h2") || isWord(name, "http") || isWord(name, "tls") {
			return true
		}
	}
	return false
}

var slash = []byte("/")

// refusal is the status for bytes that sniff takes for no request. It looks at
// no more of them than sniff had needed, so that it does not matter in what
// pieces they came.
func refusal(sc *sniff.Scanner, b []byte) int {
	end := headEnd(b)
	if end == 0 || end > sniff.MaxBytes {
		end = sniff.MaxBytes + 1
	}
	var st sniff.State
	var f sniff.Facts
	sc.Sniff(&st, b[:min(end-1, sniff.MaxBytes-1, len(b))], &f)
	switch {
	case f.HTTP.Verdict == sniff.No:
		return 400
	case end <= sniff.MaxBytes:
		return badHead(b[:end])
	case bytes.IndexByte(bytes.TrimLeft(b[:sniff.MaxBytes], "\r\n"), '\n') < 0:
		return 414
	}
	return 431
}

// headEnd returns where the empty line behind the fields ends, 0 if there is
// none.
func headEnd(b []byte) int {
	at := len(b) - len(bytes.TrimLeft(b, "\r\n"))
	for {
		n := bytes.IndexByte(b[at:], '\n') + 1
		if n == 0 {
			return 0
		}
		line := chomp(b[at : at+n])
		if at += n; len(line) == 0 {
			return at
		}
	}
}

// badHead tells a coding that is not done here (RFC 9112 6.1) from the rest. If
// chunked does not end the codings, not even the body's end is sure (6.3).
func badHead(head []byte) int {
	var codings Head
	other := false
	for line := range bytes.Lines(head) {
		name, value, _ := bytes.Cut(chomp(line), colon)
		if !isWord(name, "transfer-encoding") {
			continue
		}
		if !codings.transferEncoding(value) {
			return 400
		}
		other = other || !isWord(trim(value), "chunked")
	}
	if codings.chunked && other {
		return 501
	}
	return 400
}

var colon = []byte(":")
