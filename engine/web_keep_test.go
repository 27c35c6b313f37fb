//go:build !simulation

package engine

import (
	"fmt"
	"iter"
	"slices"
	"strings"
	"testing"
	"time"
)

// webOver starts a balancer in mode http with one server.
func webOver(t *testing.T, s *scriptServer, more ...string) *balancer {
	t.Helper()
	return start(t, webDefaults+strings.Join(more, "\n")+`
frontend f
  bind 127.0.0.1:1
  http-request deny if { path_beg /admin }
  default_backend b
backend b
  server s `+s.String()+"\n")
}

const (
	sayOK  = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
	sayNo  = "HTTP/1.1 401 Unauthorized\r\nContent-Length: 2\r\n\r\nno"
	sayBad = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nwrong"
)

// wires yields wires with names for sub-tests.
func wires(all ...wire) iter.Seq2[string, wire] {
	return func(yield func(string, wire) bool) {
		for _, w := range all {
			name := w.network
			if w.narrow {
				name += ", narrow"
			}
			if !yield(name, w) {
				return
			}
		}
	}
}

var allWires = []wire{overTCP, overUnix, narrowTCP, narrowUnix}

func post(path string, size int) string {
	return fmt.Sprintf("POST %s HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n", path, size)
}

// TestWebEarlyAnswerKeepsOrder: a server answers before it has read the body,
// and keeps its connection. The next request does not overtake the bytes that
// are still held for the server, and no byte of the body becomes a request.
func TestWebEarlyAnswerKeepsOrder(t *testing.T) {
	const size = 600_000
	tail := "GET /admin HTTP/1.1\r\nHost: a\r\n\r\n"
	body := stamped('q', 1, size-len(tail)) + tail
	for name, w := range wires(allWires...) {
		t.Run(name, func(t *testing.T) {
			var c *actor
			heardNo := until("the client has the first answer", func() bool { return strings.Contains(c.soFar(), "no") })
			ready := make(chan bool)
			s := serveScripts(t, w, script{hearHead, until("the client is there", closed(ready)), say(sayNo), heardNo,
				hear(tail), hearHead, say(sayOK), takeAll})
			b := webOver(t, s)
			c = b.follow("f", meanwhile(say(post("/", size)+body+head("a"))), hear("no"), hear("ok"))
			close(ready)
			if err := c.failed(); err != nil {
				t.Fatalf("%v\nthe client got %q", err, c.soFar())
			}
			got := s.conn(0).got()
			_, got, _ = strings.Cut(got, "\r\n\r\n")
			if len(got) < size || got[:size] != body {
				t.Fatalf("the body came as %d bytes: %s", len(got), foreign(got[:min(len(got), size-len(tail))], 'q', 1))
			}
			if !strings.HasPrefix(got[size:], "GET / HTTP/1.1\r\n") || strings.Count(got[size:], "HTTP/1.1") != 1 {
				t.Errorf("behind the body came %q", got[size:])
			}
		})
	}
}

// closed reports whether a channel is closed.
func closed(c chan bool) func() bool {
	return func() bool {
		select {
		case <-c:
			return true
		default:
			return false
		}
	}
}

// TestWebEarlyAnswerThenDeath: a server answers early, stops reading and resets. The client
// gets the answer. Bytes of the request that the server did not read reach no other server.
func TestWebEarlyAnswerThenDeath(t *testing.T) {
	const size = 8 << 20
	for _, death := range []step{shut, rst} {
		for name, w := range wires(allWires...) {
			t.Run(name, func(t *testing.T) {
				var c *actor
				ready := make(chan bool)
				s := serveScripts(t, w, script{hearHead, until("the client is there", closed(ready)), say(sayNo),
					until("the client has the answer", func() bool { return strings.Contains(c.soFar(), "no") }), death})
				b := webOver(t, s)
				c = b.follow("f", meanwhile(say(post("/", size)+stamped('q', 1, size))), takeAll)
				close(ready)
				if got := c.got(); !strings.HasSuffix(got, "\r\n\r\nno") {
					t.Errorf("the client got %q", got)
				}
				b.wantWeb(`401 SD-- "POST / HTTP/1.1"`)
			})
		}
	}
}

// TestWebEarlyAnswerWithoutLengthIsCut: a server answers early, without a length, and resets. The
// write of the request may be the first call that fails, so that the next read returns the end. The
// client must be reset, or it takes the part of the answer for the whole.
func TestWebEarlyAnswerWithoutLengthIsCut(t *testing.T) {
	const size = 8 << 20
	for name, w := range wires(overTCP, narrowTCP) {
		t.Run(name, func(t *testing.T) {
			var c *actor
			ready := make(chan bool)
			s := serveScripts(t, w, script{hearHead, until("the client is there", closed(ready)), say("HTTP/1.1 401 No\r\n\r\nno"),
				until("the client has the answer", func() bool { return strings.Contains(c.soFar(), "\r\n\r\nno") }), rst})
			b := webOver(t, s)
			c = b.follow("f", meanwhile(say(post("/", size)+stamped('q', 1, size))), takeAll)
			close(ready)
			if c.ended() {
				t.Errorf("the client got FIN behind %q", c.got())
			}
			b.wantWeb(`401 SD-- "POST / HTTP/1.1"`)
		})
	}
}

// TestWebDroppedBodyLetsServerRead: a rule turns an early answer with a long body into one without a
// body. The server reads the request only when its body is written, so the balancer must read that
// body, or both wait until a timeout.
func TestWebDroppedBodyLetsServerRead(t *testing.T) {
	const size = 16 << 20
	s := serveScripts(t, overTCP,
		script{hearHead, say(fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", size, strings.Repeat("x", size))), takeAll},
		script{hearHead, say(sayOK), takeAll})
	b := start(t, webDefaults+"frontend f\n  bind 127.0.0.1:1\n  http-response set-status 204 if { res.hdr_val(content-length) gt 2 }\n  default_backend b\nbackend b\n  server s "+s.String()+"\n")
	c := b.follow("f", say(post("/", size)), say(strings.Repeat("q", size)), hear("HTTP/1.1 204 No Content\r\n\r\n"), say(head("a")), hear("\r\n\r\nok"))
	if err := c.failed(); err != nil {
		t.Errorf("%v after %q", err, c.soFar())
	}
}

// TestWebServerEndsBehindItsAnswer: a server sends FIN after a long answer whose reader is
// slow. The next request uses a new connection.
func TestWebServerEndsBehindItsAnswer(t *testing.T) {
	for _, size := range []int{2, 20_000, 3 << 20} {
		for name, w := range wires(allWires...) {
			t.Run(name, func(t *testing.T) {
				body := stamped('a', 1, size)
				ended := make(chan bool)
				s := serveScripts(t, w,
					script{hearHead, say(fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", size, body)), fin, delivered,
						until("it is known", func() bool { close(ended); return true }), takeAll},
					script{hearHead, say(sayOK), takeAll})
				b := webOver(t, s)
				late := until("bytes wait for the client, or all were sent", func() bool { return b.Held() > 0 || closed(ended)() })
				c := b.follow("f", say(head("a")), late, hear(body[max(0, size-20):]), until("the server has ended", closed(ended)),
					say(post("/", 2)+"no"), hear("\r\n\r\nok")) // a POST is not repeated
				if err := c.failed(); err != nil {
					t.Errorf("%v\n%d bytes came, the end: %.200q", err, len(c.soFar()), c.soFar()[max(0, len(c.soFar())-200):])
				}
			})
		}
	}
}

// TestWebBytesBehindAnAnswer: bytes that the server sends after its answer are never used as an
// answer, whether they come with the answer or later.
func TestWebBytesBehindAnAnswer(t *testing.T) {
	long := fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", 100_000, stamped('a', 1, 100_000))
	chunked := "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n"
	for name, first := range map[string]string{"short": sayOK, "long": long, "chunked": chunked} {
		for _, apart := range []bool{false, true} {
			for wireName, w := range wires(allWires...) {
				t.Run(fmt.Sprintf("%s, apart %v, %s", name, apart, wireName), func(t *testing.T) {
					asked, said := make(chan bool), make(chan bool)
					answer := script{say(first + sayBad)}
					if apart {
						answer = script{say(first), delivered, say(sayBad)}
					}
					if w.network == "tcp" { // on a UNIX socket, written bytes have arrived
						answer = append(answer, delivered)
					}
					answer = append(answer, until("it is known", func() bool { close(said); return true }))
					s := serveScripts(t, w,
						append(append(script{hearHead}, answer...), until("the client asks again", closed(asked)), takeAll),
						script{hearHead, say("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nright"), takeAll})
					b := webOver(t, s)
					_, end, _ := strings.Cut(first, "\r\n\r\n")
					c := b.follow("f", say(head("a")), hear(end), until("all has arrived", closed(said)), say(head("a")), hear("\r\n\r\nright"))
					err := c.failed()
					close(asked)
					if err != nil || strings.Contains(c.soFar(), "wrong") {
						t.Errorf("%v\nthe client got %.300q", err, c.soFar())
					}
				})
			}
		}
	}
}

// TestWebKeptConnectionDies: a server closes an idle connection on which a request is sent. The
// request is sent again if this is safe; otherwise the client gets an error.
func TestWebKeptConnectionDies(t *testing.T) {
	with := func(method string, size int) string {
		return fmt.Sprintf("%s /2 HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n%s", method, size, stamped('q', 2, size))
	}
	plain := func(method string) string { return method + " /2 HTTP/1.1\r\nHost: a\r\n\r\n" }
	for _, c := range []struct {
		name, request string
		pieces        int
		before        string // bytes of an answer that the server sends before it closes
		again         bool
	}{
		{"GET", plain("GET"), 0, "", true},
		{"HEAD", plain("HEAD"), 0, "", true},
		{"OPTIONS", plain("OPTIONS"), 0, "", true},
		{"TRACE", plain("TRACE"), 0, "", true},
		{"DELETE", plain("DELETE"), 0, "", true},
		{"PUT", with("PUT", 1000), 0, "", true},
		{"PUT in pieces", with("PUT", 1000), 100, "", true},
		{"PUT in chunks", "PUT /2 HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n", 1, "", true},
		{"PUT that is long", with("PUT", 20_000), 0, "", false},
		{"POST", with("POST", 10), 0, "", false},
		{"PATCH", with("PATCH", 10), 0, "", false},
		{"of no known method", plain("FETCH"), 0, "", false},
		{"GET, interim answer", plain("GET"), 0, "HTTP/1.1 103 Early Hints\r\n\r\n", false},
		{"GET, half a head", plain("GET"), 0, "HTTP/1.1 200 O", false},
	} {
		for _, death := range []step{shut, rst} {
			for wireName, w := range wires(overTCP, overUnix) {
				t.Run(c.name+", "+string(death.verb)+", "+wireName, func(t *testing.T) {
					_, body, _ := strings.Cut(c.request, "\r\n\r\n")
					dies := script{hearHead, say(sayOK), hear("/2 HTTP/1.1"), hear("\r\n\r\n" + body)}
					if c.before != "" {
						dies = append(dies, say(c.before), delivered)
					}
					s := serveScripts(t, w, append(dies, death), script{hear("\r\n\r\n" + body), say("HTTP/1.1 204 No Content\r\n\r\n"), takeAll})
					b := webOver(t, s)
					want := "HTTP/1.1 502 "
					if c.again {
						want = "HTTP/1.1 204 "
					}
					a := b.follow("f", say(head("a")), hear("ok"), pieces(c.pieces), say(c.request), hear(want))
					if err := a.failed(); err != nil {
						t.Fatalf("%v\nthe client got %q", err, a.soFar())
					}
					if !c.again {
						if n := len(s.all()); n != 1 {
							t.Errorf("%d connections to the server", n)
						}
						return
					}
					if _, got, _ := strings.Cut(s.conn(1).got(), "\r\n\r\n"); got != body {
						t.Errorf("the second time the body is %q; want %q", got, body)
					}
				})
			}
		}
	}
}

// TestWebRequestIsRepeatedOnce: a server closes each connection on which it gets a second
// request. It does not get this request more than twice.
func TestWebRequestIsRepeatedOnce(t *testing.T) {
	s := serveScripts(t, overTCP, script{hearHead, say(sayOK), hearHead, shut}, script{hearHead, shut})
	b := webOver(t, s)
	c := b.follow("f", say(head("a")), hear("ok"), say(head("a")), hear("HTTP/1.1 502 "), takeAll)
	if err := c.failed(); err != nil {
		t.Fatalf("%v\nthe client got %q", err, c.soFar())
	}
	if n := len(s.all()); n != 2 {
		t.Errorf("%d connections to the server; want 2", n)
	}
	b.wantWeb(`200 ---- "GET / HTTP/1.1"`)
	b.wantWeb(`502 SH-- "GET / HTTP/1.1"`)
}

// TestWebEarlyAnswerArrives: a client that has sent a part of its body gets an early answer at
// once, with its end if the connection is the only sign of it. The rest of the body still
// reaches the server.
func TestWebEarlyAnswerArrives(t *testing.T) {
	for name, answer := range map[string]string{
		"length":          sayNo,
		"close":           "HTTP/1.1 413 Content Too Large\r\nContent-Length: 2\r\nConnection: close\r\n\r\nno",
		"close-delimited": "HTTP/1.1 200 OK\r\n\r\nno",
		"no body":         "HTTP/1.1 204 No Content\r\n\r\n",
	} {
		for wireName, w := range wires(overTCP, overUnix) {
			t.Run(name+", "+wireName, func(t *testing.T) {
				end := script{hear("\r\n\r\n")}
				if name == "close-delimited" {
					end = script{takeAll}
				}
				s := serveScripts(t, w, script{hearHead, say(answer), fin, hear("the rest")})
				b := webOver(t, s)
				began := time.Now()
				c := b.follow("f", append(append(script{say(post("/", 16)), say("half....")}, end...), say("the rest"))...)
				if err := s.conn(0).failed(); err != nil {
					t.Errorf("the server: %v after %q", err, s.conn(0).soFar())
				}
				if err := c.failed(); err != nil {
					t.Errorf("the client: %v after %q", err, c.soFar())
				}
				if took := time.Since(began); took > 5*time.Second { // timeout client is 10 s
					t.Errorf("the client had its answer after %v", took)
				}
			})
		}
	}
}

// TestWebEarlyAnswerIsNotHeldBack: the kernel keeps bytes back that are written as the last ones
// before a FIN. An answer behind which no FIN follows must not be written so.
func TestWebEarlyAnswerIsNotHeldBack(t *testing.T) {
	s := serveScripts(t, overTCP, script{hearHead, say(sayNo), takeAll})
	b := webOver(t, s)
	var waited []time.Duration
	for range 5 {
		began := time.Now()
		c := b.follow("f", say(post("/", 16)), hear("no"))
		if err := c.failed(); err != nil {
			t.Fatal(err)
		}
		waited = append(waited, time.Since(began))
	}
	if least := slices.Min(waited); least > 150*time.Millisecond {
		t.Errorf("each answer took %v or more", least)
	}
}
