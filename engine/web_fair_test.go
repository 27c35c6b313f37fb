//go:build !simulation

package engine

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
)

// oneLoop starts a balancer with one loop. It answers /alive itself and sends other requests to
// a server.
func oneLoop(t *testing.T, server string) *balancer {
	t.Helper()
	return start(t, webDefaults+`
frontend f
  bind 127.0.0.1:1
  monitor-uri /alive
  default_backend b
backend b
  server s `+server+`
global
  nbthread 1
`)
}

// TestPipelinedFloodIsFair: one client sends requests endlessly and is answered at once. Other
// clients of the loop are still served.
func TestPipelinedFloodIsFair(t *testing.T) {
	b := oneLoop(t, website(t, "one"))
	flood := b.dial("f")
	go pour(flood, strings.Repeat("GET /alive HTTP/1.1\r\nHost: a\r\n\r\n", 2000))
	go func() { _, _ = io.Copy(io.Discard, flood) }()
	b.servesOthers(t)
}

// TestSmallChunksAreFair is the same test with a client that sends chunks of one byte.
func TestSmallChunksAreFair(t *testing.T) {
	sink := newPeer(t, silent)
	b := oneLoop(t, sink.String())
	flood := b.dial("f")
	_, _ = io.WriteString(flood, "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n")
	go pour(flood, strings.Repeat("1\r\nx\r\n", 10000))
	b.servesOthers(t)
}

// pour repeatedly sends a text until the connection ends.
func pour(c net.Conn, text string) {
	for {
		if _, err := io.WriteString(c, text); err != nil {
			return
		}
	}
}

// servesOthers checks that another client gets its answer.
func (b *balancer) servesOthers(t *testing.T) {
	t.Helper()
	c := b.dial("f")
	in := bufio.NewReader(c)
	for range 100 {
		_, _ = io.WriteString(c, "GET /alive HTTP/1.1\r\nHost: a\r\n\r\n")
		resp, err := http.ReadResponse(in, nil)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.Copy(io.Discard, resp.Body)
	}
}
