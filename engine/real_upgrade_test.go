//go:build !simulation

package engine

import (
	"bytes"
	"encoding/binary"
	"io"
	"net"
	"strings"
	"testing"
)

// TestRealUpgrade: after status 101 a connection carries another protocol in both directions at
// the same time. Here it is a WebSocket of the WSGI application that Host has selected.
func TestRealUpgrade(t *testing.T) {
	b := sites(t, t.TempDir())
	c := b.dial("f")
	_, _ = io.WriteString(c, "GET /socket HTTP/1.1\r\nHost: two.test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"+
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n")
	answer := readHead(c)
	for _, want := range []string{"HTTP/1.1 101 ", "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo="} {
		if !strings.Contains(answer, want) {
			t.Fatalf("the answer %q has no %q", answer, want)
		}
	}
	messages := []string{"hello", strings.Repeat("x", 125), strings.Repeat("y", 126), strings.Repeat("z", 1<<20)}
	go func() {
		for _, m := range messages {
			_, _ = c.Write(frame(0x81, m))
		}
	}()
	for _, m := range messages {
		if got := message(t, c); got != m {
			t.Fatalf("%d bytes come back; want the %d sent", len(got), len(m))
		}
	}
	_, _ = c.Write(frame(0x88, ""))
	_, _ = io.Copy(io.Discard, c)
	c.Close()
	b.wantTerm("--")
}

// frame returns a WebSocket frame as clients send it, masked (RFC 6455 5.2).
func frame(first byte, text string) []byte {
	mask := []byte{1, 2, 3, 4}
	f := []byte{first}
	switch n := len(text); {
	case n < 126:
		f = append(f, 0x80|byte(n))
	case n < 1<<16:
		f = binary.BigEndian.AppendUint16(append(f, 0x80|126), uint16(n))
	default:
		f = binary.BigEndian.AppendUint64(append(f, 0x80|127), uint64(n))
	}
	f = append(f, mask...)
	for i := range len(text) {
		f = append(f, text[i]^mask[i%4])
	}
	return f
}

// message reads a text message in one frame from a server.
func message(t *testing.T, c net.Conn) string {
	t.Helper()
	part := func(n uint64) []byte {
		b := make([]byte, n)
		if _, err := io.ReadFull(c, b); err != nil {
			t.Fatal(err)
		}
		return b
	}
	start := part(2)
	if !bytes.Equal(start[:1], []byte{0x81}) {
		t.Fatalf("a frame begins with %#x; want one whole text message", start)
	}
	n := uint64(start[1])
	switch n {
	case 126:
		n = uint64(binary.BigEndian.Uint16(part(2)))
	case 127:
		n = binary.BigEndian.Uint64(part(8))
	}
	return string(part(n))
}
