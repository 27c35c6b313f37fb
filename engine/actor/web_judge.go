package actor

import (
	"bytes"
	"errors"
	"io"
	"os"
)

// answer checks a final answer with the head h against the plan.
func (c *webClient) answer(t *webTrack, f *webFate, h *webHead, status int) next {
	q := t.request
	t.record.Status = status
	c.continued = c.plan.index(q) + 1
	if h.number < 0 {
		return c.ours(t, f, h, status)
	}
	want := q.Answer.Status
	if q.Expect.Status != 0 {
		want = q.Expect.Status
	}
	switch {
	case h.number != q.Number:
		c.failf(q, "the answer to request %d came for it", h.number)
		return broken
	case q.Expect.Answer != 0:
		c.failf(q, "a rule answers it with %d, and the server's answer came", q.Expect.Answer)
		return broken
	case !f.served && !f.cut && !f.short:
		c.failf(q, "the server's answer came; want %v", f.own)
		return broken
	case status != want:
		c.failf(q, "its answer has status %d; want %d", status, want)
		return broken
	case !c.headFits(q, h) || !c.cookieFits(t, h):
		return broken
	case q.tunnels():
		return c.inTunnel(t, f)
	}
	body := c.in.bodyOf(h, q.Number, q.Method == "HEAD" || status == 204 || status == 304, true)
	return c.hearBody(t, f, &body, h)
}

// headFits checks the fields of an answer that the configuration adds or removes. It reports
// whether they are as planned.
func (c *webClient) headFits(q *WebRequest, h *webHead) bool {
	for _, line := range q.Expect.Gains {
		if !h.has(line) {
			c.failf(q, "its answer lacks %q: %q", line, h.fields)
			return false
		}
	}
	for _, name := range q.Expect.Loses {
		if _, n := h.get(name); n > 0 {
			c.failf(q, "its answer has %s: %q", name, h.fields)
			return false
		}
	}
	if c.Sites != nil {
		if wrong := c.Sites.Answered(q.Number, h.text("x-site"), h.text("x-site-back")); wrong != "" {
			c.failf(q, "%s", wrong)
			return false
		}
	}
	if fill, _ := h.get("x-fill"); len(fill) != q.Answer.Fill {
		c.failf(q, "a field of its answer has %d bytes; want %d", len(fill), q.Answer.Fill)
		return false
	}
	return true
}

// cookieFits checks that the answer sets the cookie that identifies the client's server, if the
// plan expects it.
func (c *webClient) cookieFits(t *webTrack, h *webHead) bool {
	d := t.last()
	if t.request.Expect.Cookie == "" || d == nil {
		return true
	}
	value, n := h.get("set-cookie")
	name, id, _ := bytes.Cut(value, []byte("="))
	id, _, _ = bytes.Cut(id, []byte(";"))
	id, _, _ = bytes.Cut(id, []byte("|"))
	id, _, _ = bytes.Cut(id, []byte("~"))
	if n == 1 && string(name) == t.request.Expect.Cookie && string(id) == d.server {
		return true
	}
	c.failf(t.request, "server %s has answered, and %d cookies came, first %q", d.server, n, value)
	return false
}

// isLate reports whether the balancer was draining when a server began its answer, or the frontend
// was gone.
func (c *webClient) isLate(q *WebRequest) bool {
	d := c.tracks[q.Number].last()
	return d != nil && (d.late || c.Sites != nil && c.Sites.IsGone(q.Number))
}

// endWords are the statements in the head of an answer about the end of the connection.
type endWords struct {
	old           bool // HTTP/1.0, where the end is usual
	closes, keeps bool
}

func (h *webHead) endWords() endWords {
	return endWords{old: h.line[len("HTTP/1.")] == '0', closes: h.close, keeps: h.keep}
}

// hearBody reads the body of a server's answer, and judges how it ends.
func (c *webClient) hearBody(t *webTrack, f *webFate, body *webBody, h *webHead) next {
	q, start := t.request, c.in.taken
	words := h.endWords() // h is overwritten while the body is read
	err := c.swallow(q, givenBody, body)
	if body.framing == ByEnd && c.overUnread(q, err) {
		err = io.EOF
	}
	t.record.Body = body.at
	if err == nil {
		return broken
	}
	want := q.Answer.Body
	if q.bodiless() || q.Expect.Status == 204 || q.Expect.Status == 304 {
		want = 0
	}
	if !errors.Is(err, io.EOF) {
		return c.cutOff(t, f, err, c.in.taken+len(c.in.left())-start)
	}
	t.record.Whole = true
	switch {
	case body.at == want && f.served:
		return c.after(q, f, words)
	case f.torn || c.Rough && c.unix && body.framing == ByEnd: // the connection may end without a reset here
		t.record.Whole = body.at == want
	case body.at <= want && body.framing == ByEnd && (f.short || f.cut && c.unix):
		t.record.Whole = body.at == want
		return c.allCame(t, f, body.at)
	default:
		c.failf(q, "%d of %d bytes of its answer came, and look whole", body.at, want)
	}
	return broken
}

// swallow reads a body to its end and compares it with the plan. It returns the error that ended
// it: io.EOF at its regular end; nil if a byte was wrong.
func (w *WebWorld) swallow(q *WebRequest, k streamKind, body *webBody) error {
	for {
		b, err := body.next(1 << 20)
		if err != nil {
			return err
		}
		if !w.compare(q, k, b, body.at-len(b)) {
			return nil
		}
	}
}

// allCame judges the number of bytes of an incomplete answer, after which the server has ended its
// connection. With exact, the client must get all bytes that the server sent.
func (c *webClient) allCame(t *webTrack, f *webFate, got int) next {
	if d := t.last(); f.exact && d != nil && got != d.sent && !c.Rough {
		c.failf(t.request, "%d bytes came behind the head of its answer; the server has sent %d", got, d.sent)
	}
	return broken
}

// cutOff judges an answer that ended within its body. got is the number of bytes after its head.
func (c *webClient) cutOff(t *webTrack, f *webFate, err error, got int) next {
	q := t.request
	t.record.Failed, t.record.Aborted = true, c.own(err)
	switch {
	case c.own(err) || c.Rough:
		return broken
	case errors.Is(err, os.ErrDeadlineExceeded):
		c.failf(q, "nothing comes any more within its answer")
	case isSyntax(err):
		c.failf(q, "within its answer: %v", err)
	case !f.cut:
		c.failf(q, "the connection ends behind %d bytes of its answer: %v", got, err)
	case errors.Is(err, io.ErrUnexpectedEOF) && !c.unix && !f.torn:
		c.failf(q, "its answer is not whole, and FIN came, not a reset")
	case entry(badAnswers, q.Answer.Bad) == nil:
		return c.allCame(t, f, got)
	}
	return broken
}

// after returns what must follow an answer that is whole. closes and keeps are the Connection
// options of the answer.
func (c *webClient) after(q *WebRequest, f *webFate, h endWords) next {
	closes, keeps := h.closes, h.keeps
	c.mayEnd = f.leaves || c.Draining || c.Sites != nil && c.Sites.Goes(c.plan.Number)
	switch {
	case !f.stays && !h.closes && !h.old && q.Malformed == "": // its body may be malformed behind the answer
		c.failf(q, "its answer does not announce the end of the connection")
		return broken
	case !f.stays:
		return endsHere
	case c.isLate(q) && !h.closes && !h.old:
		c.failf(q, "the balancer drains or has lost the frontend, and its answer does not announce the end of the connection")
		return broken
	case closes && !c.mayEnd:
		c.failf(q, "its answer announces the end of the connection")
		return broken
	case closes:
		return endsHere
	case q.Old && !keeps && !c.mayEnd:
		c.failf(q, "its answer in HTTP/1.0 does not announce that the connection is kept")
		return broken
	}
	c.answered = c.plan.index(q) + 1
	return goesOn
}

// ours judges an answer that the balancer itself has given.
func (c *webClient) ours(t *webTrack, f *webFate, h *webHead, status int) next {
	q := t.request
	t.record.Own = true
	ruled := q.Expect.Answer == status
	location, _ := h.get("location")
	if !c.mayBe(q, f, status) {
		c.failf(q, "the balancer answers %q; want %s", h.line, f.wanted())
		return broken
	}
	if ruled && q.Expect.Location != "" && string(location) != q.Expect.Location {
		c.failf(q, "it is sent to %q; want %q", location, q.Expect.Location)
		return broken
	}
	words := h.endWords()
	headless := q.Method == "HEAD" && !c.plan.cutsHead(q) || status == 204 || status == 304
	body := c.in.bodyOf(h, q.Number, headless, true)
	var text []byte
	var err error
	for err == nil {
		var b []byte
		b, err = body.next(1 << 20)
		text = append(text, b...)
	}
	t.record.Body = len(text)
	switch {
	case !errors.Is(err, io.EOF):
		return c.cutOff(t, f, err, len(text))
	case ruled && !headless && q.Expect.Text != "" && string(text) != q.Expect.Text:
		c.failf(q, "the rule's answer is %q; want %q", text, q.Expect.Text)
		return broken
	}
	t.record.Whole = true
	if !ruled && words.closes {
		return endsHere
	}
	return c.after(q, f, words)
}

// inTunnel reads the server's bytes in the tunnel.
func (c *webClient) inTunnel(t *webTrack, f *webFate) next {
	q := t.request
	c.tunnel, c.answered = true, c.plan.index(q)+1
	t.record.Aborted = c.plan.Fault == ClientRests // its timeout ends the tunnel
	body := webBody{in: &c.in, framing: ByEnd}
	err := c.swallow(q, tunnelDown, &body)
	t.record.Body = body.at
	switch {
	case err == nil:
	case !errors.Is(err, io.EOF):
		return c.cutOff(t, f, err, body.at)
	case body.at == q.Answer.Body && f.served:
		t.record.Whole = true
		return endsHere
	case f.torn || c.Rough || body.at <= q.Answer.Body && (f.short || f.cut && c.unix):
		return c.allCame(t, f, body.at)
	default:
		c.failf(q, "%d of %d bytes came through the tunnel, and look whole", body.at, q.Answer.Body)
	}
	return broken
}
