//go:build !simulation

package engine

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

// TestWebInterimThenFailure: after an interim answer, a failure leads to the same error page as
// without one.
func TestWebInterimThenFailure(t *testing.T) {
	const interim = "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"
	for name, c := range map[string]struct {
		steps script
		want  string
	}{
		"closes":       {script{shut}, "502"},
		"ends":         {script{fin, takeAll}, "502"},
		"resets":       {script{delivered, rst}, "502"},
		"garbage":      {script{say("220 mail\r\n\r\n"), takeAll}, "502"},
		"half a head":  {script{say("HTTP/1.1 200 O"), shut}, "502"},
		"says nothing": {script{takeAll}, "504"},
		"many, closes": {script{say(strings.Repeat(interim, 100)), shut}, "502"},
	} {
		t.Run(name, func(t *testing.T) {
			for name, w := range wires(allWires...) {
				t.Run(name, func(t *testing.T) {
					s := serveScripts(t, w, append(script{hearHead, say(interim)}, c.steps...))
					b := webOver(t, s, "  timeout server 300ms")
					a := b.follow("f", say(head("a")), takeAll)
					got := a.got()
					if !strings.HasPrefix(strings.ToLower(got), strings.ToLower(interim)) || strings.Count(got, "HTTP/1.1 "+c.want+" ") != 1 || !a.ended() {
						t.Errorf("the client got %q, then %v; want an interim answer and %s", got, a.how(), c.want)
					}
				})
			}
		})
	}
}

// TestWebIncompleteAfterHEAD: the answer to an incomplete request does not depend on the method
// of the request before.
func TestWebIncompleteAfterHEAD(t *testing.T) {
	const first = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n"
	for name, c := range map[string]struct{ send, want string }{
		"half a head": {"GET / HT", "408"},
		"garbage":     {"\x00\x01\r\n\r\n", "400"},
	} {
		t.Run(name, func(t *testing.T) {
			s := serveScripts(t, overTCP, script{hearHead, say(first), takeAll})
			b := webOver(t, s, "  timeout http-request 200ms")
			a := b.follow("f", say("HEAD / HTTP/1.1\r\nHost: a\r\n\r\n"), hearHead, say(c.send), takeAll)
			_, got, _ := strings.Cut(a.got(), "\r\n\r\n")
			resp, body := parseAnswer(t, got)
			if resp.Status[:3] != c.want || resp.ContentLength != int64(len(body)) || body == "" {
				t.Errorf("got status %s with %d of %d bytes; want %s and a page", resp.Status, len(body), resp.ContentLength, c.want)
			}
		})
	}
}

// parseAnswer parses one answer. It fails the test if the body is incomplete.
func parseAnswer(t *testing.T, text string) (*http.Response, string) {
	t.Helper()
	resp, err := http.ReadResponse(bufio.NewReader(strings.NewReader(text)), nil)
	if err != nil {
		t.Fatalf("%v in %q", err, text)
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatalf("%v in %q", err, text)
	}
	return resp, string(body)
}

// TestWebClientTimeoutWhileConnecting: a complete request is answered, even if connecting takes
// longer than timeout client.
func TestWebClientTimeoutWhileConnecting(t *testing.T) {
	_, hole := fullQueue(t)
	for name, request := range map[string]string{
		"whole":     head("a"),
		"with body": post("/", 4) + "body",
		"half body": post("/", 4) + "bo",
	} {
		t.Run(name, func(t *testing.T) {
			b := start(t, webDefaults+`
  timeout client 50ms
  timeout connect 300ms
  retries 0
frontend f
  bind 127.0.0.1:1
  default_backend b
backend b
  server s `+hole+"\n")
			a := b.follow("f", say(request), takeAll)
			if got := a.got(); !strings.HasPrefix(got, "HTTP/1.1 503 ") || !a.ended() {
				t.Errorf("the client got %q, then %v; want 503", got, a.how())
			}
		})
	}
}

// TestWebSlowConnectOutlastsClient is the same test with a connection that is established in
// the end.
func TestWebSlowConnectOutlastsClient(t *testing.T) {
	queue, late := fullQueue(t)
	b := start(t, webDefaults+`
  timeout client 50ms
  timeout connect 10s
frontend f
  bind 127.0.0.1:1
  default_backend b
backend b
  server s `+late+"\n")
	go func() {
		waitUntil(10*time.Second, func() bool { return b.today().Backends[0].Servers()[0].Stat.Connects.Load() > 0 })
		answerSecond(queue)
	}()
	if got := b.follow("f", say(head("a")), takeAll).got(); !strings.HasSuffix(got, "ok") {
		t.Errorf("the client got %q", got)
	}
}

// TestWebDrain: in a drain, the next answer announces that the connection closes. Connections
// between two requests are closed. Then the drain ends.
func TestWebDrain(t *testing.T) {
	release := make(chan bool)
	s := serveScripts(t, overTCP, script{hearHead, say(sayOK), hearHead, until("the drain", closed(release)), say(sayOK), takeAll},
		script{hearHead, say(sayOK), takeAll})
	b := webOver(t, s, "  timeout client 1h")
	busy := b.follow("f", say(head("a")), hear("ok"), say(head("a")), takeAll)
	s.conn(0)
	wait(t, "the second request", func() bool { return strings.Count(s.conn(0).soFar(), "GET") == 2 })
	idle := b.follow("f", say(head("a")), hear("ok"), takeAll)
	half := b.follow("f", say("GET / HTTP/1.1\r\n"), until("the drain", closed(release)), say("Host: a\r\n\r\n"), takeAll)
	ours := b.follow("f", say("GET /admin HTTP/1.1\r\n"), until("the drain", closed(release)), say("Host: a\r\n\r\n"), takeAll)
	wait(t, "the idle client", func() bool { return strings.HasSuffix(idle.soFar(), "ok") })
	wait(t, "the sessions", func() bool { return b.Sessions() == 4 })
	b.Drain()
	b.refuses("f")
	if got := idle.got(); strings.Count(got, "HTTP/1.1") != 1 || !idle.ended() {
		t.Errorf("the idle client got %q, then %v", got, idle.how())
	}
	close(release)
	for name, a := range map[string]*actor{"busy": busy, "half": half, "denied": ours} {
		got := a.got()
		last := got[max(strings.LastIndex(got, "HTTP/1.1"), 0):]
		if !strings.Contains(last, "\r\nconnection: close\r\n") || !a.ended() {
			t.Errorf("the %s client got %q, then %v; want connection: close", name, got, a.how())
		}
	}
	b.join()
}

// TestWebUnreadRequests: a client has sent requests that are not read any more. It still gets
// the whole answer and then FIN, also over a UNIX socket.
func TestWebUnreadRequests(t *testing.T) {
	const answer = "HTTP/1.1 200 OK\r\n\r\nuntil the end"
	for name, w := range wires(overTCP, overUnix) {
		t.Run(name, func(t *testing.T) {
			s := serveScripts(t, overTCP, script{hearHead, say(answer)})
			at := "127.0.0.1:1"
			if w.network == "unix" {
				at = "unix@" + t.TempDir() + "/f"
			}
			b := start(t, webDefaults+"frontend f\n  bind "+at+"\n  default_backend b\nbackend b\n  server s "+s.String()+"\n")
			a := b.follow("f", meanwhile(say(strings.Repeat(head("a"), 6000))), takeAll)
			if got := a.got(); !strings.HasSuffix(got, "until the end") || !a.ended() {
				t.Errorf("the client got %q, then %v", got, a.how())
			}
		})
	}
}

// TestWebUnixClientSendsBehindItsAnswer: a client on a UNIX socket sends its next request after it has
// read the last byte of an answer that ends the connection. It must find FIN, not ECONNRESET.
func TestWebUnixClientSendsBehindItsAnswer(t *testing.T) {
	s := serveScripts(t, overTCP, script{hearHead, say("HTTP/1.1 200 OK\r\n\r\nuntil the end")})
	b := start(t, webDefaults+"frontend f\n  bind unix@"+t.TempDir()+"/f\n  default_backend b\nbackend b\n  server s "+s.String()+"\n")
	a := b.follow("f", say(head("a")), hear("until the end"), rest(200*time.Millisecond), say(head("a")), takeAll)
	if err := a.failed(); err != nil || !a.ended() {
		t.Errorf("the client: %v, then %v", err, a.how())
	}
}

// TestWebUnreadPartOfHead: a client has sent a part of a head, which was looked at in the socket
// because memory is used up, and FIN. It gets the refusal and then FIN, also over a UNIX socket.
func TestWebUnreadPartOfHead(t *testing.T) {
	for name, w := range wires(overTCP, overUnix) {
		t.Run(name, func(t *testing.T) {
			at := "127.0.0.1:1"
			if w.network == "unix" {
				at = "unix@" + t.TempDir() + "/f"
			}
			b := startWith(t, webDefaults+"frontend f\n  bind "+at+"\n  http-request deny\n", func(o *Options) { o.Plan.Memory.Inspection = 0 })
			a := b.follow("f", say("GET / HTTP/1.1\r\nHost:"), fin, takeAll)
			if got := a.got(); !strings.HasPrefix(got, "HTTP/1.1 400 ") || !a.ended() {
				t.Errorf("the client got %q, then %v", got, a.how())
			}
		})
	}
}

// TestWebRefusedClientSendsOn: a client sends its whole body before it reads. It still gets the
// answer that ends its connection.
func TestWebRefusedClientSendsOn(t *testing.T) {
	for name, w := range wires(overTCP, overUnix) {
		t.Run(name, func(t *testing.T) {
			at := "127.0.0.1:1"
			if w.network == "unix" {
				at = "unix@" + t.TempDir() + "/f"
			}
			b := start(t, webDefaults+"  timeout client 1h\nfrontend f\n  bind "+at+"\n  http-request deny\n")
			const size = 8 << 20
			a := b.follow("f", say(post("/", size)), say(strings.Repeat("x", size)), takeAll)
			a.over() // TCP may refuse the rest; the client must end in both cases
			if got := a.soFar(); w.network == "unix" && !strings.HasPrefix(got, "HTTP/1.1 403 ") {
				t.Errorf("the client got %q, then %v", got, a.how())
			}
		})
	}
}

// TestWebStopCutsAnswers: if the process stops within an answer, its client is reset.
func TestWebStopCutsAnswers(t *testing.T) {
	s := serveScripts(t, overTCP, script{hearHead, say("HTTP/1.1 200 OK\r\n\r\nhalf"), takeAll})
	b := webOver(t, s)
	a := b.follow("f", say(head("a")), hear("half"), takeAll)
	wait(t, "half of the answer", func() bool { return strings.HasSuffix(a.soFar(), "half") })
	b.Stop()
	if a.over(); !isReset(a.how()) {
		t.Errorf("the client's connection ends with %v; want a reset", a.how())
	}
	b.join()
}

// TestWebTunnelTurnedDown: a rule answers in place of a server that has agreed to a tunnel. The
// session ends as after any other answer.
func TestWebTunnelTurnedDown(t *testing.T) {
	const upgrade = "GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n"
	const connect = "CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n"
	for name, c := range map[string]struct{ ask, answer string }{
		"101":     {upgrade, "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\nhello"},
		"CONNECT": {connect, "HTTP/1.1 200 OK\r\n\r\nhello"},
	} {
		for _, rule := range []string{"deny", "return status 201", "redirect location /x", "deny status 503 content-type text/plain string no"} {
			t.Run(name+", "+rule, func(t *testing.T) {
				s := serveScripts(t, overTCP, script{hearHead, say(c.answer), takeAll})
				b := webOver(t, s, "  timeout server 1h", "  timeout client 1h", "  timeout tunnel 1h", "frontend g", "  bind 127.0.0.1:1", "  http-response "+rule, "  default_backend b")
				a := b.follow("g", say(c.ask), takeAll)
				if got := a.got(); strings.Contains(got, "hello") || !strings.Contains(got, "\r\nconnection: close\r\n") || !a.ended() {
					t.Errorf("the client got %q, then %v", got, a.how())
				}
				wait(t, "the session to end", func() bool { return b.Sessions() == 0 })
			})
		}
	}
}

// refuses waits until all listening sockets of a frontend are closed.
func (b *balancer) refuses(frontend string) {
	b.t.Helper()
	wait(b.t, "the listeners to close", func() bool {
		late, err := net.Dial("tcp", b.addrs[frontend].String())
		if err == nil {
			late.Close()
		}
		return err != nil
	})
}

// TestWebDrainEndsAfterTheAnswer: the head of an answer was sent before the drain began, so it did
// not tell the client of the end. The connection ends behind that answer.
func TestWebDrainEndsAfterTheAnswer(t *testing.T) {
	draining := make(chan bool)
	s := serveScripts(t, overTCP, script{hearHead, say("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nha"),
		until("the drain", closed(draining)), say("lf"), takeAll})
	b := webOver(t, s, "  timeout client 1h")
	a := b.follow("f", say(head("a")), hear("ha"), hear("lf"), takeAll)
	wait(t, "half of the answer", func() bool { return strings.HasSuffix(a.soFar(), "ha") })
	b.Drain()
	b.refuses("f")
	close(draining)
	if a.over(); !a.ended() {
		t.Errorf("the client got %q, then %v", a.soFar(), a.how())
	}
	b.join()
}
