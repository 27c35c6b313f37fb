package sniff

import (
	"bytes"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"flag"
	"io"
	"math/rand/v2"
	"net"
	"strings"
	"testing"
)

var seed = flag.Uint64("seed", 0, "seed of the random tests; 0: a new one")

// random returns a random generator. Its seed is logged.
func random(t testing.TB) *rand.Rand {
	t.Helper()
	n := *seed
	if n == 0 {
		n = rand.Uint64()
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("run again with -seed=%d", n)
		}
	})
	t.Logf("seed %d", n)
	return rand.New(rand.NewPCG(n, 0))
}

// tape is a connection that reads from in and writes to out.
type tape struct {
	net.Conn
	in  io.Reader
	out bytes.Buffer
}

func (t *tape) Read(p []byte) (int, error)  { return t.in.Read(p) }
func (t *tape) Write(p []byte) (int, error) { return t.out.Write(p) }

// clientHello returns the first bytes that a crypto/tls client sends.
func clientHello(t testing.TB, cfg *tls.Config) []byte {
	t.Helper()
	conn := &tape{in: bytes.NewReader(nil)}
	if err := tls.Client(conn, cfg).Handshake(); !errors.Is(err, io.EOF) {
		t.Fatalf("handshake with nobody: %v", err)
	}
	return conn.out.Bytes()
}

// goReads returns the hello as a crypto/tls server reads b, or nil if the server refuses it.
func goReads(b []byte) (info *tls.ClientHelloInfo) {
	cfg := &tls.Config{MinVersion: tls.VersionTLS10, GetConfigForClient: func(i *tls.ClientHelloInfo) (*tls.Config, error) {
		info = i
		return nil, errors.New("seen enough")
	}}
	_ = tls.Server(&tape{in: bytes.NewReader(b)}, cfg).Handshake() // it always fails
	return info
}

// message removes the record headers from a hello.
func message(wire []byte) (m []byte) {
	for len(wire) > 0 {
		end := recordHeader + int(binary.BigEndian.Uint16(wire[3:]))
		m = append(m, wire[recordHeader:end]...)
		wire = wire[end:]
	}
	return m
}

// records divides a message into records. size returns the size of the next record.
func records(m []byte, size func() int) (wire []byte) {
	for len(m) > 0 {
		n := min(size(), len(m))
		wire = append(wire, record(m[:n])...)
		m = m[n:]
	}
	return wire
}

func record(fragment []byte) []byte {
	return append([]byte{typeHandshake, 3, 1, byte(len(fragment) >> 8), byte(len(fragment))}, fragment...)
}

// helloOf returns a hello with these extensions, in as few records as possible.
func helloOf(extensions ...[]byte) []byte {
	body := append([]byte{3, 3}, make([]byte, 32)...)
	body = append(body, 0)             // session id
	body = append(body, 0, 2, 0x13, 1) // suites
	body = append(body, 1, 0)          // compression
	body = append(body, vector16(bytes.Join(extensions, nil))...)
	return records(handshake(typeHello, body), func() int { return 1 << 14 })
}

func handshake(kind byte, body []byte) []byte {
	return append([]byte{kind, byte(len(body) >> 16), byte(len(body) >> 8), byte(len(body))}, body...)
}

func extension(kind uint16, data []byte) []byte {
	return append(binary.BigEndian.AppendUint16(nil, kind), vector16(data)...)
}

func vector16(b []byte) []byte {
	return append(binary.BigEndian.AppendUint16(nil, uint16(len(b))), b...)
}

// nameEntry is one entry of a server_name list.
func nameEntry(kind byte, name string) []byte {
	return append([]byte{kind}, vector16([]byte(name))...)
}

func serverName(entries ...[]byte) []byte {
	return extension(extServerName, vector16(bytes.Join(entries, nil)))
}

// sniffed returns the facts of b when all bytes are given at once.
func sniffed(b []byte) *Facts {
	var st State
	var f Facts
	NewScanner().Sniff(&st, b, &f)
	return &f
}

// offered returns the protocols of a hello, separated by commas.
func offered(h *Hello) string {
	var all []string
	for p, at := h.NextALPN(0); at > 0; p, at = h.NextALPN(at) {
		all = append(all, string(p))
	}
	return strings.Join(all, ",")
}
