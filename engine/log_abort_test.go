//go:build !simulation

package engine

import (
	"fmt"
	"io"
	"net"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"
)

// abortCase is a client that ends early, and the log lines that HAProxy 2.6.12 writes for it,
// in the form of shortLine.
type abortCase struct {
	mode  string
	front string // further lines of the frontend
	back  string
	steps []string // texts to send, and keywords for other steps: see play
	want  []string
}

const (
	notNull   = "  option dontlognull\n"
	ignore    = "  option http-ignore-probes\n"
	rejecting = "  tcp-request inspect-delay 5s\n  tcp-request content reject if { req.len gt 3 }\n"
	// rejectingPart rejects a client that ends without an HTTP request.
	rejectingPart = "  tcp-request inspect-delay 5s\n  tcp-request content reject if !HTTP\n"
	// rejectingWeb rejects requests by a path that http-request rules would have changed before.
	rejectingWeb = "  tcp-request content reject if { path / }\n  http-request set-path /x\n"
	halfHead     = "GET /half HTTP/1.1\r\nHost: a"
	halfBody     = "POST /p HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc"
	halfChunk    = "POST /p HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabc"
	badCR        = "f/<NOSRV> -1/-1/-1/-1/+ 400 0 CR-- <BADREQ>"
	lateCR       = "f/<NOSRV> -1/-1/-1/-1/+ 408 0 cR-- <BADREQ>"
	rejected     = "f/<NOSRV> -1/-1/-1/-1/+ -1 0 PR-- <BADREQ>"
	served       = "b/s +/+/+/+/+ 200 n ---- GET / HTTP/1.1"
)

func abortCases() []abortCase {
	whole := head("a")
	longBody := post("/p", 60000) + strings.Repeat("x", 50000)
	cases := []abortCase{
		{"http", "", "web", []string{"fin"}, []string{badCR}},
		{"http", "", "web", []string{"rst"}, []string{badCR}},
		{"http", "", "web", nil, []string{lateCR}},
		{"http", "", "web", []string{"\r\n", "fin"}, []string{badCR}},
		{"http", "", "web", []string{halfHead, "fin"}, []string{badCR}},
		{"http", "", "web", []string{halfHead, "rst"}, []string{badCR}},
		{"http", "", "web", []string{halfHead}, []string{lateCR}},
		{"http", "", "web", []string{"no request\r\n\r\n"}, []string{"f/<NOSRV> -1/-1/-1/-1/+ 400 0 PR-- <BADREQ>"}},
		{"http", "", "web", []string{whole, "answer", "fin"}, []string{served}},
		{"http", "", "web", []string{whole, "answer", "rst"}, []string{served}},
		{"http", "", "web", []string{whole, "answer"}, []string{served}},
		{"http", "", "web", []string{whole, "answer", halfHead, "fin"}, []string{served, badCR}},
		{"http", "", "web", []string{whole, "answer", halfHead, "rst"}, []string{served, badCR}},
		{"http", "", "web", []string{whole, "answer", halfHead}, []string{served, lateCR}},
		{"http", "", "web", []string{whole + halfHead, "answer", "fin"}, []string{served, badCR}},
		{"http", rejectingWeb, "web", []string{whole}, []string{rejected}},
		{"http", rejectingWeb + "  http-request deny\n  monitor-uri /\n", "web", []string{whole}, []string{rejected}},
		{"http", "  tcp-request content reject if { path /x }\n  http-request set-path /x\n", "web", []string{whole, "answer", "fin"}, []string{served}},
		{"http", "", "deaf", []string{"with fin", halfBody}, []string{"b/s +/+/+/-1/+ -1 0 CL-- POST /p HTTP/1.1"}},
		{"http", "", "deaf", []string{halfBody, "reached", "d", "reached", "fin"}, []string{"b/s +/+/+/-1/+ -1 0 CD-- POST /p HTTP/1.1"}},
		{"http", "", "deaf", []string{halfBody, "reached", "d", "reached", "rst"}, []string{"b/s +/+/+/-1/+ -1 0 CD-- POST /p HTTP/1.1"}},
		{"http", "", "deaf", []string{halfChunk, "reached", "d", "reached", "fin"}, []string{"b/s +/+/+/-1/+ -1 0 CD-- POST /p HTTP/1.1"}},
		{"http", "", "deaf", []string{"with fin", longBody}, []string{"b/s +/+/+/-1/+ -1 0 CD-- POST /p HTTP/1.1"}},
		{"http", notNull, "web", []string{"fin"}, nil},
		{"http", notNull, "web", []string{"rst"}, nil},
		{"http", notNull, "web", nil, nil},
		{"http", notNull, "web", []string{"\r\n", "fin"}, []string{badCR}},
		{"http", notNull, "web", []string{halfHead, "fin"}, []string{badCR}},
		{"http", notNull, "web", []string{halfHead}, []string{lateCR}},
		{"http", notNull, "dead", []string{whole}, []string{"b/s +/+/-1/-1/+ 503 n SC-- GET / HTTP/1.1"}},
		{"http", notNull, "dead", []string{"fin"}, nil},
		{"http", notNull, "none", []string{whole}, []string{"b/<NOSRV> +/-1/-1/-1/+ 503 n SC-- GET / HTTP/1.1"}},
		{"http", "", "no backend", []string{whole}, []string{"f/<NOSRV> -1/-1/-1/-1/+ 503 n SC-- GET / HTTP/1.1"}},
		{"http", "  http-request set-header X y\n", "no backend", []string{whole}, []string{"f/<NOSRV> -1/-1/-1/-1/+ 503 n SC-- GET / HTTP/1.1"}},
		{"http", ignore, "web", []string{"fin"}, nil},
		{"http", ignore, "web", []string{"rst"}, nil},
		{"http", ignore, "web", nil, nil},
		{"http", ignore, "web", []string{halfHead, "fin"}, []string{badCR}},
		{"http", ignore, "web", []string{halfHead}, []string{lateCR}},
		{"tcp", notNull, "dead", []string{"fin"}, nil},
		{"tcp", notNull, "dead", []string{"rst"}, nil},
		{"tcp", notNull, "dead", []string{"hello"}, []string{"b/s +/-1/+ 0 SC"}},
		{"tcp", notNull, "dead", []string{"hello", "fin"}, []string{"b/s +/-1/+ 0 SC"}},
		{"tcp", notNull, "dead", []string{"h", "fin"}, []string{"b/s +/-1/+ 0 SC"}},
		{"tcp", notNull, "echo", []string{"hello", "answer", "fin"}, []string{"b/s +/+/+ n --"}},
		{"tcp", notNull, "echo", []string{"fin"}, nil},
		{"tcp", rejecting, "echo", []string{"he", "rst"}, []string{"b/<NOSRV> -1/-1/+ 0 CR"}},
		{"tcp", rejecting, "echo", []string{"rst"}, []string{"b/<NOSRV> -1/-1/+ 0 CR"}},
		{"tcp", notNull + rejecting, "echo", []string{"rst"}, nil},
		{"tcp", notNull + rejecting, "echo", []string{"he", "rst"}, []string{"b/<NOSRV> -1/-1/+ 0 CR"}},
		{"tcp", rejectingPart, "echo", []string{"he", "rst"}, []string{"f/<NOSRV> -1/-1/+ 0 PR"}},
		{"tcp", rejecting, "no backend", []string{"he", "rst"}, []string{"f/<NOSRV> -1/-1/+ 0 CR"}},
		{"tcp", notNull + rejecting, "echo", []string{"hello"}, []string{"f/<NOSRV> -1/-1/+ 0 PR"}},
		{"tcp", notNull + rejecting, "dead", []string{"he", "fin"}, []string{"b/s +/-1/+ 0 SC"}},
		{"tcp", notNull + rejecting, "none", []string{"he", "fin"}, []string{"b/<NOSRV> -1/-1/+ 0 SC"}},
		{"tcp", notNull + rejecting, "dead", []string{"fin"}, nil},
	}
	for range 8 { // the reset and the answer of the rule come in any order
		cases = append(cases,
			abortCase{"http", "  http-request deny\n", "web", []string{whole, "rst"}, []string{"f/<NOSRV> +/-1/-1/-1/+ 403 n PR-- GET / HTTP/1.1"}},
			abortCase{"http", "  http-request redirect location /\n", "web", []string{whole, "rst"}, []string{"f/<NOSRV> +/-1/-1/-1/+ 302 n LR-- GET / HTTP/1.1"}})
	}
	return cases
}

// abortConfig returns a configuration with a frontend and a backend for each case.
func abortConfig(cases []abortCase, servers map[string]func(int) string) string {
	var text strings.Builder
	text.WriteString("defaults\n  log global\n  retries 1\n  timeout connect 5s\n  timeout client 10s\n  timeout server 10s\n")
	for i, c := range cases {
		fmt.Fprintf(&text, "frontend abort%d\n  mode %s\n  option %slog\n  bind 127.0.1.%d:1\n%s", i, c.mode, c.mode, i, c.front)
		if c.back != "no backend" {
			fmt.Fprintf(&text, "  default_backend b%d\n", i)
		}
		if c.mode == "http" {
			text.WriteString("  timeout http-request 300ms\n  timeout http-keep-alive 300ms\n")
		}
		fmt.Fprintf(&text, "backend b%d\n  mode %s\n", i, c.mode)
		if at := servers[c.back]; at != nil {
			fmt.Fprintf(&text, "  server s %s\n", at(i))
		}
	}
	return text.String()
}

// play runs the client. Its steps are: send FIN or RST; wait for an answer; wait until bytes of
// its body have reached the server; send a text together with FIN. At the end it waits for the
// end of the connection.
func (c *abortCase) play(t *testing.T, to net.Addr, reached <-chan struct{}) {
	t.Helper()
	conn, err := net.Dial("tcp", to.String())
	if err != nil {
		t.Error(err)
		return
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(patienceOfTests))
	for _, step := range c.steps {
		switch step {
		case "fin":
			closeWrite(t, conn)
		case "rst":
			resetSent(t, conn.(*net.TCPConn))
			return
		case "reached":
			select {
			case <-reached:
			case <-time.After(patienceOfTests):
				t.Errorf("%q: the server has got nothing", c.steps)
			}
		case "with fin":
			more(conn.(*net.TCPConn), c.steps[1])
			closeWrite(t, conn)
			_, _ = io.Copy(io.Discard, conn)
			return
		case "answer":
			if _, err := conn.Read(make([]byte, 4096)); err != nil {
				t.Errorf("%q: %v", c.steps, err)
			}
		default:
			_, _ = io.WriteString(conn, step)
		}
	}
	_, _ = io.Copy(io.Discard, conn)
}

// more sends text in the same segment as the bytes or FIN after it.
func more(c *net.TCPConn, text string) {
	if raw, err := c.SyscallConn(); err == nil {
		_ = raw.Control(func(fd uintptr) { _, _ = unix.SendmsgN(int(fd), []byte(text), nil, nil, unix.MSG_MORE) })
	}
}

var (
	abortLine = regexp.MustCompile(`^\S+ \[\S+\] abort(\d+) (\S+) (\S+) (?:(-?\d+) )?(\d+) (?:- - )?(\S+) \S+ \d+/\d+(?: "(.*)")?$`)
	numbers   = regexp.MustCompile(`\+?\b\d+\b`)
)

// shortLine returns backend and server, the timers with + for a value, status, bytes,
// termination state and request. The sizes of answers are left out: the pages of the two
// programs differ.
func shortLine(m []string) string {
	place := strings.NewReplacer("abort"+m[1]+"/", "f/", "b"+m[1]+"/", "b/").Replace(m[2])
	timers := numbers.ReplaceAllString(strings.ReplaceAll(m[3], "-1", "x"), "+")
	bytes := m[5]
	if bytes != "0" {
		bytes = "n"
	}
	words := []string{place, strings.ReplaceAll(timers, "x", "-1"), m[4], bytes, m[6], m[7]}
	return strings.Join(slices.DeleteFunc(words, func(w string) bool { return w == "" }), " ")
}

// abortLines sorts log lines by case.
func abortLines(lines chan string, into [][]string) [][]string {
	for len(lines) > 0 {
		if m := abortLine.FindStringSubmatch(<-lines); m != nil {
			var i int
			_, _ = fmt.Sscan(m[1], &i)
			into[i] = append(into[i], shortLine(m))
		}
	}
	return into
}

// TestAbortsAreLoggedAsHAProxyLogsThem: clients end early. The log lines must be those of the
// table, and those of HAProxy if it is installed.
func TestAbortsAreLoggedAsHAProxyLogsThem(t *testing.T) {
	cases := abortCases()
	web := newPeer(t, func(c *net.TCPConn) {
		for {
			if !strings.HasSuffix(readHead(c), "\r\n\r\n") {
				return
			}
			_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc")
		}
	})
	reached := make([]chan struct{}, len(cases))
	for i := range reached {
		reached[i] = make(chan struct{}, 10)
	}
	same := func(at string) func(int) string { return func(int) string { return at } }
	text := abortConfig(cases, map[string]func(int) string{
		"web": same(web.String()), "echo": same(newPeer(t, echo).String()), "dead": same("127.0.0.1:1"),
		"deaf": func(i int) string {
			return newPeer(t, func(c *net.TCPConn) {
				readHead(c)
				for some := make([]byte, 100); ; {
					if n, _ := c.Read(some); n == 0 {
						return
					}
					select {
					case reached[i] <- struct{}{}:
					default: // enough is known
					}
				}
			}).String()
		},
	})
	ours := start(t, text)
	var to []net.Addr
	for i := range cases {
		to = append(to, ours.addrs[fmt.Sprintf("abort%d", i)])
	}
	compareAborts(t, "Sluice", cases, to, reached, ours.lines)
	if _, err := exec.LookPath("haproxy"); err != nil {
		t.Skip("no HAProxy here to compare with")
	}
	judge := &balancer{t: t, lines: make(chan string, 1<<16)}
	to = haproxy(t, "global\n"+judge.logTarget(t)+text, len(cases))
	compareAborts(t, "HAProxy", cases, to, reached, judge.lines)
}

func compareAborts(t *testing.T, who string, cases []abortCase, to []net.Addr, reached []chan struct{}, lines chan string) {
	t.Helper()
	var clients sync.WaitGroup
	for i, c := range cases {
		clients.Go(func() { c.play(t, to[i], reached[i]) })
	}
	clients.Wait()
	want := make([][]string, len(cases))
	for i, c := range cases {
		want[i] = c.want
	}
	got := make([][]string, len(cases))
	waitUntil(patienceOfTests/4, func() bool { return cmp.Equal(want, abortLines(lines, got)) })
	for i, c := range cases {
		if diff := cmp.Diff(want[i], got[i]); diff != "" {
			t.Errorf("%s, mode %s, %q to %s, %q (-want +got):\n%s", who, c.mode, c.front, c.back, c.steps, diff)
		}
	}
}

// A client that has sent bytes is logged under option dontlognull. This also holds if it ends
// before a server was connected and its bytes were read.
func TestClientThatSpokeIsLoggedUnderDontLogNull(t *testing.T) {
	b := start(t, strings.Replace(plain, "frontend f\n", "frontend f\n  option dontlognull\n", 1)+"  server s "+blackhole(t))
	c := b.dial("f")
	_, _ = io.WriteString(c, "hello")
	wait(t, "the session", func() bool { return b.Sessions() == 1 })
	resetSent(t, c.(*net.TCPConn))
	b.wantTerm("CC")
}
