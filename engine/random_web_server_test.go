//go:build !simulation

package engine

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// webWorld contains the plans of random talks, the requests that the servers have got, and all
// errors.
type webWorld struct {
	t        *testing.T
	requests map[int]*webRequest // by number
	shares   bool                // clients share connections to servers
	splits   bool                // one write of a server may arrive in two parts

	mu    sync.Mutex
	seen  map[int]int // how often each request reached a server
	wrong map[int][]string
}

func newWebWorld(t *testing.T, talks []*talk) *webWorld {
	t.Helper()
	w := &webWorld{t: t, requests: map[int]*webRequest{}, seen: map[int]int{}, wrong: map[int][]string{}}
	for _, k := range talks {
		for _, q := range k.requests {
			w.requests[q.number] = q
		}
	}
	return w
}

// fail records an error of a request.
func (w *webWorld) fail(number int, what string, args ...any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.wrong[number/100] = append(w.wrong[number/100], fmt.Sprintf("request %d: ", number)+fmt.Sprintf(what, args...))
}

// failures returns the errors of a talk that were recorded so far.
func (w *webWorld) failures(talk int) []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.wrong[talk]
}

// serve starts a server that follows the plan of each request, from any client. It returns its
// address as in a configuration.
func (w *webWorld) serve(wire wire) string {
	return serveConns(w.t, wire, func(c net.Conn) { (&webService{webWorld: w, conn: c}).run() }).String()
}

// webService is one connection to the server.
type webService struct {
	*webWorld
	conn net.Conn
	in   *bufio.Reader
	last int // number of the request before
}

func (s *webService) run() {
	bound(s.conn)
	s.in = bufio.NewReaderSize(s.conn, 512)
	for s.next() {
	}
}

// next serves one request. It reports whether another may follow.
func (s *webService) next() bool {
	r, err := http.ReadRequest(s.in)
	if err != nil {
		if !strings.Contains(err.Error(), "EOF") && !isNet(err) {
			s.fail(s.last, "behind it came what is no request: %v", err)
		}
		return false
	}
	q := s.admit(r)
	if q == nil {
		return false
	}
	body := &stampReader{from: r.Body, kind: 'q', number: q.number}
	whole := true
	if q.answer.early < 0 {
		whole = s.drain(q, body, q.body)
	} else {
		_, _ = io.CopyN(io.Discard, body, int64(q.answer.early))
	}
	pauseFor(q.answer.rest)
	if !s.answer(q) {
		return false
	}
	if q.answer.early >= 0 {
		pauseFor(q.answer.rest)
		whole = s.drain(q, body, q.body)
	}
	return whole && q.answer.status != 101 && !q.answer.closes && (q.answer.framing != byEnd || q.bodiless())
}

// admit returns the plan of a request that has arrived.
func (s *webService) admit(r *http.Request) *webRequest {
	number, _ := strconv.Atoi(strings.TrimPrefix(r.URL.Path, "/"))
	q := s.requests[number]
	switch {
	case q == nil:
		s.fail(s.last, "behind it came %s %s, which nobody sent", r.Method, r.URL)
	case q.refused:
		s.fail(number, "it is refused, and reached a server")
	case r.Method != q.method || r.Host != q.host+".test":
		s.fail(number, "it came as %s to %s", r.Method, r.Host)
	case number <= s.last && !s.shares:
		s.fail(number, "it came behind %d on one connection", s.last)
	}
	if q == nil {
		return nil
	}
	s.mu.Lock()
	s.seen[number]++
	again := s.seen[number] > 1
	s.mu.Unlock()
	if again && (q.answer.after > 0 || q.answer.fault != shuts && q.answer.fault != resets) {
		s.fail(number, "it came a second time")
	}
	s.last = number
	return q
}

// drain reads and checks the rest of a body. It reports whether the body's end was read: behind a
// part of a body no request can follow.
func (s *webService) drain(q *webRequest, body *stampReader, size int) bool {
	_, err := io.Copy(io.Discard, body)
	switch {
	case body.foreign != "":
		s.fail(q.number, "at the server: %s", body.foreign)
	case err == nil && body.at != size:
		s.fail(q.number, "%d bytes of its body came, and look whole; want %d", body.at, size)
	}
	return err == nil
}

// answer writes interim answers and the final one. It reports whether the connection continues.
func (s *webService) answer(q *webRequest) bool {
	a := &q.answer
	text := q.interimText() + q.answerText()
	switch {
	case a.status == 101:
		s.write(q, text)
		s.tunnel(q)
		return false
	case a.fault == overruns:
		text += fmt.Sprintf("HTTP/1.1 200 Said\r\nX-Number: %d\r\nContent-Length: 16\r\n\r\n%s", extraNumber, stamped('x', extraNumber, 16))
	case a.fault == shuts || a.fault == resets:
		text = text[:min(a.after, len(text))]
	}
	s.write(q, text)
	switch a.fault {
	case resets:
		resetConn(s.conn)
		return false
	case shuts, retires:
		return false
	}
	return true
}

func (s *webService) write(q *webRequest, text string) { writePieces(s.conn, text, q.answer.pieces, 0) }

// tunnel sends and reads stamped bytes at the same time.
func (s *webService) tunnel(q *webRequest) {
	tunnelStamps(s.conn, s.in, q, 'w', 'v', func(what string) { s.fail(q.number, "at the server: %s", what) })
}

// tunnelStamps sends stamped bytes of the kind out and reads those of the kind back.
func tunnelStamps(c net.Conn, in io.Reader, q *webRequest, out, back byte, fail func(string)) {
	var sending sync.WaitGroup
	sending.Go(func() {
		writePieces(c, stamped(out, q.number, q.answer.body), q.answer.pieces, 0)
		_ = c.(interface{ CloseWrite() error }).CloseWrite()
	})
	body := &stampReader{from: in, kind: back, number: q.number}
	_, err := io.Copy(io.Discard, body)
	switch {
	case body.foreign != "":
		fail(body.foreign)
	case err == nil && body.at != q.answer.body && !q.answer.mayBreak:
		fail(fmt.Sprintf("%d bytes came through the tunnel, and look whole; want %d", body.at, q.answer.body))
	case err != nil && !q.answer.mayBreak:
		fail(fmt.Sprintf("after %d of %d bytes the tunnel ended: %v", body.at, q.answer.body, err))
	}
	sending.Wait()
}

// extraNumber is the number in stamped bytes that a server sends after an answer.
const extraNumber = 99999

// mostPieces limits the number of writes, so that a talk does not last too long.
const mostPieces = 300

// writePieces writes a text in pieces of at most pieces bytes, 0 for one write, and pauses
// between them. It stops at the first error.
func writePieces(c net.Conn, text string, pieces int, rest time.Duration) bool {
	if pieces == 0 || pieces > len(text) {
		pieces = max(len(text), 1)
	}
	pieces = max(pieces, len(text)/mostPieces)
	for len(text) > 0 {
		n := min(pieces, len(text))
		if _, err := io.WriteString(c, text[:n]); err != nil {
			return false
		}
		text = text[n:]
		pauseFor(rest)
	}
	return true
}

// pauseFor sleeps because slow peers are input of a random test. It does not wait for an event.
func pauseFor(span time.Duration) {
	if span > 0 {
		<-time.After(span)
	}
}
