//go:build !simulation

package engine

import (
	"io"
	"net"
	"strings"
	"testing"
)

// TestEarlyBytesAreGivenBack: heads that come in two pieces are held only until the rules have
// decided.
func TestEarlyBytesAreGivenBack(t *testing.T) {
	b := start(t, `
  timeout connect 2s
  timeout client 10s
  timeout server 10s
frontend f
  bind 127.0.0.1:1
  use_backend b if { hdr(host) site.test }
backend b
  server s `+newPeer(t, func(c *net.TCPConn) {
		_, _ = io.WriteString(c, readHead(c))
		_, _ = io.Copy(io.Discard, c)
	}).String())
	const n = 200
	first, second, _ := strings.Cut(head("site.test"), "Host")
	var clients []net.Conn
	for range n {
		c := b.dial("f")
		_, _ = io.WriteString(c, first)
		clients = append(clients, c)
	}
	wait(t, "the first pieces to be held", func() bool { return b.Held() >= n*int64(len(first)) })
	for _, c := range clients {
		_, _ = io.WriteString(c, "Host"+second)
	}
	for _, c := range clients {
		if got := readHead(c); got != head("site.test") {
			t.Fatalf("the server received %q", got)
		}
	}
	if held, open := b.Held(), b.Sessions(); held != 0 || open != n {
		t.Errorf("%d bytes are held with %d sessions; want none with %d", held, open, n)
	}
	for _, c := range clients {
		c.Close()
	}
}
