//go:build !simulation

package engine

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"time"
)

// talk is a random connection of a client in mode http: its requests, their timing, and the
// behaviour of the servers. It is a value that a failing test prints.
type talk struct {
	number   int
	requests []*webRequest
	step     bool // the client waits for each answer before its next request
	pieces   int  // maximum bytes of a write of the client; 0: one write
	lazy     time.Duration
	fault    clientFault // how the client disturbs the conversation
	after    int         // bytes sent, or bytes read, before the client's fault
}

// clientFault is how a client disturbs a conversation.
type clientFault string

const (
	polite   clientFault = ""
	finEarly clientFault = "FIN in a request"
	rstEarly clientFault = "reset in a request"
	shutLate clientFault = "close in an answer"
)

// webRequest is one request and its answer.
type webRequest struct {
	number  int
	host    string
	method  string
	refused bool // the rules refuse it
	body    int  // bytes
	chunked bool
	upgrade bool
	last    bool // Connection: close
	answer  webAnswer
}

// webAnswer is the behaviour of the server for a request.
type webAnswer struct {
	status   int
	interim  int // number of interim answers (1xx) before it
	body     int // bytes
	framing  string
	early    int // bytes of the request's body that are read before the answer; -1: all
	pieces   int
	rest     time.Duration
	fault    serverFault
	after    int  // bytes of the answer sent before the server's fault
	closes   bool // Connection: close
	mayBreak bool // the client disturbs the talk
}

// serverFault is how a server disturbs an exchange.
type serverFault string

const (
	fair     serverFault = ""
	shuts    serverFault = "close"
	resets   serverFault = "reset"
	overruns serverFault = "bytes behind the answer"
	retires  serverFault = "close behind the answer"
)

const (
	byLength = "length"
	byChunks = "chunks"
	byEnd    = "end"
)

// planTalk makes a talk from its number and the seed.
func planTalk(number int) *talk {
	r := rand.New(rand.NewPCG(*seed, uint64(number)))
	k := &talk{number: number, step: r.IntN(2) == 0, lazy: planRest(r)}
	if r.IntN(2) == 0 {
		k.pieces = 1 + r.IntN(1<<r.IntN(15))
	}
	spoiled := -1
	n := 1 + r.IntN(6)
	if r.IntN(3) == 0 {
		spoiled = r.IntN(n)
	}
	moves := r.IntN(2) == 0
	for i := range n {
		q := planRequest(r, number*100+i, i == n-1, i == spoiled)
		if i > 0 && !moves {
			q.host = k.requests[0].host
		}
		k.requests = append(k.requests, q)
	}
	if r.IntN(5) == 0 {
		k.fault = [...]clientFault{finEarly, rstEarly, shutLate}[r.IntN(3)]
		k.after = r.IntN(1 << r.IntN(18))
		for _, q := range k.requests {
			q.answer.mayBreak = true
		}
	}
	return k
}

func planRest(r *rand.Rand) time.Duration {
	if r.IntN(3) > 0 {
		return 0
	}
	return time.Duration(r.IntN(2000)) * time.Microsecond
}

// planSize returns a size that is often small, and sometimes larger than all buffers.
func planSize(r *rand.Rand) int { return r.IntN(1 << r.IntN(19)) }

func planRequest(r *rand.Rand, number int, last, spoiled bool) *webRequest {
	q := &webRequest{number: number, host: [...]string{"one", "two", "keep"}[r.IntN(3)], last: last,
		method: [...]string{"GET", "GET", "HEAD", "POST", "POST", "PUT"}[r.IntN(6)]}
	if q.method[0] == 'P' {
		q.body, q.chunked = planSize(r), r.IntN(2) == 0
	}
	q.refused = r.IntN(8) == 0
	q.upgrade = last && q.method == "GET" && r.IntN(3) == 0
	q.answer = planAnswer(r, q, spoiled)
	return q
}

func planAnswer(r *rand.Rand, q *webRequest, spoiled bool) webAnswer {
	a := webAnswer{status: [...]int{200, 200, 200, 404, 204, 304}[r.IntN(6)], body: planSize(r), early: -1, rest: planRest(r),
		framing: [...]string{byLength, byLength, byChunks, byChunks, byEnd}[r.IntN(5)], closes: r.IntN(8) == 0}
	if r.IntN(5) == 0 {
		a.interim = 1 + r.IntN(3)
	}
	if r.IntN(3) == 0 {
		a.pieces = 1 + r.IntN(1<<r.IntN(15))
	}
	if q.body > 0 && r.IntN(3) == 0 {
		a.early = r.IntN(q.body)
	}
	if q.upgrade && r.IntN(3) > 0 {
		a.status, a.framing, a.body = 101, byEnd, planSize(r)
		return a
	}
	if spoiled {
		a.fault = [...]serverFault{shuts, resets, overruns, retires}[r.IntN(4)]
		a.after = r.IntN(1 << r.IntN(12))
		if a.fault == overruns {
			// One write, so that all bytes have arrived when the end of the answer is read. Bytes
			// that arrive later could be taken for the answer to the next request.
			a.framing, a.pieces, a.early, a.body = [...]string{byLength, byChunks}[r.IntN(2)], 0, -1, a.body%4000
		}
	}
	return a
}

// bodiless reports whether the answer must have no body.
func (q *webRequest) bodiless() bool {
	return q.method == "HEAD" || q.answer.status == 204 || q.answer.status == 304
}

func (k *talk) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "talk %d: step %v, pieces %d, lazy %v, fault %q after %d\n", k.number, k.step, k.pieces, k.lazy, k.fault, k.after)
	for _, q := range k.requests {
		fmt.Fprintf(&b, "  %+v\n", *q)
	}
	return b.String()
}

// text returns the request as the client writes it.
func (q *webRequest) text() string {
	head := fmt.Sprintf("%s /%d HTTP/1.1\r\nHost: %s.test\r\n", q.method, q.number, q.host)
	if q.refused {
		head += "X-Refuse: yes\r\n"
	}
	if q.last && !q.upgrade {
		head += "Connection: close\r\n"
	}
	body := stamped('q', q.number, q.body)
	switch {
	case q.upgrade:
		return head + "Connection: Upgrade\r\nUpgrade: stamps\r\n\r\n"
	case q.chunked:
		return head + "Transfer-Encoding: chunked\r\n\r\n" + chunks(body, q.number)
	case q.method[0] == 'P':
		return fmt.Sprintf("%sContent-Length: %d\r\n\r\n%s", head, q.body, body)
	}
	return head + "\r\n"
}

// chunks splits a body into chunks.
func chunks(body string, number int) string {
	var b strings.Builder
	for size := 1 + number*37%5000; body != ""; size = size*3%70000 + 1 {
		n := min(size, len(body))
		fmt.Fprintf(&b, "%x\r\n%s\r\n", n, body[:n])
		body = body[n:]
	}
	return b.String() + "0\r\n\r\n"
}

// answerText returns the final answer as the server writes it.
func (q *webRequest) answerText() string {
	a := &q.answer
	head := fmt.Sprintf("HTTP/1.1 %d Said\r\nX-Number: %d\r\n", a.status, q.number)
	body := stamped('r', q.number, a.body)
	if a.closes {
		head += "Connection: close\r\n"
	}
	switch {
	case a.status == 101:
		return head + "Connection: Upgrade\r\nUpgrade: stamps\r\n\r\n"
	case a.status == 204 || a.status == 304:
		return head + "\r\n"
	case a.framing == byLength:
		head += fmt.Sprintf("Content-Length: %d\r\n", a.body)
	case a.framing == byChunks:
		head += "Transfer-Encoding: chunked\r\n"
		body = chunks(body, q.number)
	}
	if q.method == "HEAD" {
		body = ""
	}
	return head + "\r\n" + body
}

func (q *webRequest) interimText() string {
	return strings.Repeat("HTTP/1.1 103 Early Hints\r\nLink: <x>\r\n\r\n", q.answer.interim)
}
