//go:build !simulation

package engine

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// ruled sends one request through rules of a frontend and a backend to a server with a fixed
// answer. It returns the bytes that the client gets.
func ruled(t *testing.T, request, answer, front, back string) string {
	t.Helper()
	b := start(t, webDefaults+fmt.Sprintf(`
frontend f
  bind 127.0.0.1:1
  %s
  default_backend b
backend b
  %s
  server s %s`, front, back, newPeer(t, answers(answer))))
	return ask(t, b.dial("f"), request)
}

const (
	privately = "GET /private HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\n\r\n"
	plainOK   = "HTTP/1.1 200 OK\r\nX-A: a\r\nContent-Length: 2\r\n\r\nok"
)

// A rule gives a status with a body to an answer without one. The length is 0, whatever the server
// has announced: otherwise the client would wait for a body, or take the next answer for it.
func TestRuleGivesStatusWithBody(t *testing.T) {
	for _, length := range []string{"", "Content-Length: 31\r\n", "Content-Length: 31\r\nContent-Length: 31\r\n", "Content-Length: 31, 31\r\n"} {
		got := ruled(t, privately, "HTTP/1.1 304 Not Modified\r\n"+length+"\r\n", "http-response set-status 418", "")
		if strings.Count(strings.ToLower(got), "content-length:") != 1 || !strings.Contains(got, "content-length: 0\r\n") {
			t.Errorf("behind %q the client gets %q", length, got)
		}
	}
}

// TestRulesGoOn: after a redirect that `ignore-empty` skips, the following rules are still
// evaluated, on requests and on answers. They read the edits made before.
func TestRulesGoOn(t *testing.T) {
	for _, c := range []struct{ name, front, back, want string }{
		{"deny", "http-request redirect location %[req.hdr(x)] ignore-empty\n  http-request deny", "", "403"},
		{"deny in the backend", "", "http-request redirect location %[req.hdr(x)] ignore-empty\n  http-request deny", "403"},
		{"under conditions", "http-request redirect location %[req.hdr(x)] ignore-empty if { path_beg /p }\n  http-request deny if { path_beg /p }", "", "403"},
		{"twice, after an edit", "http-request redirect location %[req.hdr(x)] ignore-empty\n  http-request set-path /new\n" +
			"  http-request redirect location %[req.hdr(x)] ignore-empty\n  http-request deny deny_status 429 if { path /new }", "", "429"},
		{"another redirect", "http-request redirect location %[req.hdr(x)] ignore-empty\n  http-request redirect location /b code 301", "", "301"},
		{"deny an answer", "http-response redirect location %[res.hdr(x)] ignore-empty\n  http-response deny", "", "502"},
		{"deny an answer in the backend", "", "http-response redirect location %[res.hdr(x)] ignore-empty\n  http-response deny", "502"},
		{"deny what an earlier rule of the answer wrote", "http-response set-header X-A b\n  http-response deny deny_status 404 if { res.hdr(x-a) b }", "", "404"},
		{"the frontend denies what the backend wrote", "http-response deny deny_status 404 if { res.hdr(x-a) b }", "http-response set-header X-A b", "404"},
		{"nothing behind it", "http-request redirect location %[req.hdr(x)] ignore-empty", "", "200"},
		{"a prefix is never skipped", "http-request redirect prefix %[req.hdr(x)] ignore-empty", "", "302"},
	} {
		if got := ruled(t, privately, plainOK, c.front, c.back); !strings.HasPrefix(got, "HTTP/1.1 "+c.want+" ") {
			t.Errorf("%s: got %q; want status %s", c.name, got, c.want)
		}
	}
}

// TestAnswersOfRules: headers of `return` and `deny` are sent if they have a value. A deny
// without further arguments sends the page of its status.
func TestAnswersOfRules(t *testing.T) {
	const closed = "connection: close\r\n\r\n"
	for _, c := range []struct{ rule, want string }{
		{"http-request return hdr X-A %[req.hdr(x)] hdr X-B b", "HTTP/1.1 200 OK\r\nx-b: b\r\ncontent-length: 0\r\n" + closed},
		{"http-request return hdr X-A \"\\ \" hdr X-B %[path]", "HTTP/1.1 200 OK\r\nx-a:  \r\nx-b: /private\r\ncontent-length: 0\r\n" + closed},
		{"http-request deny hdr X-A %[path] hdr X-B %[req.hdr(x)]", "HTTP/1.1 403 Forbidden\r\nx-a: /private\r\ncontent-length: 0\r\n" + closed},
		{"http-request deny deny_status 429 hdr X-A a hdr X-A b", "HTTP/1.1 429 Too Many Requests\r\nx-a: a\r\nx-a: b\r\ncontent-length: 0\r\n" + closed},
		{"http-request deny status 404", "HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n" + closed},
		{"http-request deny deny_status 404", "HTTP/1.1 404 Not Found\r\ncontent-length: 109\r\ncache-control: no-cache\r\n"},
		{"http-request return status 404 default-errorfiles", "HTTP/1.1 404 Not Found\r\ncontent-length: 109\r\ncache-control: no-cache\r\n"},
		{"http-request deny content-type a/b string no hdr X-A a", "HTTP/1.1 403 Forbidden\r\nx-a: a\r\ncontent-length: 2\r\ncontent-type: a/b\r\n" + closed + "no"},
		{"http-request return content-type a/b lf-string %[req.hdr(x)]", "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n" + closed},
		{"http-request return hdr Content-Length 5 hdr Transfer-Encoding chunked hdr connection x", "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n" + closed},
		{"http-response deny hdr X-A %[res.hdr(x-a)] hdr X-B %[res.hdr(x)]", "HTTP/1.1 502 Bad Gateway\r\nx-a: a\r\ncontent-length: 0\r\n" + closed},
	} {
		if got := ruled(t, privately, plainOK, c.rule, ""); !strings.HasPrefix(got, c.want) {
			t.Errorf("%s: got %q; want %q", c.rule, got, c.want)
		}
	}
}

// TestEachProtocolIsAValue: a rule finds a protocol in a hello that contains several, in any
// position.
func TestEachProtocolIsAValue(t *testing.T) {
	named := func(name string) string {
		return newPeer(t, func(c *net.TCPConn) {
			_, _ = io.WriteString(c, name)
			closeWrite(t, c)
			silent(c)
		}).String()
	}
	b := start(t, fmt.Sprintf(`
  timeout connect 2s
  timeout client 10s
  timeout server 10s
frontend f
  bind 127.0.0.1:1
  tcp-request inspect-delay 5s
  tcp-request content accept if { req.ssl_hello_type 1 }
  use_backend both if { req.ssl_alpn h2,http/1.1 }
  use_backend two  if { req.ssl_alpn h2 h3 }
  use_backend one  if { req.ssl_alpn http/1.1 }
  default_backend none
backend both
  server s %s
backend two
  server s %s
backend one
  server s %s
backend none
  server s %s`, named("both"), named("two"), named("one"), named("none")))
	for _, c := range []struct{ offered, want string }{
		{"h2", "two"}, {"h2 http/1.1", "two"}, {"http/1.1 h2", "two"}, {"spdy/1 h2c h3", "two"},
		{"http/1.1", "one"}, {"spdy/1 http/1.1", "one"}, {"", "none"}, {"h2c", "none"}, {"xh2", "none"},
	} {
		hello := helloWith(t, &tls.Config{ServerName: "a.test", NextProtos: strings.Fields(c.offered)})
		if got := ask(t, b.dial("f"), string(hello)); got != c.want {
			t.Errorf("offered %q: got %q; want %q", c.offered, got, c.want)
		}
	}
}

// TestMonitorOfAnAbsoluteTarget: a probe whose target contains the host gets the monitor's
// answer too.
func TestMonitorOfAnAbsoluteTarget(t *testing.T) {
	for target, want := range map[string]string{"http://a.test/alive": "Service ready", "/alive": "Service ready", "http://a.test/alive/": "ok", "http://a.test/alive?": "ok"} {
		got := ruled(t, "GET "+target+" HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\n\r\n", plainOK, "monitor-uri /alive", "")
		if !strings.Contains(got, want) {
			t.Errorf("%s: got %q; want %q in it", target, got, want)
		}
	}
}

// TestVersionsAndLengths: a client of HTTP/1.0 gets no interim answer, and an answer without a
// body has no length. HTTP/1.0 requests may have a body only with methods that define one.
func TestVersionsAndLengths(t *testing.T) {
	const old, interim = " / HTTP/1.0\r\nHost: a\r\n", "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n"
	for _, c := range []struct{ name, request, answer, want string }{
		{"interim answers", "GET" + old + "\r\n", "HTTP/1.1 100 Continue\r\n\r\n" + interim + plainOK, "HTTP/1.1 200 OK\r\nX-A: a\r\nContent-Length: 2\r\nconnection: close\r\n\r\nok"},
		{"204", privately, "HTTP/1.1 204 N\r\nContent-Length: 5\r\nX: y\r\n\r\n", "HTTP/1.1 204 N\r\nX: y\r\nconnection: close\r\n\r\n"},
		{"304", privately, "HTTP/1.1 304 N\r\nContent-Length: 5\r\n\r\n", "HTTP/1.1 304 N\r\nContent-Length: 5\r\nconnection: close\r\n\r\n"},
		{"GET with a body", "GET" + old + "Content-Length: 4\r\n\r\nbody", plainOK, "HTTP/1.1 413 "},
		{"DELETE with a body", "DELETE" + old + "Content-Length: 4\r\n\r\nbody", plainOK, "HTTP/1.1 413 "},
		{"POST with a body", "POST" + old + "Content-Length: 4\r\n\r\nbody", plainOK, "HTTP/1.1 200 "},
		{"GET of no body", "GET" + old + "Content-Length: 0\r\n\r\n", plainOK, "HTTP/1.1 200 "},
	} {
		if got := ruled(t, c.request, c.answer, "", ""); !strings.HasPrefix(got, c.want) {
			t.Errorf("%s: got %q; want %q", c.name, got, c.want)
		}
	}
}

// TestServerIsFreeWhenARuleAnswers: a rule answers in place of the server, and the client does not
// read. The session no longer counts among those of the server.
func TestServerIsFreeWhenARuleAnswers(t *testing.T) {
	file := filepath.Join(t.TempDir(), "large")
	if err := os.WriteFile(file, make([]byte, 64<<10), 0o600); err != nil {
		t.Fatal(err)
	}
	b := startWith(t, webDefaults+fmt.Sprintf(`
frontend f
  bind 127.0.0.1:1
  http-response return status 200 content-type text/plain file %s
  default_backend b
backend b
  server s %s`, file, newPeer(t, answers(plainOK))), narrowClients)
	c := dialOver(t, narrowTCP, b.addrs["f"])
	_, _ = io.WriteString(c, head("a"))
	if _, err := io.ReadFull(c, make([]byte, 100)); err != nil {
		t.Fatal(err)
	}
	if n := b.today().Backends[0].Servers()[0].Stat.Cur(); n != 0 {
		t.Errorf("the server has %d sessions; want none", n)
	}
	_ = c.Close()
}

// A client reads an answer of the balancer slowly, but does not stop. It gets all of it, although
// this takes longer than its timeout.
func TestSlowReaderGetsOurAnswer(t *testing.T) {
	file := filepath.Join(t.TempDir(), "page")
	body := strings.Repeat("x", 60<<10)
	page := "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + body
	if err := os.WriteFile(file, []byte(page), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, rule := range map[string]string{
		"answer of a rule": "http-request return content-type text/plain file ",
		"error page":       "http-request return status 200 errorfile ",
	} {
		t.Run(name, func(t *testing.T) {
			b := startWith(t, webDefaults+"timeout client 600ms\nfrontend f\n  bind 127.0.0.1:1\n  "+rule+file+"\n", narrowClients)
			c := dialOver(t, narrowTCP, b.addrs["f"])
			_, _ = io.WriteString(c, "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
			var got []byte
			var err error
			for err == nil {
				<-time.After(50 * time.Millisecond)
				part := make([]byte, 2<<10)
				var n int
				n, err = c.Read(part)
				got = append(got, part[:n]...)
			}
			if !errors.Is(err, io.EOF) || !strings.HasSuffix(string(got), body) {
				t.Errorf("the client gets %d bytes, %v", len(got), err)
			}
		})
	}
}

// The first request of a connection is refused with an errorfile that does not fit into the socket.
// The client gets all of it as soon as it reads.
func TestLongRefusalIsWhole(t *testing.T) {
	file := filepath.Join(t.TempDir(), "400")
	page := "HTTP/1.1 400 No\r\nConnection: close\r\n\r\n" + strings.Repeat("x", 60<<10)
	if err := os.WriteFile(file, []byte(page), 0o600); err != nil {
		t.Fatal(err)
	}
	b := startWith(t, webDefaults+fmt.Sprintf(`
frontend f
  bind 127.0.0.1:1
  maxconn 1
  errorfile 400 %s`, file), narrowClients)
	first := dialOver(t, narrowTCP, b.addrs["f"])
	wait(t, "the first session", func() bool { return b.Sessions() == 1 })
	second := dialOver(t, narrowTCP, b.addrs["f"]) // it has sent its request when it is accepted
	_, _ = io.WriteString(second, "no request\r\n\r\n")
	_ = first.Close()
	bound(second)
	got, err := io.ReadAll(second)
	if string(got) != page || err != nil {
		t.Errorf("the client gets %d bytes, %v; want %d", len(got), err, len(page))
	}
}
