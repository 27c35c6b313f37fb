package httpflow

import "sluice/sniff"

// Exchange follows one request and its answers over the two connections of a
// session. [Exchange.Ask] begins it anew. It holds no pointer and is owned by
// the session; it is small, so that an idle session costs little.
type Exchange struct {
	Request  Body // of the request, once Ask has taken its head
	Response Body // of the answer, once Reply has taken its head

	scan  scan
	marks marks
}

// marks are what an answer needs to know of its request, and what became of it.
type marks uint16

const (
	taken marks = 1 << iota // the head of a request was
	old                     // it is HTTP/1.0
	head                    // its method, or one of the next three
	get
	post
	connect
	upgrades    // it asks for another protocol, which it may have
	overreaches // it asks for one that it may not have
	answered    // by a final answer
	tunnel      // HTTP has ended
	closeClient // the client's connection ends with this exchange
	closeServer // the server's does
	pretend     // which it is not told
	repeats     // it tells a length of 0 more than once
)

func (x *Exchange) has(m marks) bool { return x.marks&m != 0 }

// Ask looks for a request at the start of b: all bytes of the client since the
// end of the request before. It sniffs with sc, which remembers in st, zero for
// a new request, how far it has come, and fills f for the rules. A head of n
// bytes begins the exchange. A status says that the request is to be refused
// with it, and the connection closed: 400, 413, 414, 431 or 501; the exchange is then
// the zero one. Both 0: bytes are missing, and nothing has changed.
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

// Reply looks for an answer at the start of b: all bytes of the server since the
// end of the answer before, interim ones included. It fills h. A status, 502,
// says that it is no answer to pass on. Both 0: bytes are missing.
//
// After an interim answer another follows. After 101, and after a CONNECT that
// succeeded, Tunnel is true and both bodies are without an end.
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

// Begun reports whether Reply has seen bytes of a head, and not its end.
func (x *Exchange) Begun() bool { return x.scan.at > 0 }

// answer takes the head of an answer; false: it answers nothing that was asked.
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
	if x.has(head) || bodyless(h.Status) {
		return true
	}
	if x.Response = h.body(); x.Response.phase == inEndless {
		x.marks |= closeServer | closeClient
	}
	return true
}

// Withholds reports whether the answer h is not for this client: HTTP/1.0 knows
// no interim ones (RFC 9110 15.2). The final one is still to come.
func (x *Exchange) Withholds(h *Head) bool { return x.has(old) && h.Interim() }

// open turns the exchange into a tunnel.
func (x *Exchange) open() bool {
	x.marks |= answered | tunnel | closeServer | closeClient
	x.Request, x.Response = endless(), endless()
	return true
}

// Tunnel reports whether the two sides have left HTTP.
func (x *Exchange) Tunnel() bool { return x.has(tunnel) }

// Answered reports whether the head of the final answer was taken.
func (x *Exchange) Answered() bool { return x.has(answered) }

// Done reports whether the last bytes of request and answer were taken or moved.
// An answer may be complete before its request. Whether the bytes were written is
// not known here.
func (x *Exchange) Done() bool { return x.has(answered) && x.Request.Done() && x.Response.Done() }

// CloseClient has the client's connection end with this exchange: `option
// httpclose` of the frontend.
func (x *Exchange) CloseClient() { x.marks |= closeClient }

// CloseServer has the server's connection end with this exchange: `option
// httpclose` of the backend, or of the frontend, or `option http-server-close`.
func (x *Exchange) CloseServer() { x.marks |= closeServer }

// PretendKeepAlive keeps it from the server that its connection ends: `option
// http-pretend-keepalive` of the backend.
func (x *Exchange) PretendKeepAlive() { x.marks |= pretend }

// KeepClient reports whether the client may ask again on its connection.
func (x *Exchange) KeepClient() bool { return x.Done() && !x.has(closeClient) }

// KeepServer reports whether the server's connection may be used again.
func (x *Exchange) KeepServer() bool { return x.Done() && !x.has(closeServer) }
