package actor

import (
	"bytes"
	"errors"
	"io"
	"math"
	"slices"

	"golang.org/x/sys/unix"
)

// say sends the answer of a request, with the planned fault. It reports whether the connection can
// serve another request.
func (s *webService) say(t *webTrack, d *webDelivery) bool {
	q := t.request
	a := &q.Answer
	if a.Wait > 0 {
		s.actor.Pause(a.Wait)
	}
	if a.Urgent {
		if s.sendErr = s.conn.urge(); s.sendErr != nil {
			return false
		}
	}
	d.late = s.Drains != nil && s.Drains()
	if s.Sites != nil {
		s.Sites.Answers(q.Number)
	}
	text := q.appendAnswer(s.buffer())
	defer func() { s.free(text.bytes) }()
	most := len(text.bytes)
	if a.Fault == ServerCloses || a.Fault == ServerFIN || a.Fault == ServerResets || a.Fault == ServerStops {
		most = min(most, a.At)
	}
	if q.tunnels() && most >= text.body {
		return s.tunnel(t, d, text, most)
	}
	tail := q.tail(text)
	if !s.write(s.actor, q, d, text, most-tail) {
		return false
	}
	if a.Fault == ServerAdds {
		return s.add(t, text.bytes[most-tail:])
	}
	return s.misbehave(t, d, most == len(text.bytes))
}

// tail returns how many last bytes of the answer are sent in one write with the added bytes after
// it; 0: none.
func (q *WebRequest) tail(text answerText) int {
	if q.Answer.Fault != ServerAdds || q.Answer.Apart {
		return 0
	}
	return min(1+q.Number*7919%3000, len(text.bytes)-text.head-1)
}

// write sends the first most bytes of an answer. It reports whether all of them were sent. a is the
// running coroutine.
func (s *webService) write(a *Actor, q *WebRequest, d *webDelivery, text answerText, most int) bool {
	d.begun = most > text.head
	n, err := a.writePieces(s.conn, text.bytes[:most], q.Answer.Piece, q.Answer.Pause)
	d.wrote += n
	d.sent = max(0, n-text.body)
	d.heard = d.wrote > 0 && !q.abrupt()
	s.sendErr = err
	return err == nil
}

// misbehave performs the server's fault, after the bytes before it have been sent. whole means that
// these are the whole answer. It reports whether the connection can serve another request.
func (s *webService) misbehave(t *webTrack, d *webDelivery, whole bool) bool {
	q := t.request
	a := &q.Answer
	switch a.Fault {
	case ServerErrs:
		s.awaitEnd()
		return false
	case ServerStops:
		if whole && !q.untilEnd() {
			return true
		}
		s.fallSilent(q)
		return false
	case ServerCloses, ServerFIN, ServerResets:
		if next := s.after(t); next != nil && a.Late && whole && !q.untilEnd() {
			s.actor.Until("waits for the next request", func() bool { return next.started || s.conn.shows(readable) })
		}
		s.leave(s.actor, d, a)
		t.settled = true
		if a.Fault == ServerFIN {
			s.awaitEnd()
		}
		return false
	}
	return true
}

// leave ends the connection as the fault demands. a is the running coroutine.
func (s *webService) leave(a *Actor, d *webDelivery, answer *WebAnswer) {
	if answer.Acked {
		s.awaitAcks(a, 1)
	}
	if s.conn.unsent() < d.wrote {
		d.heard = true
	}
	d.ended = true
	if answer.Fault != ServerResets && answer.Acked {
		_ = s.conn.CloseWrite()
		s.awaitAcks(a, 1)
	}
	switch answer.Fault {
	case ServerFIN:
		_ = s.conn.CloseWrite()
	case ServerResets:
		_ = s.conn.Reset()
	default:
		_ = s.conn.Close()
	}
}

// awaitAcks waits until fewer than some bytes are not acknowledged by the balancer's kernel. Over a
// UNIX socket, bytes arrive at once, so it returns at once.
func (s *webService) awaitAcks(a *Actor, some int) {
	if s.At.IsUnix() {
		return
	}
	c := s.conn
	a.Until("waits until bytes are acknowledged", func() bool {
		if c.shows(unix.EPOLLERR | unix.EPOLLHUP) {
			return true
		}
		return c.unsent() < some
	})
}

// unsent returns the number of sent bytes that are not acknowledged. During a handshake it is the
// largest int: TCP Fast Open lets a server accept a client before the handshake ends, and SIOCOUTQ
// is 0 then.
func (c *Conn) unsent() int {
	if info, e := c.process.Info(c.fd); e == 0 && info.Handshaking {
		return math.MaxInt
	}
	left, _ := c.process.Unsent(c.fd)
	return left
}

// add sends the tail of an answer and more bytes after it. The client sends its next request only
// when the balancer's kernel has the first of these bytes. The balancer need not read more of them
// before that request comes.
func (s *webService) add(t *webTrack, tail []byte) bool {
	if t.request.Answer.Apart {
		s.actor.Pause(1 + t.request.Answer.Pause)
	}
	text := append(slices.Clone(tail), t.request.added()...)
	n, err := 0, error(nil)
	for n <= len(tail) && err == nil {
		k := 0
		k, err = s.conn.Some(text[n:])
		n += k
	}
	s.awaitAcks(s.actor, n-len(tail))
	t.settled = true
	if err == nil {
		_, err = s.conn.Write(text[n:])
	}
	if err == nil {
		s.awaitEnd()
	}
	return false
}

// fallSilent waits for the end of the connection without sending. It reads the incoming bytes only
// if the request's number is even. Otherwise unread bytes may keep the peer's FIN from arriving.
func (s *webService) fallSilent(q *WebRequest) {
	if q.Number%2 == 0 {
		s.awaitEnd()
		return
	}
	s.conn.Deadline(s.Cast.Kernel.Now() + mostSilence)
	s.actor.Until("is silent", func() bool { return s.conn.shows(unix.EPOLLRDHUP | unix.EPOLLHUP | unix.EPOLLERR) })
}

// awaitEnd reads until the connection ends. If the answer certainly ends the connection, a request
// that comes meanwhile is a failure. After FIN, a request may have been on its way.
func (s *webService) awaitEnd() {
	q := s.prior.request
	certain := q.Answer.Fault != ServerFIN && q.Answer.Early < 0
	for {
		b := s.in.left()
		if certain && bytes.Contains(b, []byte("X-Number: ")) {
			s.failf(q, "behind its answer, which ends the connection, came to server %s %.60q", s.Name, b)
			return
		}
		s.in.take(len(b))
		if s.in.fill() != nil {
			return
		}
	}
}

// tunnel sends and reads bytes in a tunnel. most is the number of bytes that the server sends
// before its fault or end.
func (s *webService) tunnel(t *webTrack, d *webDelivery, text answerText, most int) bool {
	q := t.request
	body := webBody{in: &s.in, framing: ByEnd}
	sender := s.actor.Go("sends", func(b *Actor) {
		if !s.write(b, q, d, text, most) {
			return
		}
		switch q.Answer.Fault {
		case ServerCloses, ServerResets:
			s.leave(b, d, &q.Answer)
		default:
			_ = s.conn.CloseWrite()
		}
	})
	err := s.swallow(q, tunnelUp, &body)
	d.body = body.at
	if errors.Is(err, io.EOF) && body.at != q.Up && t.plan.Fault == Polite && q.Answer.Fault == Fair && !s.Rough {
		s.failf(q, "%d of %d bytes came through the tunnel to server %s, and look whole", body.at, q.Up, s.Name)
	}
	s.actor.Join(sender)
	return false
}
