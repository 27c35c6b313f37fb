//go:build !simulation

package engine

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// reloadLoad is clients of all kinds beside reloads. None of them may notice a reload.
type reloadLoad struct {
	*balancer
	stop    chan struct{}
	clients sync.WaitGroup
	served  atomic.Int64 // connections and requests
}

// repeat calls do on its own goroutine until the load stops or do fails.
func (l *reloadLoad) repeat(what string, do func() error) {
	l.clients.Go(func() {
		for {
			select {
			case <-l.stop:
				return
			default:
			}
			if err := do(); err != nil {
				l.t.Errorf("%s: %v", what, err)
				return
			}
			l.served.Add(1)
		}
	})
}

// short makes one connection to the frontend, which ends after one request.
func (l *reloadLoad) short(frontend string) func() error {
	return func() error {
		conn, err := net.DialTimeout("tcp", l.addrs[frontend].String(), patienceOfTests)
		if err != nil {
			return err
		}
		defer conn.Close()
		_ = conn.SetDeadline(time.Now().Add(patienceOfTests))
		_, _ = io.WriteString(conn, "GET / HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\n\r\n")
		return expectAnswer(bufio.NewReader(conn))
	}
}

// kept sends requests on one connection.
func (l *reloadLoad) kept(frontend string) func() error {
	conn := l.dial(frontend)
	in := bufio.NewReader(conn)
	return func() error {
		_, _ = io.WriteString(conn, head("a.test"))
		return expectAnswer(in)
	}
}

func expectAnswer(in *bufio.Reader) error {
	resp, err := http.ReadResponse(in, nil)
	if err != nil {
		return err
	}
	got, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != 200 || string(got) != "ok" {
		return fmt.Errorf("status %d, body %q, %w", resp.StatusCode, got, err)
	}
	return nil
}

// tunnel sends words on one connection and expects them back.
func (l *reloadLoad) tunnel() func() error {
	conn := l.dial("tunnels")
	n := 0
	return func() error {
		n++
		word := fmt.Sprintf("%08d", n)
		got := make([]byte, len(word))
		_, _ = io.WriteString(conn, word)
		if _, err := io.ReadFull(conn, got); err != nil || string(got) != word {
			return fmt.Errorf("got %q, want %q: %w", got, word, err)
		}
		time.Sleep(time.Millisecond)
		return nil
	}
}

// transfer sends a large stream through the balancer and compares what comes back.
func (l *reloadLoad) transfer(size int64) {
	conn := l.dial("tunnels")
	l.clients.Go(func() {
		l.clients.Go(func() {
			if _, err := io.Copy(conn, io.LimitReader(&counting{}, size)); err != nil {
				l.t.Errorf("transfer: %v", err)
			}
		})
		want := io.LimitReader(&counting{}, size)
		a, b := make([]byte, 64<<10), make([]byte, 64<<10)
		for {
			n, err := io.ReadFull(want, a)
			if n == 0 {
				return
			}
			if _, e := io.ReadFull(conn, b[:n]); e != nil || string(a[:n]) != string(b[:n]) {
				l.t.Errorf("transfer: %v, or wrong bytes", e)
				return
			}
			if err != nil {
				return
			}
		}
	})
}

// counting is an endless stream in which each 8 bytes are different.
type counting struct{ n uint64 }

func (c *counting) Read(b []byte) (int, error) {
	for i := range b {
		b[i] = byte(c.n >> (8 * (c.n % 8)))
		c.n++
	}
	return len(b), nil
}

// Reloads, each tenth of a broken file, beside all kinds of clients: nothing is refused, reset or
// lost. Bind lines that are added serve, and those that are removed refuse.
func TestReloadsUnderLoad(t *testing.T) {
	web := newPeer(t, func(c *net.TCPConn) {
		for readHead(c) != "" {
			_, _ = io.WriteString(c, sayOK)
		}
	}).String()
	tunnel := newPeer(t, echo).String()
	extra := fmt.Sprintf("127.0.0.1:%d", unusedPort(t))
	cfg := func(n int) string {
		bind := ""
		if n%2 == 1 {
			bind = "  bind " + extra + "\n"
		}
		text := fmt.Sprintf(`  timeout connect 5s
  timeout client 30s
  timeout server 30s
frontend short
  bind 127.0.0.1:1
%s  acl never hdr(host) n%d.test
  tcp-request inspect-delay 5s
  tcp-request content accept if HTTP
  use_backend b if never
  default_backend b
frontend tunnels
  bind 127.0.0.1:1
  maxconn %d
  default_backend t
frontend kept
  mode http
  bind 127.0.0.1:1
  http-request set-header x-generation %d
  default_backend w
backend b
  server s %s weight %d
backend w
  mode http
  server s %s
backend t
  server s %s
`, bind, n, 100+n, n, web, 1+n%5, web, tunnel)
		if n%10 == 9 {
			text = strings.Replace(text, "default_backend b", "default_backend nowhere", 1)
		}
		return text
	}
	l := &reloadLoad{balancer: start(t, cfg(0)), stop: make(chan struct{})}
	l.transfer(64 << 20)
	for range 4 {
		l.repeat("a short connection", l.short("short"))
		l.repeat("a short connection in mode http", l.short("kept"))
		l.repeat("a kept connection", l.kept("kept"))
	}
	for range 20 {
		l.repeat("a tunnel", l.tunnel())
	}
	serves := func() bool {
		conn, err := net.Dial("tcp", extra)
		if err == nil {
			conn.Close()
		}
		return err == nil
	}
	good := 0
	for n := 1; n <= 100; n++ {
		before := l.served.Load()
		wait(t, "clients", func() bool { return l.served.Load() > before+50 || t.Failed() })
		if _, err := l.tryReload(cfg(n)); (err != nil) != (n%10 == 9) {
			t.Fatalf("reload %d: %v", n, err)
		} else if err == nil {
			good = n
		}
		if serves() != (good%2 == 1) {
			t.Errorf("after reload %d the extra bind line serves: %v", n, good%2 == 0)
		}
	}
	close(l.stop)
	l.clients.Wait()
	wait(t, "the generations of tunnels and of today to be the only ones", func() bool { return len(l.serials()) == 2 })
	t.Logf("%d connections and requests", l.served.Load())
}
