//go:build !simulation

package engine

import (
	"io"
	"net"
	"testing"
)

const plain = `
  timeout connect 2s
  timeout client 10s
  timeout server 10s
frontend f
  bind 127.0.0.1:1
  default_backend b
backend b
`

// sniffing is the configuration plain with a rule that needs bytes of the client.
const sniffing = `
  timeout connect 2s
  timeout client 10s
  timeout server 10s
frontend f
  bind 127.0.0.1:1
  use_backend other if { hdr(host) other.test }
  default_backend b
backend other
  server s 127.0.0.1:9
backend b
`

func TestRelaysBothWays(t *testing.T) {
	b := start(t, plain+"  server s "+newPeer(t, echo).String())
	if got := ask(t, b.dial("f"), "hello"); got != "hello" {
		t.Errorf("got %q", got)
	}
	b.wantTerm("--")
}

func TestServerSpeaksFirst(t *testing.T) {
	b := start(t, plain+"  server s "+newPeer(t, says("220 ready\r\n")).String())
	c := b.dial("f")
	got := make([]byte, 11)
	if _, err := io.ReadFull(c, got); err != nil || string(got) != "220 ready\r\n" {
		t.Errorf("got %q, %v", got, err)
	}
	c.Close()
	b.wantTerm("--")
}

func TestRoutesByHost(t *testing.T) {
	b := start(t, `
  timeout connect 2s
  timeout client 10s
  timeout server 10s
frontend f
  bind 127.0.0.1:1
  use_backend one if { hdr(host) one.test }
  use_backend two if { hdr(host) -i two.test }
  default_backend rest
backend one
  server s `+newPeer(t, answers("one")).String()+`
backend two
  server s `+newPeer(t, answers("two")).String()+`
backend rest
  server s `+newPeer(t, answers("rest")).String())
	for host, want := range map[string]string{"one.test": "one", "TWO.test": "two", "other": "rest"} {
		if got := ask(t, b.dial("f"), head(host)); got != want {
			t.Errorf("host %s: got %q; want %q", host, got, want)
		}
	}
}

func TestHalfCloseOfClient(t *testing.T) {
	b := start(t, plain+"  server s "+newPeer(t, func(c *net.TCPConn) {
		all, _ := io.ReadAll(c)
		_, _ = io.WriteString(c, "late "+string(all))
	}).String())
	if got := ask(t, b.dial("f"), "question"); got != "late question" {
		t.Errorf("got %q", got)
	}
}
