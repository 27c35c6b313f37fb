package actor

import (
	"errors"
	"io"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"sluice/engine/kernel"
)

// webClient is the client of a conversation. One coroutine reads and judges the answers; another
// one sends.
type webClient struct {
	*WebWorld
	plan      *WebPlan
	actor     *Actor
	conn      *Conn
	in        webReader
	unix      bool
	answered  int  // number of final answers that were read
	continued int  // number of requests for which 100 Continue or a final answer has come
	tunnel    bool // the tunnel is established
	over      bool // no further answer is read
	mayEnd    bool // the connection may end before the next byte
	rests     int  // number of pauses of the reader so far
	gulps     int  // number of small reads so far
	counting  bool // the client's fault is in this answer, so left limits the reads
	left      int  // with counting: number of bytes to read before the client's fault
	sendErr   error
	began     time.Duration // when the connection was established, on the clock of the kernel
	sent      int           // number of requests that were sent completely
}

// errLeft is the error of a read after the client itself has ended the connection, because its
// planned fault demands it.
var errLeft = errors.New("the client has left")

// Converse plays the client of a plan. It returns when the connection is closed.
func (w *WebWorld) Converse(a *Actor, p *WebPlan, to kernel.Address) {
	conn, err := a.Dial(to)
	if err != nil {
		if !w.Rough && !w.Draining && (w.Sites == nil || !w.Sites.Absent(p.Number)) {
			w.failf(&p.Requests[0], "cannot connect: %v", err)
		}
		return
	}
	conn.Deadline(a.Cast.Kernel.Now() + mostSilence)
	c := &webClient{WebWorld: w, plan: p, actor: a, conn: conn, unix: to.IsUnix(), began: a.Cast.Kernel.Now()}
	c.in = webReader{from: c, buf: w.fullBuffer()}
	sender := a.Go("sends", c.send)
	sender.Name = a.Name // traces show both coroutines under one name
	polite := c.hearAll()
	c.over = true
	if !polite {
		_ = conn.Close()
	}
	a.Join(sender)
	if errors.Is(c.sendErr, os.ErrDeadlineExceeded) {
		c.failf(&p.Requests[min(c.sent, len(p.Requests)-1)], "the balancer takes its bytes no more")
	}
	_ = conn.Close()
	w.free(c.in.buf)
}

// fullBuffer returns a buffer whose length is its capacity.
func (w *WebWorld) fullBuffer() []byte {
	b := w.buffer()
	return b[:cap(b)]
}

// hearAll reads the answers and the end of the connection. It reports whether the client may finish
// its sending; if not, the caller must close the connection at once.
func (c *webClient) hearAll() bool {
	for i := range c.plan.Requests {
		switch c.hear(i) {
		case endsHere:
			return c.atEnd(&c.plan.Requests[i])
		case broken:
			return false
		}
	}
	return c.behind()
}

// next is the continuation after an answer.
type next int

const (
	goesOn   next = iota
	endsHere      // the balancer must end the connection without another byte
	broken        // the connection has ended or failed
)

// hear reads and judges the answer to request i, and the interim answers before it.
func (c *webClient) hear(i int) next {
	q, f, t := &c.plan.Requests[i], c.plan.fate(i), c.tracks[c.plan.Requests[i].Number]
	if c.plan.Fault.reading() && i == c.plan.FaultIn {
		c.counting, c.left = true, c.plan.FaultAt-len(c.in.left())
	}
	start := c.in.taken
	defer func() { c.count(t, start) }()
	for interims := 1; ; interims++ {
		h, err := c.in.head()
		if err != nil {
			return c.broke(t, &f, err)
		}
		status := statusOf(h.line)
		switch {
		case status < 0:
			c.failf(q, "an answer begins with %q", h.line)
			return broken
		case status >= 200 || status == 101:
			return c.answer(t, &f, &h, status)
		}
		if !c.interim(q, status, interims) {
			return broken
		}
		c.mayEnd = false
	}
}

// count records how many bytes were read for a request. start is the value of in.taken before its
// answer.
func (c *webClient) count(t *webTrack, start int) {
	t.record.Bytes = c.in.taken - start
	if t.record.Failed {
		t.record.Bytes += len(c.in.left())
	}
}

// statusOf returns the status in a status line; -1: the line is malformed.
func statusOf(line []byte) int {
	if len(line) < len("HTTP/1.1 200 ") || string(line[:7]) != "HTTP/1." || line[7] != '0' && line[7] != '1' || line[8] != ' ' {
		return -1
	}
	if line[12] != ' ' { // also in front of an empty reason (RFC 9112 4)
		return -1
	}
	return digits(line[9:12])
}

// interim judges the n-th interim answer to a request. It reports whether the answer is allowed.
func (c *webClient) interim(q *WebRequest, status, n int) bool {
	if status == 100 {
		c.continued = max(c.continued, c.plan.index(q)+1)
	}
	most := q.Answer.Interim
	if q.Answer.Said100 {
		most++
	}
	switch {
	case q.Old:
		c.failf(q, "an interim answer (%d) came to HTTP/1.0", status)
	case q.ruled():
		c.failf(q, "it is refused, and an interim answer (%d) came", status)
	case n > most:
		c.failf(q, "%d interim answers came; the server has sent %d", n, most)
	default:
		return true
	}
	return false
}

// index returns the index of a request in its conversation; -1: it belongs to another one.
func (p *WebPlan) index(q *WebRequest) int { return p.place(q.Number) }

// broke is called when the connection has ended or failed before the final answer. It reports a
// failure unless the plan, a fault or a drain explains the end.
func (c *webClient) broke(t *webTrack, f *webFate, err error) next {
	q := t.request
	t.record.Failed, t.record.Aborted = true, c.own(err)
	switch {
	case c.own(err) || c.Rough:
	case errors.Is(err, os.ErrDeadlineExceeded):
		c.failf(q, "nothing comes any more before its answer")
	case isSyntax(err):
		c.failf(q, "before its answer: %v", err)
	case f.gone || c.mayEnd || c.Draining && c.plan.index(q) > 0 || c.forgotten(err):
	case f.cut && errors.Is(err, io.ErrUnexpectedEOF) || f.cut && !f.exact: // within the head
	default:
		c.failf(q, "the connection ends before its answer: %v", err)
	}
	return broken
}

// forgotten reports whether the client was reset because the backlog was full for too long. The
// client has received SYN-ACK, but Linux drops its ACK and repeats SYN-ACK. It gives up after
// tcp_synack_retries (5), 63 seconds after the first SYN-ACK.
func (c *webClient) forgotten(err error) bool {
	return !c.unix && c.in.taken+len(c.in.left()) == 0 && errors.Is(err, unix.ECONNRESET) &&
		c.Cast.Kernel.Now()-c.began > 60*time.Second
}

// own reports whether err is a consequence of the client's own close or reset.
func (c *webClient) own(err error) bool {
	return errors.Is(err, errLeft) || errors.Is(err, os.ErrClosed) || c.plan.Fault == ClientResets && c.conn.closed
}

// Read reads from the connection with the pauses and sizes of the plan, up to the client's fault.
func (c *webClient) Read(b []byte) (int, error) {
	if c.plan.Rest > 0 && c.rests < mostPauses {
		c.rests++
		c.actor.Pause(c.plan.Rest)
	}
	if c.plan.Gulp > 0 && c.gulps < mostGulps {
		c.gulps++
		b = b[:min(len(b), c.plan.Gulp)]
	}
	switch {
	case !c.counting:
	case c.left > 0:
		b = b[:min(len(b), c.left)]
	case c.plan.Fault == ClientRests:
		c.counting = false
		c.actor.Pause(longRest)
	default:
		return 0, c.leave()
	}
	c.conn.keepAlive()
	n, err := c.conn.Read(b)
	c.left -= n
	return n, unlessReset(err, c.sendErr)
}

// mostGulps is the number of small reads of one connection.
const mostGulps = 60

// longRest is longer than all timeouts.
const longRest = 10 * time.Minute

// leave ends the connection within an answer, as the client's fault demands.
func (c *webClient) leave() error {
	if c.plan.Fault == ClientDrops {
		_ = c.conn.Reset()
	} else {
		_ = c.conn.Close()
	}
	return errLeft
}

// mostWait is how long a client waits for the end of its connection that an early answer announces.
// It is longer than repeated attempts of the balancer, and shorter than usual timeouts.
const mostWait = 5 * time.Second

// atEnd checks that nothing but FIN comes after the last answer. It reports whether the client may
// finish its sending.
func (c *webClient) atEnd(q *WebRequest) bool {
	if len(c.in.left()) == 0 {
		began := c.Cast.Kernel.Now()
		err := c.in.fill()
		waited := c.Cast.Kernel.Now() - began
		switch {
		case errors.Is(err, io.EOF) && q.Halts && !c.plan.breaks(q) && waited > mostWait && !c.Rough && c.plan.Fault != ClientRests:
			c.failf(q, "its client waits within it, and the connection ends %v behind its answer", waited)
			return false
		case errors.Is(err, io.EOF) || c.own(err) || c.Rough || c.overUnread(q, err):
			return err != nil && !c.own(err)
		case errors.Is(err, os.ErrDeadlineExceeded):
			c.failf(q, "the connection does not end behind its answer")
			return false
		case c.unix && errors.Is(err, unix.ECONNRESET) && !c.sentLast(q):
			return false // the balancer has closed its socket before it has read the bytes after the request
		case err != nil:
			c.failf(q, "behind its answer the connection ends with %v, not with FIN", err)
			return false
		}
	}
	c.failf(q, "behind its answer came %q", c.in.left())
	return false
}

// sentLast reports whether the client sends nothing after a request.
func (c *webClient) sentLast(q *WebRequest) bool {
	return c.plan.index(q) == len(c.plan.Requests)-1 && c.plan.Behind == "" && !q.Upgrade
}

// overUnread reports whether err is the end of a UNIX connection of which the balancer has not read
// all bytes. Linux reports such an end as a reset, after all bytes that the balancer has sent.
func (c *webClient) overUnread(q *WebRequest, err error) bool {
	next := c.plan.index(q) + 1
	speaks := q.hasBody() || q.Malformed != "" || c.plan.Behind != "" || next < len(c.plan.Requests) && !c.plan.Requests[next].Waits
	return c.unix && speaks && errors.Is(err, unix.ECONNRESET)
}

// behind is called when all requests are answered and the connection is kept. The client then ends
// the connection. If it sends invalid bytes after the last request, the balancer ends it.
func (c *webClient) behind() bool {
	last := &c.plan.Requests[len(c.plan.Requests)-1]
	c.answered = len(c.plan.Requests)
	switch {
	case c.plan.Behind != "":
		return c.refusedBehind(last)
	case c.plan.Fault.sending(): // the client sends no more, and the last answer came early
		return c.atEnd(last)
	}
	c.actor.Until("waits for its own sending", func() bool { return c.sent == len(c.plan.Requests) || c.sendErr != nil })
	if c.sendErr == nil && !c.plan.HalfEnd {
		_ = c.conn.CloseWrite()
	}
	return c.atEnd(last)
}

// refusedBehind reads the answer to invalid bytes after the last request: status 400.
func (c *webClient) refusedBehind(last *WebRequest) bool {
	h, err := c.in.head()
	switch {
	case errors.Is(err, io.EOF) && (blank(c.plan.Behind) || c.mayEnd || c.Draining):
		return true
	case c.own(err) || c.Rough:
		return false
	case err != nil:
		c.failf(last, "bytes behind it are not refused: %v", err)
		return false
	}
	if status := statusOf(h.line); status != 400 || h.number >= 0 {
		c.failf(last, "bytes behind it are answered with %q", h.line)
		return false
	}
	body := c.in.bodyOf(&h, last.Number, false, true)
	for err == nil {
		_, err = body.next(1 << 20)
	}
	return c.atEnd(last)
}

// blank reports whether a text contains only ends of lines.
func blank(text string) bool {
	for _, c := range text {
		if c != '\r' && c != '\n' {
			return false
		}
	}
	return true
}
