package actor

import (
	"bytes"
	"errors"
	"io"
	"math"
	"strconv"

	"golang.org/x/sys/unix"

	"sluice/engine/kernel"
)

// WebServer is a server in mode http. It follows the plan of each request.
type WebServer struct {
	Name    string         // name of the server, and the value of the cookie that identifies it
	Backend string         // name of its backend
	At      kernel.Address // address on which it listens
	Backlog int            // backlog of Serve's listening socket; 0: 1
	// FastOpen means that requests may come in a SYN. If such a connection fails, the balancer may
	// send the request again (RFC 7413 2.2).
	FastOpen bool
}

// Serve starts a server. It runs until the cast is stopped, or until its listener is closed.
func (w *WebWorld) Serve(s WebServer) *Actor {
	return w.Cast.Spawn(s.Name, func(a *Actor) {
		l, err := a.Listen(s.At, max(s.Backlog, 1))
		if err != nil {
			w.Cast.Failf("server %s cannot listen: %v", s.Name, err)
			return
		}
		w.ServeOn(s, a, l)
	})
}

// ServeOn serves the connections of a listener until it is closed.
func (w *WebWorld) ServeOn(s WebServer, a *Actor, l *Listener) {
	for n := 0; ; n++ {
		conn, err := l.Accept()
		switch {
		case errors.Is(err, unix.ECONNABORTED):
			continue
		case err != nil:
			return
		}
		a.Go("connection "+strconv.Itoa(n), func(b *Actor) {
			c := &webService{WebWorld: w, WebServer: s, actor: b, conn: conn}
			c.run()
		})
	}
}

// webService serves one connection to a server.
type webService struct {
	*WebWorld
	WebServer
	actor   *Actor
	conn    *Conn
	in      webReader
	gulp    int       // maximum number of bytes of a read; 0: no limit
	gulps   int       // number of small reads so far
	prior   *webTrack // the latest request on this connection; nil: none
	shut    bool      // Connection: close was sent or received
	sendErr error     // error of sending the latest answer; nil: none
}

func (s *webService) run() {
	s.in = webReader{from: s, buf: s.fullBuffer()}
	for s.next() {
	}
	s.end()
	_ = s.conn.Close()
	s.free(s.in.buf)
}

// end records, at the latest request, that the connection has ended.
func (s *webService) end() {
	if s.prior == nil {
		return
	}
	s.prior.settled = true
	if d := s.prior.last(); d != nil {
		d.ended = true
	}
}

// Read reads from the connection, with small reads as the plan demands.
func (s *webService) Read(b []byte) (int, error) {
	if s.gulp > 0 && s.gulps < mostGulps {
		s.gulps++
		b = b[:min(len(b), s.gulp)]
	}
	n, err := s.conn.Read(b)
	return n, unlessReset(err, s.sendErr)
}

// next serves one request. It reports whether the connection can serve another one.
func (s *webService) next() bool {
	early := s.unheard()
	var d *webDelivery
	if early != nil {
		if d = s.admit(early); !s.say(early, d) {
			return false
		}
	}
	h, err := s.in.head()
	switch {
	case err != nil:
		s.headless(err)
		return false
	case s.CheckPath != "" && s.checked(&h):
		return s.answerCheck(h.close)
	}
	t := s.locate(h.line, h.number)
	if t == nil {
		s.Cast.Failf("server %s got %q, which nobody sent%s", s.Name, h.line, s.behind())
		return false
	}
	if early == nil {
		d = s.admit(t)
	}
	s.judge(t.request, &h)
	body, closes := s.in.bodyOf(&h, t.request.Number, false, false), h.close // h is overwritten
	if early == nil && !s.serve(t, d, &body) {
		return false
	}
	return s.drain(t, d, &body, math.MaxInt) && s.goesOn(t.request, closes)
}

// unheard reads the request line. It returns the request if the plan demands its answer before the
// rest of the head is read; otherwise nil.
func (s *webService) unheard() *webTrack {
	for {
		if i := bytes.Index(s.in.left(), crlf); i >= 0 {
			t := s.locate(s.in.left()[:i], -1)
			if t != nil && t.request.Answer.Blind {
				return t
			}
			return nil
		}
		if s.in.fill() != nil {
			return nil
		}
	}
}

// headless judges an error that came in place of a request.
func (s *webService) headless(err error) {
	if !isSyntax(err) {
		return // the end of the connection
	}
	if s.prior == nil {
		s.Cast.Failf("server %s: %v", s.Name, err)
		return
	}
	s.failf(s.prior.request, "behind it came to server %s: %v", s.Name, err)
}

// checked reports whether the request is a health check.
func (s *webService) checked(h *webHead) bool {
	_, target, _ := bytes.Cut(h.line, blankByte)
	target, _, _ = bytes.Cut(target, blankByte)
	return string(target) == s.CheckPath
}

func (s *webService) answerCheck(closes bool) bool {
	text := "HTTP/1.1 200 Well\r\nContent-Length: 0\r\n\r\n"
	if s.Sick != nil && s.Sick(s.Name) {
		text = "HTTP/1.1 503 Sick\r\nContent-Length: 0\r\n\r\n"
	}
	_, err := s.conn.Write([]byte(text))
	return err == nil && !closes
}

// serve reads the body of a request and answers as planned. It reports whether the connection can
// serve another request.
func (s *webService) serve(t *webTrack, d *webDelivery, body *webBody) bool {
	a := &t.request.Answer
	s.gulp = a.Gulp
	if a.Fault == ServerDies && d.kept && len(t.deliveries) == 1 {
		_ = s.drain(t, d, body, a.At)
		s.die(t)
		return false
	}
	if a.Said100 {
		d.wrote, _ = s.conn.Write([]byte(interims[2]))
	}
	most := math.MaxInt
	if a.Early >= 0 {
		most = a.Early
	}
	return s.drain(t, d, body, most) && s.say(t, d)
}

// die ends a kept connection on which a request has come, without an answer.
func (s *webService) die(t *webTrack) {
	s.end()
	if t.request.Answer.Acked {
		_ = s.conn.Reset()
	}
	_ = s.conn.Close()
}

// drain reads the body of a request up to most bytes. It returns false if the body is incomplete or
// a byte is wrong.
func (s *webService) drain(t *webTrack, d *webDelivery, body *webBody, most int) bool {
	q := t.request
	for body.at < most {
		b, err := body.next(most - body.at)
		if err != nil {
			d.body = body.at
			return s.bodyEnds(t, body, err)
		}
		if !s.compare(q, askedBody, b, body.at-len(b)) {
			return false
		}
	}
	d.body = body.at
	return true
}

// bodyEnds judges the end of a request's body. It reports whether the body is whole.
func (s *webService) bodyEnds(t *webTrack, body *webBody, err error) bool {
	q := t.request
	switch {
	case isSyntax(err) && q.Malformed == "":
		s.failf(q, "its body at server %s: %v", s.Name, err)
		return false
	case isSyntax(err): // the balancer may notice it later
		s.awaitEnd()
		return false
	case !errors.Is(err, io.EOF):
		return false
	case q.Malformed != "":
		s.failf(q, "it is malformed, and looks whole to server %s", s.Name)
		return false
	case !t.record.Sent:
		s.failf(q, "its client has sent a part of it, and it looks whole to server %s", s.Name)
		return false
	case body.at != q.Body:
		s.failf(q, "%d of %d bytes of its body came to server %s, and look whole", body.at, q.Body, s.Name)
		return false
	}
	return true
}

// goesOn reports whether the server waits for another request on the connection. After an announced
// end it still does so in some cases, to check that none comes.
func (s *webService) goesOn(q *WebRequest, closes bool) bool {
	a := &q.Answer
	open := a.Old && q.Number%2 == 1 && !a.Close // the answer is HTTP/1.0 without keep-alive
	if q.untilEnd() || (closes || a.Close || open) && q.Number%4 < 2 {
		return false
	}
	s.shut = closes || a.Close || open
	return true
}
