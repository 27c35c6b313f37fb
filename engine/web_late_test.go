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

	"golang.org/x/sys/unix"
)

// TestSlowConnectAfterManyBytes: a connection that is not established at once is noticed when
// it is, whatever the session has moved before.
func TestSlowConnectAfterManyBytes(t *testing.T) {
	leavesNothing(t)
	const size = 8 << 20
	big := newPeer(t, func(c *net.TCPConn) {
		if _, err := http.ReadRequest(bufio.NewReader(c)); err != nil {
			return
		}
		_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 8388608\r\n\r\n"+strings.Repeat("x", size))
		_, _ = io.Copy(io.Discard, c)
	})
	queue, late := fullQueue(t)
	b := start(t, webDefaults+`
frontend f
  bind 127.0.0.1:1
  use_backend late if { path /late }
  default_backend big
backend big
  server s `+big.String()+`
backend late
  server s `+late+`
`)
	c := b.dial("f")
	in := bufio.NewReaderSize(c, 64<<10)
	if n := askFor(t, c, in, "/"); n != size {
		t.Fatalf("%d bytes, want %d", n, size)
	}
	go func() {
		waitUntil(10*time.Second, func() bool { return b.today().Backends[1].Servers()[0].Stat.Connects.Load() > 0 })
		answerSecond(queue)
	}()
	if n := askFor(t, c, in, "/late"); n != 2 {
		t.Errorf("%d bytes, want 2", n)
	}
}

// answerSecond accepts the first connection of a full queue, which makes it possible to accept
// another. It answers the next one, whose SYN is sent again after a second.
func answerSecond(queue int) {
	for n := range 2 {
		fd, _, err := unix.Accept(queue)
		if err != nil {
			return
		}
		if n == 1 {
			_, _ = unix.Read(fd, make([]byte, 4096))
			_, _ = unix.Write(fd, []byte("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok"))
		}
		_ = unix.Close(fd)
	}
}

// askFor sends a request and returns the length of the answer's body.
func askFor(t *testing.T, c net.Conn, in *bufio.Reader, path string) int64 {
	t.Helper()
	if _, err := io.WriteString(c, "GET "+path+" HTTP/1.1\r\nHost: a\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	resp, err := http.ReadResponse(in, nil)
	if err != nil {
		t.Fatal(err)
	}
	n, err := io.Copy(io.Discard, resp.Body)
	if err != nil || resp.StatusCode != 200 {
		t.Fatalf("status %d, %v", resp.StatusCode, err)
	}
	return n
}
