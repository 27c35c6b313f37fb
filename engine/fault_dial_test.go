//go:build !simulation

package engine

import (
	"net"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// farm is the configuration plain with short times for connecting.
const farm = `
  timeout connect 100ms
  timeout client 10s
  timeout server 10s
frontend f
  bind 127.0.0.1:1
  default_backend b
backend b
`

// Retries work as in HAProxy: their number, their servers, the pauses between them, and the
// values in the log and the counters.
func TestRetries(t *testing.T) {
	leavesNothing(t)
	dead, hole := deadPort(t), blackhole(t)
	live := newPeer(t, says("fine")).String()
	for name, c := range map[string]struct {
		words    string // directives of the backend
		servers  []string
		term     string
		server   string // in the log
		retries  string
		low      int    // minimum of Tt, ms
		counters [3]int // connects, retries, redispatches
	}{
		"refused":             {"", []string{dead}, "SC", "b/s0", "3", 300, [3]int{4, 3, 0}},
		"none wanted":         {"retries 0", []string{dead}, "SC", "b/s0", "0", 0, [3]int{1, 0, 0}},
		"two wanted":          {"retries 2", []string{dead}, "SC", "b/s0", "2", 200, [3]int{3, 2, 0}},
		"timed out":           {"retries 2", []string{hole}, "sC", "b/s0", "2", 300, [3]int{3, 2, 0}},
		"stays without word":  {"retries 1", []string{dead, live}, "SC", "b/s0", "1", 100, [3]int{2, 1, 0}},
		"moves at once":       {"option redispatch", []string{dead, live}, "--", "b/s1", "+1", 0, [3]int{2, 0, 1}},
		"moves at interval 0": {"option redispatch 0", []string{dead, live}, "--", "b/s1", "+1", 0, [3]int{2, 0, 1}},
		"moves from timeout":  {"option redispatch", []string{hole, live}, "--", "b/s1", "+1", 100, [3]int{2, 0, 1}},
		"nowhere to move":     {"option redispatch\n  retries 1", []string{dead}, "SC", "b/s0", "1", 100, [3]int{2, 1, 0}},
		"moves among failing": {"option redispatch\n  retries 2", []string{dead, dead}, "SC", "b/s0", "+2", 0, [3]int{3, 0, 2}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cfg := farm + "  " + c.words + "\n"
			for i, at := range c.servers {
				cfg += "  server s" + strconv.Itoa(i) + " " + at + "\n"
			}
			b := launch(t, cfg, nil)
			got, err := fetch(b.dial("f"))
			if want := map[bool]string{true: "fine"}[c.term == "--"]; got != want || err != nil {
				t.Errorf("the client got %q, %v", got, err)
			}
			e := b.wantTerm(c.term)
			if e.server != c.server || e.retries != c.retries {
				t.Errorf("log line %q; want %s and %s retries", e.text, c.server, c.retries)
			}
			within(t, "life", e.tt, c.low, c.low+soon)
			if n := b.counted(); n != c.counters {
				t.Errorf("connects, retries, redispatches: %v; want %v", n, c.counters)
			}
		})
	}
}

// A retry counts before its pause, so that counters and log agree if the client leaves in the pause.
// HAProxy counts it at the same time.
func TestRetryCountsBeforeItsPause(t *testing.T) {
	b := start(t, strings.Replace(farm, "connect 100ms", "connect 10s", 1)+"  server s "+deadPort(t))
	c := b.dial("f")
	wait(t, "an attempt", func() bool { return b.counted()[0] == 1 })
	resetSent(t, c.(*net.TCPConn))
	if e := b.wantTerm("CC"); e.retries != "1" {
		t.Errorf("log line %q; want 1 retry", e.text)
	}
	if n, want := b.counted(), [3]int{1, 1, 0}; n != want {
		t.Errorf("connects, retries, redispatches: %v; want %v", n, want)
	}
}

// counted returns the counters of the first backend's servers: attempts, retries, redispatches.
func (b *balancer) counted() (n [3]int) {
	for _, s := range b.today().Backends[0].Servers() {
		n[0] += int(s.Stat.Connects.Load())
		n[1] += int(s.Stat.Retries.Load())
		n[2] += int(s.Stat.Redispatches.Load())
	}
	return n
}

// Bytes that the client sends before a server is connected reach the server that accepts the
// connection, each of them once.
func TestEarlyBytesSurviveRetries(t *testing.T) {
	text := string(random(t, 100_000))
	b := start(t, farm+`  option redispatch
  server a `+deadPort(t)+`
  server b `+blackhole(t)+`
  server c `+newPeer(t, echo).String())
	for range 3 {
		c := b.dial("f")
		if got := ask(t, c, text); got != text {
			t.Errorf("%d bytes came back; want %d", len(got), len(text))
		}
	}
}

// Fault 18. With all servers down, a client is refused at once. The first server that is up
// again is used within the interval of its check.
func TestFault18AllServersDown(t *testing.T) {
	back := deadPort(t)
	b := start(t, farm+"  option redispatch\n  server a "+deadPort(t)+" check inter 50ms fall 1 rise 1\n  server b "+back+" check inter 50ms fall 1 rise 1")
	wait(t, "both servers to be down", func() bool { return b.today().Backends[0].Active() == 0 })
	if got, err := fetch(b.dial("f")); len(got) > 0 || err != nil {
		t.Errorf("%q, %v; want the end", got, err)
	}
	e := b.wantTerm("SC")
	within(t, "life", e.tt, 0, 900) // the pause before an attempt is 1000
	if e.server != "b/<NOSRV>" {
		t.Errorf("log line %q; want b/<NOSRV>", e.text)
	}
	newPeerOn(t, back, says("back"))
	wait(t, "the server to be back", func() bool { return b.today().Backends[0].Active() == 1 })
	if got, err := fetch(b.dial("f")); got != "back" || err != nil {
		t.Errorf("%q, %v", got, err)
	}
	if n := b.said.FilterMessageSnippet("no server available").Len(); n != 1 {
		t.Errorf("%d messages that no server is available; want 1", n)
	}
}

// Fault 19. A server that drops SYNs costs timeout connect, then another server is tried. If
// there is no other, the total time is at most retries x timeout.
func TestFault19SynBlackhole(t *testing.T) {
	b := start(t, farm+"  option redispatch\n  server hole "+blackhole(t)+"\n  server live "+newPeer(t, says("fine")).String())
	for range 4 {
		if got, err := fetch(b.dial("f")); got != "fine" || err != nil {
			t.Errorf("%q, %v", got, err)
		}
		e := b.wantTerm("--")
		within(t, "life", e.tt, 0, 100+soon)
	}
}

// connect(2) to a UNIX socket returns EAGAIN if its queue is full. This is a failed attempt,
// not one in progress.
func TestUnixServerWithFullQueue(t *testing.T) {
	path := filepath.Join(t.TempDir(), "full")
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = unix.Close(fd) })
	if err := unix.Bind(fd, &unix.SockaddrUnix{Name: path}); err != nil {
		t.Fatal(err)
	}
	if err := unix.Listen(fd, 0); err != nil {
		t.Fatal(err)
	}
	first, err := net.Dial("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { first.Close() })
	t.Run("alone", func(t *testing.T) {
		b := start(t, farm+"  retries 2\n  server full unix@"+path)
		if got, err := fetch(b.dial("f")); len(got) > 0 || err != nil {
			t.Errorf("%q, %v; want the end", got, err)
		}
		if e := b.wantTerm("SC"); e.retries != "2" {
			t.Errorf("log line %q; want 2 retries", e.text)
		}
	})
	t.Run("with another", func(t *testing.T) {
		b := start(t, farm+"  option redispatch\n  server full unix@"+path+"\n  server live "+newPeer(t, says("fine")).String())
		if got, err := fetch(b.dial("f")); got != "fine" || err != nil {
			t.Errorf("%q, %v", got, err)
		}
		if e := b.wantTerm("--"); e.retries != "+1" {
			t.Errorf("log line %q; want a redispatch", e.text)
		}
	})
}

// A client that sends its request with FIN gets its answer, even if its server is not connected
// yet.
func TestHalfCloseWhileDialing(t *testing.T) {
	b := start(t, farm+"  option redispatch\n  server hole "+blackhole(t)+"\n  server live "+newPeer(t, echo).String())
	for range 2 {
		if got := ask(t, b.dial("f"), "question"); !strings.HasPrefix(got, "question") {
			t.Errorf("got %q", got)
		}
	}
}
