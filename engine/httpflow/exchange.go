package httpflow

import (
	"sluice/conf"
	"sluice/sniff"
)

// Exchange is the state of one request and its answers on the two connections of a session.
// [Exchange.Ask] starts a new one. The session owns it. It holds no pointer and is small, so that
// an idle session needs little memory.
type Exchange struct {
	Request  Body // position in the body of the request; valid after Ask has returned a head
	Response Body // position in the body of the answer; valid after Reply has returned a final head

	scan  scan
	marks marks
}

// marks are properties of the request that its answer depends on, and the progress of the exchange.
type marks uint16

const (
	taken marks = 1 << iota // the head of a request has been read
	old                     // the request is HTTP/1.0
	head                    // the method is HEAD; the next three are other methods
	get
	post
	connect
	upgrades    // the request asks for another protocol, and that is allowed
	overreaches // the request asks for another protocol, and that is not allowed
	answered    // the head of the final answer has been read or written
	tunnel      // HTTP has ended: both connections carry a tunnel
	closeClient // close the client's connection after this exchange
	closeServer // close the server's connection after this exchange
	pretend     // do not announce closeServer to the server
	repeats     // the request has Content-Length: 0 more than once
)

func (x *Exchange) has(m marks) bool { return x.marks&m != 0 }

// Ask reads a request at the start of b. b holds all bytes of the client since the end of the
// previous request. sc scans them and fills f for the rules. st keeps the progress of the scan; it
// must be zero for a new request.
//
// A result n above 0 is the length of the head: the exchange has begun. A status above 0 means that
// the request must be refused with this status and the connection closed. It is 400, 413, 414, 431
// or 501, and the exchange is then zero. Both results are 0 if more bytes are needed; the exchange
// is then unchanged.
func (x *Exchange) Ask(sc *sniff.Scanner, st *sniff.State, b []byte, f *sniff.Facts) (n, status int) {
	sc.Sniff(st, b, f)
	switch f.HTTP.Verdict {
	case sniff.More:
		return 0, 0
	case sniff.No:
		*x = Exchange{}
		return 0, refusal(sc, b)
	}
	*x = Exchange{}
	if status = x.judge(&f.HTTP); status != 0 {
		*x = Exchange{}
		return 0, status
	}
	return f.Len, 0
}

// Reply reads an answer at the start of b. b holds all bytes of the server since the end of the
// previous answer, where interim answers count too. Reply fills h and returns the length of the
// head. Status 502 means that the answer is invalid and must not be passed on. Both results are 0
// if more bytes are needed.
//
// Another answer follows an interim answer. After status 101, and after a successful CONNECT,
// Tunnel is true and both bodies last until the connections end.
func (x *Exchange) Reply(b []byte, h *Head) (n, status int) {
	if n = x.scan.advance(b); n == 0 {
		return 0, 0
	}
	x.scan = scan{}
	if n < 0 || !h.parse(b[:n]) || !x.answer(h) {
		return 0, 502
	}
	return n, 0
}

// Begun reports whether Reply has read a part of a head but not its end.
func (x *Exchange) Begun() bool { return x.scan.at > 0 }

// answer applies the head h of an answer to the exchange. It returns false if the answer does not
// fit the request.
func (x *Exchange) answer(h *Head) bool {
	switch {
	case h.Status == 101:
		return x.has(upgrades) && h.switches() && h.Minor > 0 && x.Request.Done() && x.open()
	case h.Interim():
		return true
	case x.has(connect) && h.Status < 300:
		return x.open()
	}
	x.marks |= answered
	if h.close || h.Minor == 0 && !h.keep {
		x.marks |= closeServer
	}
	if x.bodyless(h.Status) {
		return true
	}
	if x.Response = h.body(); x.Response.phase == inEndless {
		x.marks |= closeServer | closeClient
	}
	return true
}

// bodyless reports whether the final answer with that status to this request has no body (RFC 9112
// 6.3). Bytes that follow its head would be read as the start of the next answer.
func (x *Exchange) bodyless(status int) bool { return x.has(head) || conf.Bodyless(status) }

// Withholds reports whether the answer h must not be sent to this client. HTTP/1.0 has no interim
// answers (RFC 9110 15.2), so the client gets only the final answer, which follows.
func (x *Exchange) Withholds(h *Head) bool { return x.has(old) && h.Interim() }

// open turns the exchange into a tunnel.
func (x *Exchange) open() bool {
	x.marks |= answered | tunnel | closeServer | closeClient
	x.Request, x.Response = endless(), endless()
	return true
}

// Tunnel reports whether both connections carry a tunnel: HTTP has ended on them.
func (x *Exchange) Tunnel() bool { return x.has(tunnel) }

// Answered reports whether the head of the final answer has been read or written.
func (x *Exchange) Answered() bool { return x.has(answered) }

// Done reports whether the ends of the request and of the answer were given to Take or Moved. An
// answer may be complete before its request. An Exchange does not know whether the bytes were
// written to the other side.
func (x *Exchange) Done() bool { return x.has(answered) && x.Request.Done() && x.Response.Done() }

// CloseClient closes the client's connection after this exchange. It implements `option httpclose`
// of the frontend.
func (x *Exchange) CloseClient() { x.marks |= closeClient }

// CloseServer closes the server's connection after this exchange. It implements `option httpclose`
// of the frontend or the backend, and `option http-server-close`.
func (x *Exchange) CloseServer() { x.marks |= closeServer }

// PretendKeepAlive hides from the server that its connection will be closed. It implements `option
// http-pretend-keepalive` of the backend.
func (x *Exchange) PretendKeepAlive() { x.marks |= pretend }

// ClosesClient reports whether the client's connection ends with this exchange, because one of the
// messages or the configuration says so.
func (x *Exchange) ClosesClient() bool { return x.has(closeClient) }

// ClosesServer reports whether the server's connection ends with this exchange, because one of the
// messages, a rule or the configuration says so.
func (x *Exchange) ClosesServer() bool { return x.has(closeServer) }

// KeepClient reports whether the client may send another request on its connection.
func (x *Exchange) KeepClient() bool { return x.Done() && !x.has(closeClient) }

// KeepServer reports whether the server's connection may be used for another request.
func (x *Exchange) KeepServer() bool { return x.Done() && !x.has(closeServer) }
