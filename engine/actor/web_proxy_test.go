package actor

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"sluice/engine/kernel"
)

// webProxy is a small balancer for tests. It reads each message to its end before it passes it on.
// It knows the plans, so that it need not parse rules. sin is the one thing that it does wrong.
type webProxy struct {
	*WebWorld
	at       kernel.Address
	backends map[string][]kernel.Address
	patience time.Duration
	sin      string
	sins     int // how often it has sinned
	picks    int
	latest   *proxied // whose answer was passed on last
}

// sinned reports whether the proxy must do wrong now.
func (p *webProxy) sinned(what string) bool {
	if p.sin != what {
		return false
	}
	p.sins++
	return true
}

func (p *webProxy) run(a *Actor) {
	l, err := a.Listen(p.at, 100)
	if err != nil {
		p.Cast.Failf("the proxy: %v", err)
		return
	}
	for n := 0; ; n++ {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		a.Go(fmt.Sprint(n), func(b *Actor) {
			s := &proxied{webProxy: p, actor: b, client: newTap(conn)}
			for s.exchange() {
			}
		})
	}
}

// tap is a connection whose bytes are read as messages and as they are.
type tap struct {
	conn    *Conn
	in      webReader
	all     []byte
	sendErr error // of the tunnel
}

func newTap(c *Conn) *tap {
	t := &tap{conn: c}
	t.in = webReader{from: t, buf: make([]byte, 2048)}
	return t
}

func (t *tap) Read(b []byte) (int, error) {
	n, err := t.conn.Read(b)
	t.all = append(t.all, b[:max(n, 0)]...)
	return n, unlessReset(err, t.sendErr)
}

// patient sets how long the next reads wait.
func (t *tap) patient(span time.Duration) { t.conn.Deadline(t.conn.cast.Kernel.Now() + span) }

// proxied is one connection of a client.
type proxied struct {
	*webProxy
	actor   *Actor
	client  *tap
	server  *tap // nil: none
	backend string
	used    bool // the server has served a request on this connection
	served  int  // requests
	stale   []byte
}

// exchange serves one request. It reports whether another may follow.
func (s *proxied) exchange() bool {
	in := &s.client.in
	s.client.patient(s.patience)
	start := in.taken
	h, err := in.head()
	if err != nil {
		return s.noHead(err, len(in.left()) > 0, h)
	}
	_, target, _ := bytes.Cut(h.line, blankByte)
	target, _, _ = bytes.Cut(target, blankByte)
	t := s.tracks[max(numberOf(target), h.number)]
	if t == nil {
		return s.refuse(400, false)
	}
	q := t.request
	bad := entry(badRequests, q.Malformed)
	if s.sinned("says nothing") {
		s.actor.Until("says nothing", func() bool { return false })
	}
	switch {
	case s.sinned("refuses a request for nothing"):
		return s.refuse(503, q.Method == "HEAD")
	case bad != nil && bad.head != "" && !s.sinned("lets a malformed request through"):
		return s.refuse(bad.status, false)
	case q.ruled() && !s.sinned("lets a refused request through"):
		return s.rule(q)
	}
	body := in.bodyOf(&h, q.Number, false, false)
	for err == nil {
		s.client.patient(s.patience)
		_, err = body.next(1 << 20)
	}
	switch {
	case isSyntax(err):
		return s.refuse(400, false)
	case errors.Is(err, os.ErrDeadlineExceeded):
		return s.refuse(408, false)
	case !errors.Is(err, io.EOF) && h.chunked && body.left == 0 && s.sinned("completes a request"):
		s.client.all = append(s.client.all[:in.taken], "0\r\n\r\n"...)
		_ = s.pass(t, s.client.all[start:])
		return false
	case !errors.Is(err, io.EOF):
		s.end(true)
		return false
	}
	s.served++
	return s.pass(t, s.client.all[start:in.taken])
}

// noHead is called when there is no complete head.
func (s *proxied) noHead(err error, begun bool, _ webHead) bool {
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded) && (begun || s.served == 0):
		return s.refuse(408, false)
	case begun && !errors.Is(err, unix.ECONNRESET), isSyntax(err), s.served == 0 && errors.Is(err, io.EOF):
		return s.refuse(400, false)
	}
	s.end(false)
	return false
}

// refuse ends the connection with an answer.
func (s *proxied) refuse(status int, head bool) bool {
	if s.sinned("says nothing after a failure") {
		s.end(false)
		return false
	}
	text := fmt.Sprintf("HTTP/1.1 %d Own\r\ncontent-length: 4\r\nconnection: close\r\n\r\n", status)
	if !head {
		text += "page"
	}
	_ = s.say([]byte(text))
	s.end(false)
	return false
}

// say writes to the client.
func (s *proxied) say(text []byte) error {
	s.client.patient(100 * s.patience)
	_, err := s.client.conn.Write(text)
	return err
}

// rule answers in place of a server.
func (s *proxied) rule(q *WebRequest) bool {
	ends := q.hasBody() || q.last()
	text := fmt.Sprintf("HTTP/1.1 %d Own\r\ncontent-length: 2\r\n", q.Expect.Answer)
	switch {
	case ends:
		text += "connection: close\r\n"
	case q.Old:
		text += "connection: keep-alive\r\n"
	}
	text += "\r\n"
	if q.Method != "HEAD" {
		text += "no"
	}
	err := s.say([]byte(text))
	if err != nil || ends {
		s.end(false)
		return false
	}
	s.served++
	return true
}

// end closes the client's connection, with RST when it has all bytes, or with FIN.
func (s *proxied) end(abrupt bool) {
	s.drop()
	c := s.client.conn
	if abrupt {
		s.actor.Until("waits for acknowledgements", func() bool {
			n, _ := c.process.Unsent(c.fd)
			return n == 0 || c.shows(unix.EPOLLERR|unix.EPOLLHUP)
		})
		_ = c.Reset()
		return
	}
	_ = c.CloseWrite()
	s.client.patient(s.patience)
	for {
		if _, err := s.client.Read(make([]byte, 4096)); err != nil {
			break
		}
	}
	_ = c.Close()
}

// drop closes the server's connection.
func (s *proxied) drop() {
	if s.server != nil {
		_ = s.server.conn.Close()
		s.server = nil
	}
}

// dial makes sure that there is a connection to a server of the backend.
func (s *proxied) dial(q *WebRequest) bool {
	if s.server != nil && (s.backend != q.Expect.Backend || s.server.conn.shows(readable)) {
		s.drop()
	}
	if s.server != nil {
		s.used = true
		return true
	}
	s.backend, s.used = q.Expect.Backend, false
	if s.sinned("chooses a wrong backend") {
		s.backend = map[string]string{"one": "two", "two": "one"}[s.backend]
	}
	servers := s.backends[s.backend]
	s.picks++
	conn, err := s.actor.Dial(servers[s.picks%len(servers)])
	if err != nil {
		return false
	}
	s.server = newTap(conn)
	return true
}

// ask sends the request, beside the reading of the answer.
func (s *proxied) ask(text []byte) *Actor {
	conn := s.server.conn
	return s.actor.Go("asks", func(*Actor) { _, _ = conn.Write(text) })
}

// pass sends a request to a server, and its answer to the client.
func (s *proxied) pass(t *webTrack, text []byte) bool {
	q := t.request
	text = s.rewriteRequest(q, text)
	for again := false; ; again = true {
		if !s.dial(q) {
			return s.refuse(503, q.Method == "HEAD")
		}
		asks := s.ask(text)
		heard, more, done := s.hear(t)
		if !done && s.server != nil && !heard && s.used && !again && s.repeats(q) {
			s.drop()
			s.actor.Join(asks)
			continue
		}
		if !done {
			s.drop()
			s.actor.Join(asks)
			return s.refuse(502, q.Method == "HEAD")
		}
		if more {
			s.actor.Join(asks)
		}
		return more
	}
}

func (s *proxied) repeats(q *WebRequest) bool {
	if s.sinned("repeats a POST") {
		return true
	}
	return q.idempotent() && !s.sinned("repeats nothing")
}

var connectionLine = regexp.MustCompile(`(?i)\r?\nconnection:[ \t]*(close|keep-alive)[ \t]*`)

// rewriteRequest changes the fields that concern connections.
func (s *proxied) rewriteRequest(q *WebRequest, text []byte) []byte {
	head, body, _ := strings.Cut(string(text), "\r\n\r\n")
	head = connectionLine.ReplaceAllString(head, "")
	if q.Old {
		head += "\r\nConnection: keep-alive"
	}
	switch {
	case q.Body > 8 && s.sinned("changes a byte of a request"):
		body = body[:len(body)-8] + "x" + body[len(body)-7:]
	case q.Framing == ByLength && q.Body > 1 && s.sinned("shortens a request"):
		head = strings.Replace(head, fmt.Sprint("Content-Length: ", q.Body), fmt.Sprint("Content-Length: ", q.Body-1), 1)
	case q.Fill > 0 && s.sinned("shortens a field"):
		head = strings.Replace(head, "..", ".", 1)
	}
	all := head + "\r\n\r\n" + body
	if !q.idempotent() && s.sinned("sends a request twice") {
		all += all
	}
	return []byte(all)
}
