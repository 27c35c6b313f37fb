package httpflow

import (
	"bytes"

	"sluice/sniff"
)

// judge checks a request more strictly than package sniff, which reads only one head and may accept
// ambiguous framing. It also records in x.marks the properties that the answer depends on. It
// returns 0, or the status to refuse the request with.
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

// bare holds the methods for which a body has no meaning (RFC 9110 9.3). A server may take such a
// body in HTTP/1.0 for the next request. HAProxy refuses it with 413, too.
var bare = map[string]bool{"GET": true, "HEAD": true, "DELETE": true}

var methods = map[string]marks{"HEAD": head, "GET": get, "POST": post, "CONNECT": connect}

// words reads the fields that concern the connection. It returns false if the Host field, which
// HTTP/1.1 requires, is missing (RFC 9112 3.2). It also returns false if a request for WebSocket
// has no key (RFC 6455 4.1). A request with a body asks for no WebSocket, see judge.
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
			webSocket = hasItem(value, "websocket") // the last of several fields counts, as in HAProxy
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
	body := h.Chunked || h.ContentLength > 0
	return (host || x.has(old)) && (key || !wants || !webSocket || body)
}

// Lengths of the base64 text of 16 and of 20 bytes (RFC 6455 4.1 and 4.2.2).
const (
	webSocketKey    = 24
	webSocketAccept = 28
)

// carriesRequests reports whether one of these protocols (RFC 9110 7.8) could carry requests past
// the rules: HTTP in plain text or in TLS.
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

// refusal returns the status for bytes that sniff does not accept as a request. It reads only the
// bytes that sniff needed for its verdict. So the status does not depend on the pieces in which the
// bytes arrive.
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

// headEnd returns the position after the empty line that ends the head, or 0 if that line is
// missing.
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

// badHead returns 501 for a transfer coding that is not supported (RFC 9112 6.1), and 400 for any
// other error. If chunked is not the last coding, the end of the body is unknown (6.3): that is a
// 400.
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
