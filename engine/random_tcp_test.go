//go:build !simulation

package engine

import (
	"fmt"
	"math/rand/v2"
	"net"
	"sluice/engine/session"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// stream is a random connection in mode tcp: the behaviour of its two ends.
type stream struct {
	number  int
	refused bool
	size    [2]int // bytes that a side sends, by side
	script  [2]script
	polite  [2]bool
}

// planStream makes a stream from its number and the seed.
func planStream(number int) *stream {
	r := rand.New(rand.NewPCG(*seed, uint64(number)))
	x := &stream{number: number, refused: r.IntN(8) == 0}
	for which := range session.Side(2) {
		x.size[which] = planSize(r)
		x.script[which], x.polite[which] = planEnd(r, stamped("qr"[which], number, x.size[which]))
	}
	x.script[session.Client] = append(script{say(x.head())}, x.script[session.Client]...)
	return x
}

// head returns the first bytes, which the rules inspect.
func (x *stream) head() string {
	host := "one.test"
	if x.refused {
		host = "refused.test"
	}
	return fmt.Sprintf("GET /%d HTTP/1.1\r\nHost: %s\r\n\r\n", x.number, host)
}

// planEnd returns the script of one end. polite means that this end sends all its bytes and
// reads all.
func planEnd(r *rand.Rand, text string) (s script, polite bool) {
	taking := script{takeAll}
	if r.IntN(2) == 0 {
		taking = script{take(r.IntN(10000)), rest(planRest(r)), takeAll}
	}
	s = script{meanwhile(taking...)}
	cut := len(text)
	if r.IntN(4) == 0 {
		cut = r.IntN(len(text) + 1)
	}
	for left := text[:cut]; left != ""; {
		n := min(len(left), max(1+r.IntN(1<<r.IntN(17)), len(text)/20))
		s = append(s, say(left[:n]))
		if r.IntN(3) == 0 {
			s = append(s, rest(planRest(r)))
		}
		left = left[n:]
	}
	switch {
	case cut == len(text):
		return append(s, fin), true
	case r.IntN(2) == 0:
		return append(s, rst), false
	}
	if r.IntN(2) == 0 {
		s = s[1:] // and reads nothing
	}
	return append(s, shut), false
}

// streams are random streams with their servers and results.
type streams struct {
	t   *testing.T
	all map[int]*stream

	mu    sync.Mutex
	wrong []string
}

func (w *streams) fail(x *stream, what string, args ...any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.wrong = append(w.wrong, fmt.Sprintf("-seed %d -talk %d: ", *seed, x.number)+fmt.Sprintf(what, args...)+
		fmt.Sprintf("\n  client: %s\n  server: %s", x.script[session.Client], x.script[session.Server]))
}

func planStreams(t *testing.T, first, n int) *streams {
	t.Helper()
	t.Logf("-seed %d", *seed)
	w := &streams{t: t, all: map[int]*stream{}}
	for i := first; i < first+n; i++ {
		if *talkFlag < 0 || *talkFlag == i {
			w.all[i] = planStream(i)
		}
	}
	return w
}

// serve starts a server that reads a head and follows the plan of that stream.
func (w *streams) serve(wire wire) string {
	return serveConns(w.t, wire, func(c net.Conn) {
		bound(c)
		line, _, _ := strings.Cut(readHead(c), " HTTP")
		number, _ := strconv.Atoi(strings.TrimPrefix(line, "GET /"))
		x := w.all[number]
		switch {
		case x == nil:
			w.t.Errorf("the server got %q, which nobody sent", line)
			return
		case x.refused:
			w.fail(x, "it is refused, and reached a server")
		}
		a := &actor{t: w.t, conn: c, script: x.script[session.Server], done: make(chan struct{})}
		a.run()
		w.judge(x, session.Server, a)
	}).String()
}

func (w *streams) play(x *stream, wire wire, to net.Addr) {
	conn := dialOver(w.t, wire, to)
	if conn == nil {
		return
	}
	began := time.Now()
	a := newActor(w.t, conn, x.script[session.Client]).over()
	if took := time.Since(began); took > 8*time.Second && (x.polite[session.Client] || x.polite[session.Server]) {
		w.fail(x, "it took %v", took)
	}
	w.judge(x, session.Client, a)
}

// judge compares the bytes that one end got with those that the other end sent.
func (w *streams) judge(x *stream, end session.Side, a *actor) {
	got, from := a.soFar(), end.Other()
	name := [...]string{"client", "server"}[end]
	switch wrong := foreign(got, "qr"[from], x.number); {
	case wrong != "":
		w.fail(x, "at the %s: %s", name, wrong)
	case x.refused && len(got) > 0:
		w.fail(x, "it is refused, and the %s got %d bytes", name, len(got))
	case len(got) > x.size[from]:
		w.fail(x, "the %s got %d bytes; want %d", name, len(got), x.size[from])
	case !x.refused && x.polite[session.Client] && x.polite[session.Server] && (len(got) < x.size[from] || !a.endedNow()):
		w.fail(x, "the %s got %d bytes and %v; want %d and the end", name, len(got), a.end, x.size[from])
	}
}

// TestRandomStreams: misbehaving clients and servers send to each other in mode tcp. Each end
// must get a prefix of the bytes that the other has sent, and all of them if both were polite.
func TestRandomStreams(t *testing.T) {
	for i, place := range landscapes(t) {
		for name, rules := range map[string]string{"at once": "", "inspected": "tcp-request content reject if { hdr(host) refused.test }\n  use_backend b if { hdr(host) one.test }"} {
			t.Run(place.name+" "+name, func(t *testing.T) {
				w := planStreams(t, 1+i*10000, talksWanted(100))
				for _, x := range w.all {
					x.refused = x.refused && rules != ""
				}
				b := startWith(t, w.config(place, rules), place.change)
				w.run(place.clients, b.addrs["f"])
				wait(t, "the sessions to end", func() bool { return b.Sessions() == 0 })
				w.report()
			})
		}
	}
}

// TestRandomStreamsByHAProxy checks that HAProxy meets the expectations of the test above too.
func TestRandomStreamsByHAProxy(t *testing.T) {
	w := planStreams(t, 1, talksWanted(100))
	text := w.config(landscape{bind: "127.0.1.0:1", servers: overTCP}, "tcp-request inspect-delay 5s\n  tcp-request content reject if { hdr(host) refused.test }\n  tcp-request content accept if HTTP")
	w.run(overTCP, haproxy(t, "defaults\n"+text, 1)[0])
	for _, wrong := range w.wrong {
		t.Error("HAProxy: " + wrong)
	}
}

func (w *streams) config(place landscape, rules string) string {
	return fmt.Sprintf(`
  timeout connect 5s
  timeout client 10s
  timeout server 10s
frontend f
  bind %s
  %s
  default_backend b
backend b
  server s %s
global
  maxconn 200
  %s
`, place.bind, rules, w.serve(place.servers), place.options)
}

func (w *streams) run(wire wire, to net.Addr) {
	queue := make(chan *stream)
	var working sync.WaitGroup
	for range talkers {
		working.Go(func() {
			for x := range queue {
				w.play(x, wire, to)
			}
		})
	}
	for _, x := range w.all {
		queue <- x
	}
	close(queue)
	working.Wait()
}

func (w *streams) report() {
	w.t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	for i, wrong := range w.wrong {
		if i < 3 {
			w.t.Error(wrong)
		}
	}
	if len(w.wrong) > 3 {
		w.t.Errorf("%d streams more", len(w.wrong)-3)
	}
}
