//go:build !simulation

package engine

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"
)

// webClient is the client of a talk.
type webClient struct {
	*webWorld
	*talk
	conn     net.Conn
	in       *bufio.Reader
	answered chan int // number of answered requests, sent by the reader; closed at the end
	outcome  []string // result of each request, for comparison
	got      int      // complete answers
	sending  sync.WaitGroup
}

// converse plays a talk on a connection, and returns the client's results.
func (w *webWorld) converse(k *talk, conn net.Conn) []string {
	defer conn.Close()
	bound(conn)
	c := &webClient{webWorld: w, talk: k, conn: conn, answered: make(chan int, len(k.requests)+1)}
	c.in = bufio.NewReaderSize(&hesitant{Conn: conn, talk: k}, 1<<10)
	c.sending.Go(c.send)
	for _, q := range k.requests {
		if !c.hear(q) {
			break
		}
		c.got++
		c.answered <- c.got
	}
	close(c.answered)
	c.atEnd()
	if !c.promisesAll() || c.got < len(k.requests) {
		_ = conn.SetDeadline(time.Now()) // nobody takes the rest
	}
	c.sending.Wait()
	return c.outcome
}

// hesitant is a connection whose reader is slow or ends early.
type hesitant struct {
	net.Conn
	*talk
	hesitations, taken int
}

var errLeft = errors.New("the client has left")

func (h *hesitant) Read(b []byte) (int, error) {
	if h.hesitations++; h.hesitations < mostPieces {
		pauseFor(h.lazy)
	}
	if h.fault != shutLate {
		return h.Conn.Read(b)
	}
	if h.taken >= h.after {
		h.Conn.Close()
		return 0, errLeft
	}
	n, err := h.Conn.Read(b[:min(len(b), h.after-h.taken)])
	h.taken += n
	return n, err
}

// send writes the requests, up to the planned fault of the client.
func (c *webClient) send() {
	left := 1 << 30
	if c.fault == finEarly || c.fault == rstEarly {
		left = c.after
	}
	for _, q := range c.requests() {
		text := q.text()
		if len(text) > left {
			writePieces(c.conn, text[:left], c.pieces, c.lazy)
			c.leave()
			return
		}
		left -= len(text)
		if !writePieces(c.conn, text, c.pieces, c.lazy/8) {
			return
		}
		if c.step {
			if _, more := <-c.answered; !more {
				return
			}
		}
	}
	if left < 1<<29 {
		c.leave()
	}
}

func (c *webClient) requests() []*webRequest { return c.talk.requests }

func (c *webClient) leave() {
	if c.fault == rstEarly {
		resetConn(c.conn)
		return
	}
	_ = c.conn.(interface{ CloseWrite() error }).CloseWrite()
}

// hear reads the answer to a request. It reports whether the answer is complete and another may
// follow.
func (c *webClient) hear(q *webRequest) bool {
	for {
		r, err := http.ReadResponse(c.in, &http.Request{Method: q.method})
		if err != nil {
			c.broken(q, err, "before its answer")
			return false
		}
		if r.StatusCode < 200 && r.StatusCode != 101 {
			continue
		}
		return c.judge(q, r)
	}
}

// broken is called when the connection ends in or before the answer to q.
func (c *webClient) broken(q *webRequest, err error, where string) {
	c.outcome = append(c.outcome, where)
	switch {
	case c.fault == shutLate || c.fault == rstEarly: // it has closed
	case errors.Is(err, os.ErrDeadlineExceeded):
		c.fail(q.number, "nothing comes any more %s", where)
	case strings.HasPrefix(err.Error(), "malformed HTTP response \"H") && q.number%100 >= c.firstSpoiled(): // cut off
	case !isNet(err) && !strings.Contains(err.Error(), "EOF"):
		c.fail(q.number, "%s comes %v", where, err)
	case q.number%100 < c.firstSpoiled():
		c.fail(q.number, "the connection ends %s: %v", where, err)
	}
}

func (c *webClient) judge(q *webRequest, r *http.Response) bool {
	number, err := strconv.Atoi(r.Header.Get("X-Number"))
	if err != nil {
		return c.judgeOurs(q, r)
	}
	a := &q.answer
	switch {
	case number == extraNumber && c.splits:
		return false
	case number != q.number:
		c.fail(q.number, "the answer to %d came for it", number)
		return false
	case q.refused:
		c.fail(q.number, "it is refused, and a server's answer came")
		return false
	case r.StatusCode != a.status:
		c.fail(q.number, "its answer has status %d; want %d", r.StatusCode, a.status)
	case a.status == 101:
		return c.tunnel(q)
	}
	body := &stampReader{from: r.Body, kind: 'r', number: q.number}
	_, err = io.Copy(io.Discard, body)
	want := a.body
	if q.bodiless() {
		want = 0
	}
	switch {
	case body.foreign != "":
		c.fail(q.number, "at the client: %s", body.foreign)
		return false
	case err != nil:
		c.broken(q, err, "in its answer")
		return false
	case c.fault == shutLate:
	case body.at != want && (a.framing != byEnd || q.number%100 < c.firstSpoiled()):
		c.fail(q.number, "%d bytes of its answer came, and look whole; want %d", body.at, want)
	}
	c.outcome = append(c.outcome, fmt.Sprint(r.StatusCode, body.at))
	return true
}

// judgeOurs checks an answer that the balancer itself has given.
func (c *webClient) judgeOurs(q *webRequest, r *http.Response) bool {
	_, err := io.Copy(io.Discard, r.Body)
	c.outcome = append(c.outcome, fmt.Sprintf("own %d", r.StatusCode))
	switch {
	case err != nil:
		c.broken(q, err, "in our own answer")
		return false
	case q.refused && r.StatusCode == 403:
		return true
	case q.number%100 < c.firstSpoiled():
		c.fail(q.number, "the balancer answers %s", r.Status)
	}
	return false
}

func (c *webClient) tunnel(q *webRequest) bool {
	c.outcome = append(c.outcome, "tunnel")
	tunnelStamps(c.conn, c.in, q, 'v', 'w', func(what string) { c.fail(q.number, "at the client: %s", what) })
	return true
}

// promisesAll reports whether the client sends all its requests and reads all answers.
func (k *talk) promisesAll() bool { return k.fault == polite }

// firstSpoiled returns the index of the first request that may remain without an answer.
func (k *talk) firstSpoiled() int {
	switch k.fault {
	case rstEarly, shutLate:
		return 0
	}
	written := 0
	for i, q := range k.requests {
		written += len(q.text())
		a := &q.answer
		early := a.early >= 0 && a.fault != fair
		switch {
		case k.fault == finEarly && written > k.after:
			return i
		case q.refused && (q.body > 0 || q.chunked):
			return i + 1
		case q.refused:
		case a.fault == shuts || a.fault == resets || early:
			return i
		case a.fault == retires || a.fault == overruns, a.framing == byEnd && !q.bodiless():
			return i + 1
		}
	}
	return len(k.requests)
}

// atEnd checks the bytes after the last answer.
func (c *webClient) atEnd() {
	last := c.requests()[len(c.requests())-1]
	if c.got < len(c.requests()) || !last.last || last.upgrade || !c.promisesAll() || c.firstSpoiled() < len(c.requests()) {
		return
	}
	rest, err := io.ReadAll(io.LimitReader(c.in, 1000))
	if len(rest) > 0 || err != nil {
		c.fail(last.number, "behind the last answer came %q, %v", rest, err)
	}
}

// isNet reports whether an error is one of the connection and not of the bytes received.
func isNet(err error) bool {
	var op *net.OpError
	return errors.As(err, &op) || errors.Is(err, errLeft) || errors.Is(err, net.ErrClosed)
}

func resetConn(c net.Conn) {
	if tcp, ok := c.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	c.Close()
}
