package pool

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"sluice/conf"
)

// asked returns a backend that is checked with the request HEAD /check.txt.
func asked(a conf.Address) *conf.Backend {
	c := checked(a)
	c.HTTPCheck = &conf.HTTPCheck{Method: "HEAD", URI: "/check.txt", Version: "HTTP/1.0"}
	return c
}

// answering accepts the connections of l one after the other. For each one it reads the
// request, calls serve and then closes the connection.
func answering(t *testing.T, l net.Listener, serve func(conn net.Conn, request string)) {
	t.Helper()
	over := make(chan struct{})
	go func() {
		defer close(over)
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			serve(conn, readRequest(conn))
			conn.Close()
		}
	}()
	t.Cleanup(func() {
		l.Close()
		<-over
	})
}

func readRequest(conn net.Conn) (request string) {
	_ = conn.SetReadDeadline(time.Now().Add(10 * time.Second))
	for r := bufio.NewReader(conn); ; {
		line, err := r.ReadString('\n')
		request += line
		if err != nil || line == "\r\n" {
			return request
		}
	}
}

// once makes one check of a server that behaves like serve, without a short timeout.
func once(t *testing.T, c conf.HTTPCheck, serve func(net.Conn)) Result {
	t.Helper()
	l := listen(t, "tcp", "127.0.0.1:0")
	answering(t, l, func(conn net.Conn, _ string) { serve(conn) })
	b := asked(tcpAddress(l))
	b.HTTPCheck, b.Servers[0].Inter = &c, time.Minute
	r := newQuestion(mustNew(t, b).Servers()[0], b).probe(t.Context())
	r.Duration = 0
	return r
}

func TestVerdicts(t *testing.T) {
	type status = conf.StatusRange
	not500 := conf.HTTPCheck{Not: true, Expect: []status{{Low: 500, High: 599}}}
	only := conf.HTTPCheck{Expect: []status{{Low: 200, High: 200}, {Low: 404, High: 410}}}
	stop := conf.HTTPCheck{DisableOn404: true}
	tests := []struct {
		check  conf.HTTPCheck
		answer string
		want   Result
	}{
		{conf.HTTPCheck{}, "200 OK", Result{OK: true, Status: L7OK, Code: 200}},
		{conf.HTTPCheck{}, "399 Odd", Result{OK: true, Status: L7OK, Code: 399}},
		{conf.HTTPCheck{}, "199 Odd", Result{Status: L7STS, Code: 199, Info: "Odd"}},
		{conf.HTTPCheck{}, "400 Bad Request", Result{Status: L7STS, Code: 400, Info: "Bad Request"}},
		{conf.HTTPCheck{}, "404 Not \"Found\"", Result{Status: L7STS, Code: 404, Info: `Not "Found"`}},
		{conf.HTTPCheck{}, "404 " + strings.Repeat("abcd", 40), Result{Status: L7STS, Code: 404, Info: strings.Repeat("abcd", 40)[:127]}},
		{conf.HTTPCheck{}, "503", Result{Status: L7STS, Code: 503}},
		{not500, "404 Not Found", Result{OK: true, Status: L7OK, Code: 404}},
		{not500, "599 Odd", Result{Status: L7STS, Code: 599, Info: "Odd"}},
		{only, "200 OK", Result{OK: true, Status: L7OK, Code: 200}},
		{only, "410 Gone", Result{OK: true, Status: L7OK, Code: 410}},
		{only, "201 Created", Result{Status: L7STS, Code: 201, Info: "Created"}},
		{stop, "404 Not Found", Result{OK: true, Status: L7OKC, Code: 404}},
		{stop, "500 Err", Result{Status: L7STS, Code: 500, Info: "Err"}},
	}
	for _, tt := range tests {
		got := once(t, tt.check, func(conn net.Conn) { fmt.Fprintf(conn, "HTTP/1.0 %s\r\n\r\n", tt.answer) })
		if got != tt.want {
			t.Errorf("%+v, %s: got %+v, want %+v", tt.check, tt.answer, got, tt.want)
		}
	}
}

// The answer 404 of a server that is DOWN is a failure.
func TestDisableOn404IsForServersThatAreUp(t *testing.T) {
	c := asked(conf.Address{IP: weighted(1).Servers[0].Address.IP, Port: 1})
	c.HTTPCheck.DisableOn404 = true
	b := mustNew(t, c)
	kill(b, "a")
	q := newQuestion(b.Servers()[0], c)
	if got, want := q.verdict(404, "Nope"), (Result{Status: L7STS, Code: 404, Info: "Nope"}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	c.HTTPCheck.Expect = []conf.StatusRange{{Low: 404, High: 404}}
	if got, want := q.verdict(404, "Nope"), (Result{OK: true, Status: L7OK, Code: 404}); got != want {
		t.Errorf("404 expected: got %+v, want %+v", got, want)
	}
}

func TestServersThatDoNotAnswer(t *testing.T) {
	tests := []struct {
		name  string
		serve func(net.Conn)
		want  Result
	}{
		{"closes", func(net.Conn) {}, Result{Status: L7RSP}},
		{"speaks something else", func(conn net.Conn) { fmt.Fprint(conn, "SSH-2.0"); waitForEnd(conn) }, Result{Status: L7RSP}},
		{"stops in the head", func(conn net.Conn) { fmt.Fprint(conn, "HTTP/1.0 200 OK\r\nX") }, Result{Status: L7RSP}},
		{"resets", func(conn net.Conn) { _ = conn.(*net.TCPConn).SetLinger(0) }, Result{Status: SOCKERR, Info: "Connection reset by peer"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := once(t, conf.HTTPCheck{}, tt.serve); got != tt.want {
				t.Errorf("got %+v, want %+v", got, tt.want)
			}
		})
	}
}

func waitForEnd(conn net.Conn) { _, _ = conn.Read(make([]byte, 1)) }

// The expected changes of state are exactly as HAProxy 2.6.12 logged them.
func TestQuestionsFollowARealServer(t *testing.T) {
	path := filepath.Join(t.TempDir(), "srv")
	name := fmt.Sprintf("sluice-question-%d", time.Now().UnixNano())
	for _, tt := range []struct {
		name, network, bind string
		address             conf.Address // of a TCP server: chosen by the kernel
	}{
		{"tcp", "tcp", "127.0.0.3:0", conf.Address{}},
		{"tcp6", "tcp", "[::1]:0", conf.Address{}},
		{"unix", "unix", path, conf.Address{Net: conf.NetUnix, Path: path}},
		{"abstract", "unix", abstract(name), conf.Address{Net: conf.NetAbstract, Path: name}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			l := listen(t, tt.network, tt.bind)
			if tt.network == "tcp" {
				tt.address = tcpAddress(l)
			}
			var answer atomic.Pointer[string]
			say := func(s string) { answer.Store(&s) }
			say("200 OK")
			requests := make(chan string, 1)
			answering(t, l, func(conn net.Conn, request string) {
				select {
				case requests <- request:
				default:
				}
				fmt.Fprintf(conn, "HTTP/1.0 %s\r\n\r\n", *answer.Load())
			})
			c := asked(tt.address)
			c.Timeout.Check, c.HTTPCheck.DisableOn404 = time.Minute, true
			c.Servers = append(c.Servers, &conf.Server{Name: "b", Weight: 1, Address: tt.address})
			events := follow(t, mustNew(t, c))
			if got, want := <-requests, "HEAD /check.txt HTTP/1.0\r\n\r\n"; got != want {
				t.Errorf("asked %q, want %q", got, want)
			}
			for _, step := range []struct{ answer, event string }{
				{"404 Not Found", "Server bk/a is stopping, reason: Layer7 check conditionally passed, code: 404, check duration: 0ms. 1 active and 0 backup servers online. 0 sessions requeued, 0 total in queue."},
				{"200 OK", "Server bk/a is UP, reason: Layer7 check passed, code: 200, check duration: 0ms. 2 active and 0 backup servers online. 0 sessions requeued, 0 total in queue."},
				{"500 Internal \"Server\" Error", `Server bk/a is DOWN, reason: Layer7 wrong status, code: 500, info: "Internal <22>Server<22> Error", check duration: 0ms. 1 active and 0 backup servers left. 0 sessions active, 0 requeued, 0 remaining in queue.`},
				{"302 Found", "Server bk/a is UP, reason: Layer7 check passed, code: 302, check duration: 0ms. 2 active and 0 backup servers online. 0 sessions requeued, 0 total in queue."},
				{"no number", "Server bk/a is DOWN, reason: Layer7 invalid response, check duration: 0ms. 1 active and 0 backup servers left. 0 sessions active, 0 requeued, 0 remaining in queue."},
			} {
				say(step.answer)
				if got := wait(t, events); got != step.event {
					t.Errorf("%s:\ngot  %s\nwant %s", step.answer, got, step.event)
				}
			}
		})
	}
}

func TestErrorsOfAConversation(t *testing.T) {
	for errno, want := range map[syscall.Errno]Result{
		syscall.EPIPE:  {Status: SOCKERR, Info: "Broken pipe"},
		syscall.ENOMEM: {Local: true, Status: SOCKERR, Info: "Cannot allocate memory"},
	} {
		if got := unanswered(&net.OpError{Op: "write", Err: errno}); got != want {
			t.Errorf("%v: got %+v, want %+v", errno, got, want)
		}
	}
}

func TestQuestionToARefusingServer(t *testing.T) {
	c := asked(conf.Address{IP: weighted(1).Servers[0].Address.IP, Port: 1})
	r := newQuestion(mustNew(t, c).Servers()[0], c).probe(t.Context())
	if r.Status != L4CON || r.Info != "Connection refused" || r.OK {
		t.Errorf("got %+v, want L4CON", r)
	}
}

func TestQuestionEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	l := listen(t, "tcp", "127.0.0.1:0")
	answering(t, l, func(conn net.Conn, _ string) {
		cancel()
		waitForEnd(conn)
	})
	c := asked(tcpAddress(l))
	c.Servers[0].Inter = time.Hour
	if r := newQuestion(mustNew(t, c).Servers()[0], c).probe(ctx); r.OK || r.Duration > time.Minute {
		t.Errorf("got %+v", r)
	}
}
