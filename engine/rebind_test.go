//go:build !simulation

package engine

import (
	"errors"
	"fmt"
	"io"
	"net"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"sluice/engine/session"
)

// rebinder is a balancer whose bind lines change while it works.
type rebinder struct {
	*balancer
	cfg string // with BINDS in the place of the bind lines of frontend f
}

// rebindable starts a balancer whose frontend f has these bind lines. A line is the text after
// `bind`.
func rebindable(t *testing.T, cfg string, binds ...string) *rebinder {
	t.Helper()
	r := &rebinder{cfg: cfg}
	r.balancer = start(t, r.with(binds))
	return r
}

func (r *rebinder) with(binds []string) string {
	return strings.Replace(r.cfg, "BINDS", "  bind "+strings.Join(binds, "\n  bind "), 1)
}

// rebind gives frontend f these bind lines, with a reload.
func (r *rebinder) rebind(binds ...string) {
	r.t.Helper()
	r.reload(r.with(binds))
}

// onLoops calls do on the goroutine of each loop, one after the other.
func (r *rebinder) onLoops(do func(*session.Loop)) {
	for i := range r.Loops {
		done := make(chan struct{})
		r.tell(func(l *session.Loop) error {
			if l.Number == i {
				do(l)
				close(done)
			}
			return nil
		})
		<-done
	}
}

// settled reports whether each loop has this number of listeners, and none without a socket.
func (r *rebinder) settled(listeners int) bool {
	fine := true
	r.onLoops(func(l *session.Loop) {
		fine = fine && len(l.Listeners) == listeners
		for _, ln := range l.Listeners {
			fine = fine && ln.FD >= 0
		}
	})
	return fine
}

// unbound is a configuration whose frontend f gets bind lines by rebindable.
func unbound(server string) string {
	return `
  timeout connect 2s
  timeout client 60s
  timeout server 60s
frontend f
BINDS
  default_backend b
backend b
  server s ` + server + "\n"
}

// unusedPort returns a port that is free on all addresses.
func unusedPort(t *testing.T) uint16 {
	t.Helper()
	ln, err := net.Listen("tcp", "[::]:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	return ln.Addr().(*net.TCPAddr).AddrPort().Port()
}

// clientLoad makes connections to an address, one after the other on several goroutines. Each sends
// a word and expects it back.
type clientLoad struct {
	stop    chan struct{}
	network string        // tcp or unix
	patient time.Duration // time to connect
	clients sync.WaitGroup
	served  atomic.Int64
	slowest atomic.Int64 // ns

	mu     sync.Mutex
	failed []error
}

// start adds a goroutine that connects to an address. expected reports whether an error is no
// failure.
func (c *clientLoad) start(to string, expected func(error) bool) {
	c.clients.Go(func() {
		for {
			select {
			case <-c.stop:
				return
			default:
			}
			began := time.Now()
			if err := c.one(to); err == nil {
				c.served.Add(1)
				raise(&c.slowest, int64(time.Since(began)))
			} else if !expected(err) {
				c.mu.Lock()
				c.failed = append(c.failed, err)
				c.mu.Unlock()
			}
		}
	})
}

func (c *clientLoad) one(to string) error {
	conn, err := net.DialTimeout(c.network, to, c.patient)
	if err != nil {
		return err
	}
	defer conn.Close()
	bound(conn)
	if _, err := io.WriteString(conn, "word"); err != nil {
		return fmt.Errorf("after connect: %w", err)
	}
	_ = conn.(interface{ CloseWrite() error }).CloseWrite()
	got, err := io.ReadAll(conn)
	if err != nil || string(got) != "word" {
		return fmt.Errorf("after connect: %q, %w", got, err)
	}
	return nil
}

func (c *clientLoad) finish(t *testing.T) {
	t.Helper()
	close(c.stop)
	c.clients.Wait()
	for i, err := range c.failed {
		if i < 5 {
			t.Error(err)
		}
	}
	if n := c.served.Load(); n == 0 {
		t.Error("no client was served")
	}
	t.Logf("%d clients were served, %d failed; the slowest took %v", c.served.Load(), len(c.failed), time.Duration(c.slowest.Load()))
}

// A bind line is removed and added again 200 times under load. A client may be refused, but never
// after it has connected. The balancer keeps nothing of the former listeners.
func TestBindIsRemovedAndAddedUnderLoad(t *testing.T) {
	at := fmt.Sprintf("127.0.0.1:%d", unusedPort(t))
	r := rebindable(t, unbound(newPeer(t, echo).String()), "127.0.0.1:1", at)
	load := &clientLoad{stop: make(chan struct{}), network: "tcp", patient: 50 * time.Millisecond}
	for range 8 {
		load.start(at, func(err error) bool { return !strings.Contains(err.Error(), "after connect") })
	}
	for range 200 {
		before := load.served.Load()
		wait(t, "clients", func() bool { return load.served.Load() > before+20 })
		r.rebind("127.0.0.1:1")
		r.rebind("127.0.0.1:1", at)
	}
	r.rebind("127.0.0.1:1")
	wait(t, "the removed listeners to be closed", func() bool { return r.settled(1) })
	if _, err := net.Dial("tcp", at); !errors.Is(err, unix.ECONNREFUSED) {
		t.Errorf("a client of the removed line: %v; want ECONNREFUSED", err)
	}
	load.finish(t)
}

// A bind line changes between all addresses and one of them under load. No client is refused, reset
// or delayed.
func TestBindGetsWiderAndNarrowerUnderLoad(t *testing.T) {
	for name, forms := range map[string][2]string{
		"IPv4":       {"127.0.0.1:%d", "*:%d"},
		"dual stack": {"*:%d", ":::%d v4v6"},
		"both":       {"127.0.0.1:%d", ":::%d v4v6"},
	} {
		t.Run(name, func(t *testing.T) {
			port := unusedPort(t)
			narrow, wide := fmt.Sprintf(forms[0], port), fmt.Sprintf(forms[1], port)
			r := rebindable(t, unbound(newPeer(t, echo).String()), narrow)
			load := &clientLoad{stop: make(chan struct{}), network: "tcp", patient: patienceOfTests}
			for range 8 {
				load.start(fmt.Sprintf("127.0.0.1:%d", port), func(error) bool { return false })
			}
			for range 50 {
				for _, bind := range []string{wide, narrow} {
					before := load.served.Load()
					wait(t, "clients", func() bool { return load.served.Load() > before+20 })
					r.rebind(bind)
				}
			}
			load.finish(t)
			if slowest := time.Duration(load.slowest.Load()); slowest >= time.Second {
				t.Errorf("the slowest client took %v, as if its SYN was dropped", slowest)
			}
			wait(t, "the removed listeners to be closed", func() bool { return r.settled(1) })
		})
	}
}

// A UNIX socket is removed and added again under load. No client that has connected is lost.
func TestUnixBindIsRemovedAndAddedUnderLoad(t *testing.T) {
	for name, at := range map[string]string{
		"path":     "unix@" + filepath.Join(t.TempDir(), "s"),
		"abstract": fmt.Sprintf("abns@sluice-test-%d", unusedPort(t)),
	} {
		t.Run(name, func(t *testing.T) {
			r := rebindable(t, unbound(newPeer(t, echo).String()), "127.0.0.1:1", at)
			load := &clientLoad{stop: make(chan struct{}), network: "unix", patient: patienceOfTests}
			dial := strings.TrimPrefix(strings.Replace(at, "abns@", "@", 1), "unix@")
			if dial[0] == '@' {
				dial += strings.Repeat("\x00", 108-len(dial))
			}
			for range 4 {
				load.start(dial, func(err error) bool { return !strings.Contains(err.Error(), "after connect") })
			}
			for range 200 {
				before := load.served.Load()
				wait(t, "clients", func() bool { return load.served.Load() > before+20 })
				r.rebind("127.0.0.1:1")
				if c, err := net.Dial("unix", dial); err == nil {
					c.Close()
					t.Fatal("a client is connected to the removed socket")
				}
				wait(t, "the name to be free", func() bool { return name == "path" || r.settled(1) })
				r.rebind("127.0.0.1:1", at)
			}
			load.finish(t)
			wait(t, "the removed listeners to be closed", func() bool { return r.settled(2) })
		})
	}
}
