//go:build !simulation

package engine

import (
	"errors"
	"io"
	"net"
	"regexp"
	"strings"
	"testing"
	"time"
)

// webLine matches the parts of a line of option httplog that tests read: status, termination
// state and request.
var webLine = regexp.MustCompile(`^\S+ \[\S+\] f \S+ \S+ (-?\d+) \d+ \S+ \S+ (....) \S+ \S+ "(.*)"$`)

// wantWeb checks the next log line of a request: `status term "request"`.
func (b *balancer) wantWeb(want string) {
	b.t.Helper()
	line := b.line()
	m := webLine.FindStringSubmatch(line)
	if m == nil {
		b.t.Fatalf("not a line of httplog: %q", line)
	}
	if got := m[1] + " " + m[2] + ` "` + m[3] + `"`; got != want {
		b.t.Errorf("logged %s; want %s\n%s", got, want, line)
	}
}

// impatient starts a balancer with short timeouts.
func impatient(t *testing.T, serve func(*net.TCPConn)) *balancer {
	t.Helper()
	return start(t, webDefaults+`
  timeout client 400ms
  timeout server 200ms
  timeout http-request 200ms
  timeout http-keep-alive 100ms
frontend f
  bind 127.0.0.1:1
  default_backend b
backend b
  server s `+newPeer(t, serve).String())
}

// TestWebServerFaults: if a server fails before its answer, the client gets an error page. If
// it fails later, the answer is cut off visibly, so that no client takes the part for the
// whole.
func TestWebServerFaults(t *testing.T) {
	for _, c := range []struct {
		name   string
		serve  func(*net.TCPConn)
		status string
		cut    bool
		line   string
	}{
		{"silent", silent, "504", false, `504 sH--`},
		{"gone", answers(""), "502", false, `502 SH--`},
		{"reset", func(c *net.TCPConn) { readHead(c); reset(c) }, "502", false, `502 SH--`},
		{"garbage", answers("220 mail.test ESMTP\r\n"), "502", false, `502 PH--`},
		{"half a head", answers("HTTP/1.1 200 OK\r\nContent-"), "502", false, `502 SH--`},
		{"half a body", answers("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf"), "200", true, `200 SD--`},
		{"half of the chunks", answers("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n"), "200", true, `200 SD--`},
		{"no last line", answers("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n0\r\n"), "200", true, `200 SD--`},
		{"a bad chunk", answers("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\nx\r\n"), "200", true, `200 PD--`},
		{"half a body, then reset", func(c *net.TCPConn) {
			answers("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf")(c)
			waitSent(t, c)
			reset(c)
		}, "200", true, `200 SD--`},
		{"half a body, then silence", func(c *net.TCPConn) {
			answers("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf")(c)
			silent(c)
		}, "200", true, `200 sD--`},
		{"without a length, then silence", func(c *net.TCPConn) {
			answers("HTTP/1.1 200 OK\r\n\r\nhalf")(c)
			silent(c)
		}, "200", true, `200 sD--`},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := impatient(t, c.serve)
			conn := b.dial("f")
			_, _ = io.WriteString(conn, head("a.test"))
			got, err := io.ReadAll(conn)
			if !strings.HasPrefix(string(got), "HTTP/1.1 "+c.status+" ") {
				t.Errorf("got %q; want status %s", got, c.status)
			}
			if isReset(err) != c.cut || err != nil && !isReset(err) {
				t.Errorf("after %q: %v; want a reset: %v", got, err, c.cut)
			}
			if c.cut && !strings.Contains(string(got), "half") {
				t.Errorf("got %q without what had come", got)
			}
			b.wantWeb(c.line + ` "GET / HTTP/1.1"`)
		})
	}
}

// TestWebSlowClients: a request must be complete before its timeout. A connection that is idle
// between two requests is closed without an answer.
func TestWebSlowClients(t *testing.T) {
	const ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
	b := impatient(t, func(c *net.TCPConn) {
		for readHead(c) != "" {
			_, _ = io.WriteString(c, ok)
		}
	})
	for _, c := range []struct{ name, send, want, line string }{
		{"nothing", "", "HTTP/1.1 408 ", `408 cR-- "<BADREQ>"`},
		{"half a head", "GET / HTTP/1.1\r\nHo", "HTTP/1.1 408 ", `408 cR-- "<BADREQ>"`},
		{"between requests", head("a.test"), ok, ""},
		{"half of a second head", head("a.test") + "GET /2", ok + "HTTP/1.1 408 ", `408 cR-- "<BADREQ>"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			conn := b.dial("f")
			_, _ = io.WriteString(conn, c.send)
			got, err := io.ReadAll(conn)
			if err != nil || !strings.HasPrefix(strings.ToLower(string(got)), strings.ToLower(c.want)) {
				t.Errorf("got %q, %v; want %q", got, err, c.want)
			}
			if strings.HasPrefix(c.send, head("a.test")) {
				b.wantWeb(`200 ---- "GET / HTTP/1.1"`)
			}
			if c.line != "" {
				b.wantWeb(c.line)
			}
		})
	}
}

// TestWebSlowBody: a client that stops within its body gets an error. The server must not get a
// request that looks complete.
func TestWebSlowBody(t *testing.T) {
	ends := make(chan error, 1)
	b := start(t, webDefaults+`
  timeout client 200ms
frontend f
  bind 127.0.0.1:1
  default_backend b
backend b
  server s `+newPeer(t, func(c *net.TCPConn) {
		readHead(c)
		_, err := io.Copy(io.Discard, c)
		ends <- err
	}).String())
	conn := b.dial("f")
	_, _ = io.WriteString(conn, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhalf")
	got, err := io.ReadAll(conn)
	if err != nil || !strings.HasPrefix(string(got), "HTTP/1.1 408 ") {
		t.Errorf("got %q, %v", got, err)
	}
	if err := <-ends; err != nil {
		t.Log(err)
	}
	b.wantWeb(`408 cH-- "POST / HTTP/1.1"`)
}

// TestWebClientAborts: a client that has failed ends the request at its server too.
func TestWebClientAborts(t *testing.T) {
	for _, c := range []struct{ name, send, line string }{
		{"while it waits", head("a"), `-1 CH-- "GET / HTTP/1.1"`},
		{"in its body", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhalf", `-1 CD-- "POST / HTTP/1.1"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			ended := make(chan bool, 1)
			b := start(t, webDefaults+`
frontend f
  bind 127.0.0.1:1
  default_backend b
backend b
  server s `+newPeer(t, func(conn *net.TCPConn) {
				readHead(conn)
				_, _ = io.WriteString(conn, "HTTP/1.1 100 Continue\r\n\r\n")
				_, _ = io.Copy(io.Discard, conn)
				ended <- true
			}).String())
			conn := b.dial("f")
			_, _ = io.WriteString(conn, c.send)
			readHead(conn)
			reset(conn)
			<-ended
			b.wantWeb(c.line)
		})
	}
}

// TestWebStalledReader: bytes for a client that does not read stay at the server.
func TestWebStalledReader(t *testing.T) {
	sent := make(chan int64, 1)
	b := start(t, webDefaults+`
frontend f
  bind 127.0.0.1:1
  default_backend b
backend b
  server s `+newPeer(t, func(c *net.TCPConn) {
		readHead(c)
		_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 1073741824\r\n\r\n")
		_ = c.SetWriteDeadline(time.Now().Add(500 * time.Millisecond))
		n, err := io.Copy(c, &reading{what: newContent(0, 1<<30)})
		if !errors.Is(err, net.ErrClosed) && n >= 1<<30 {
			t.Error("all of it was taken")
		}
		sent <- n
	}).String())
	c := b.dial("f")
	_, _ = io.WriteString(c, head("a"))
	<-sent
	if held := b.Held(); held > 1<<20 {
		t.Errorf("%d bytes are held; want less than 1 MiB", held)
	}
	c.Close()
}

// TestWebServerFailsDuringUpload: a server that fails before its answer is answered for also while
// the body is still being sent. HAProxy closes the connection without a word.
func TestWebServerFailsDuringUpload(t *testing.T) {
	const size = 30 << 20 // more than the buffers of the sockets hold
	then := func(end func(net.Conn)) func(*testing.T) func(*net.TCPConn) {
		return func(*testing.T) func(*net.TCPConn) {
			return func(c *net.TCPConn) {
				_, _ = io.CopyN(io.Discard, c, 100000)
				end(c)
			}
		}
	}
	for _, c := range []struct {
		name, status, line string
		serve              func(*testing.T) func(*net.TCPConn)
	}{
		{"reset", "502", `502 SH--`, then(reset)},
		{"closed", "502", `502 SH--`, then(func(net.Conn) {})},
		{"reads no more", "504", `504 sH--`, hang},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := impatient(t, c.serve(t))
			conn := b.dial("f")
			go func() {
				_, _ = io.WriteString(conn, post("/", size))
				_, _ = conn.Write(make([]byte, size)) // ends early: nobody reads the rest
			}()
			got, err := io.ReadAll(conn)
			if err != nil || !strings.HasPrefix(string(got), "HTTP/1.1 "+c.status+" ") {
				t.Errorf("got %q, %v; want status %s", got, err, c.status)
			}
			b.wantWeb(c.line + ` "POST / HTTP/1.1"`)
		})
	}
}
