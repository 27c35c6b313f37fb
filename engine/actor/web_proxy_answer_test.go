package actor

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
)

// hear passes the answer on. heard means that a byte of it has come, more that another request may
// follow, and done that the client has an answer or a part of it.
func (s *proxied) hear(t *webTrack) (heard, more, done bool) {
	q, in := t.request, &s.server.in
	for {
		s.server.patient(s.patience)
		start := in.taken
		h, err := in.head()
		heard = len(s.server.all) > start || heard
		if errors.Is(err, os.ErrDeadlineExceeded) {
			s.drop()
			return true, s.refuse(504, q.Method == "HEAD"), true
		}
		status := statusOf(h.line)
		if err != nil || status < 100 || q.wrongAnswer(&h, status) {
			return heard || isSyntax(err), false, false
		}
		if status < 200 && status != 101 {
			if !q.Old || s.sinned("passes interim answers to HTTP/1.0") {
				_ = s.say(s.server.all[start:in.taken])
			}
			continue
		}
		if q.Expect.Answer != 0 {
			s.drop()
			return true, s.rule(q), true
		}
		return true, s.final(t, &h, status, start), true
	}
}

// wrongAnswer reports whether an answer breaks rules that the reader does not know.
func (q *WebRequest) wrongAnswer(h *webHead, status int) bool {
	return status == 101 && !q.Upgrade || bytes.HasPrefix(h.line, []byte("HTTP/1.0")) && h.chunked
}

// final passes on the final answer. It reports whether another request may follow.
func (s *proxied) final(t *webTrack, h *webHead, status, start int) bool {
	q, in := t.request, &s.server.in
	if q.tunnels() {
		_ = s.say(s.server.all[start:in.taken])
		s.tunnel()
		return false
	}
	old := bytes.HasPrefix(h.line, []byte("HTTP/1.0"))
	lastOfServer := h.close || old && !h.keep
	body := in.bodyOf(h, q.Number, q.bodiless(), true)
	middle := in.taken
	var err error
	for err == nil {
		s.server.patient(s.patience)
		_, err = body.next(1 << 20)
	}
	whole := errors.Is(err, io.EOF)
	end := in.taken
	switch {
	case isSyntax(err):
		end = middle
	case !whole:
		end = len(s.server.all)
	}
	ends := q.last() || q.untilEnd()
	head := s.rewriteAnswer(q, string(s.server.all[start:middle]), ends, old)
	text := s.spoil(q, head, string(s.server.all[middle:end]), whole)
	if err := s.say([]byte(text)); errors.Is(err, os.ErrDeadlineExceeded) { // the client takes no more
		s.end(true)
		return false
	}
	s.keepServer(q, whole, lastOfServer)
	switch {
	case !whole && !s.sinned("ends a part with FIN"):
		s.end(true)
		return false
	case ends && !s.sinned("goes on behind the end"), !whole:
		if s.sinned("resets behind the answer") {
			s.end(true)
			return false
		}
		if s.sinned("adds bytes behind the last answer") {
			_ = s.say([]byte("\r\n"))
		}
		s.end(false)
		return false
	}
	if s.sinned("ends behind an answer") {
		s.end(false)
		return false
	}
	return true
}

// keepServer keeps the server's connection for the next request if that is safe.
func (s *proxied) keepServer(q *WebRequest, whole, last bool) {
	unread := len(s.server.in.left()) > 0 && !s.sinned("takes added bytes for an answer")
	if !whole || last || unread || q.untilEnd() {
		s.drop()
	}
}

// rewriteAnswer changes the fields that concern connections.
func (s *proxied) rewriteAnswer(q *WebRequest, head string, ends, old bool) string {
	head = strings.ReplaceAll(head, "Connection: close\r\n", "")
	head = strings.ReplaceAll(head, "Connection: keep-alive\r\n", "")
	head = strings.TrimSuffix(head, "\r\n")
	if n := len("HTTP/1.1 200"); head[n] == '\r' {
		head = head[:n] + " " + head[n:]
	}
	switch {
	case ends:
		head += "Connection: close\r\n"
	case q.Old || old:
		head += "Connection: keep-alive\r\n"
	}
	return head + "\r\n"
}

// spoil does what the proxy does wrong with an answer.
func (s *proxied) spoil(q *WebRequest, head, body string, whole bool) string {
	a := &q.Answer
	text, before := head+body, s.latest
	defer func() { s.stale, s.latest = []byte(text), s }()
	long := whole && !q.bodiless() && a.Body > 20
	switch {
	case before != nil && before != s && whole && s.sinned("gives another client's answer"):
		return string(before.stale)
	case s.stale != nil && !q.last() && whole && s.sinned("gives the answer before once more"):
		return string(s.stale)
	case long && s.sinned("changes a byte of an answer"):
		return head + body[:len(body)-12] + "x" + body[len(body)-11:]
	case long && a.Framing == ByLength && s.sinned("shortens an answer"):
		return strings.Replace(head, fmt.Sprint("Content-Length: ", a.Body), fmt.Sprint("Content-Length: ", a.Body-10), 1) + body[:len(body)-10]
	case long && a.Framing == ByChunks && s.sinned("ends chunks early"):
		size, _, _ := strings.Cut(body, "\r\n")
		return head + body[:len(size)+2+int(hexOf(size))+2] + "0\r\n\r\n"
	case s.sinned("changes a status"):
		return strings.Replace(head, " Said", "0 Said", 1) + body
	}
	return text
}

func hexOf(text string) (n int64) {
	text, _, _ = strings.Cut(text, ";")
	_, _ = fmt.Sscanf(text, "%x", &n)
	return n
}

// tunnel passes bytes on in both directions.
func (s *proxied) tunnel() {
	client, server := s.client, s.server
	client.conn.Deadline(0)
	server.conn.Deadline(0)
	up := s.actor.Go("up", func(b *Actor) { s.pump(b, client, server) })
	s.pump(s.actor, server, client)
	s.actor.Join(up)
	s.end(false)
}

// pump passes bytes on in one direction, and FIN or RST behind them.
func (s *proxied) pump(a *Actor, from, to *tap) {
	for {
		if left := from.in.left(); len(left) > 0 {
			if _, err := to.conn.Write(from.in.take(len(left))); err != nil {
				to.sendErr = err
				if to == s.client { // nobody takes the server's bytes
					_ = from.conn.Reset()
				}
				return
			}
		}
		if err := from.in.fill(); err != nil {
			if errors.Is(err, io.EOF) && !s.sinned("resets a tunnel") {
				_ = to.conn.CloseWrite()
				return
			}
			c := to.conn
			a.Until("waits for acknowledgements", func() bool {
				n, _ := c.process.Unsent(c.fd)
				return n == 0 || c.shows(writable&^4)
			})
			_ = c.Reset()
			return
		}
	}
}
