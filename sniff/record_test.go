package sniff

import (
	"bytes"
	"crypto/tls"
	"testing"
)

// TestRecords divides one hello into records of equal size.
func TestRecords(t *testing.T) {
	m := message(clientHello(t, &tls.Config{ServerName: "example.org", NextProtos: []string{"h2"}}))
	for _, size := range []int{1, 2, 3, 4, 5, 16, 64, 255, 256, len(m) - 1, len(m)} {
		wire := records(m, func() int { return size })
		f := checkCuts(t, wire)
		if f.Proto() != TLS || string(f.TLS.Name()) != "example.org" || f.Len != len(wire) {
			t.Errorf("records of %d bytes: %v, name %q, %d of %d bytes", size, f.Proto(), f.TLS.Name(), f.Len, len(wire))
		}
	}
}

func TestBrokenRecords(t *testing.T) {
	m := message(helloOf(host("example.org")))
	first := record(m[:20])
	then := func(b ...byte) []byte { return append(bytes.Clone(first), b...) }
	for _, c := range []struct {
		what string
		wire []byte
		want Verdict
	}{
		{"nothing", nil, More},
		{"type alone", []byte{0x16}, More},
		{"part of a header", []byte{0x16, 3, 1, 0}, More},
		{"another type", []byte{0x17}, No},
		{"SSLv2", []byte{0x80, 0x2e, 1, 3, 1}, No},
		{"another version", []byte{0x16, 2}, No},
		{"empty record", []byte{0x16, 3, 1, 0, 0}, No},
		{"record too long", []byte{0x16, 3, 1, 0x41, 1}, No},
		{"record of the most bytes", []byte{0x16, 3, 1, 0x41, 0}, More},
		{"another message", []byte{0x16, 3, 1, 0, 9, 2}, No},
		{"hello too long", []byte{0x16, 3, 1, 0, 9, 1, 1, 0, 1}, No},
		{"hello of the most bytes", []byte{0x16, 3, 1, 0, 9, 1, 1, 0, 0}, More},
		{"hello without a body", []byte{0x16, 3, 1, 0, 4, 1, 0, 0, 0}, No},
		{"first record", first, More},
		{"alert inside", then(0x15, 3, 1, 0, 2, 1, 0), No},
		{"change cipher spec inside", then(0x14, 3, 3, 0, 1, 1), No},
		{"empty record inside", then(0x16, 3, 1, 0, 0), No},
		{"record too long inside", then(0x16, 3, 1, 0xff, 0xff), No},
	} {
		if f := checkCuts(t, c.wire); f.TLS.Verdict != c.want {
			t.Errorf("%s: %v, want %v", c.what, f.TLS.Verdict, c.want)
		}
	}
}

// TestBehindHello puts bytes after the hello, in its last record or after it. They must not
// change the answer.
func TestBehindHello(t *testing.T) {
	hello := helloOf(host("example.org"))
	m := message(hello)
	for _, c := range []struct {
		what string
		wire []byte
		want int
	}{
		{"early data", append(bytes.Clone(hello), 0x17, 3, 3, 0, 1, 9), len(hello)},
		{"garbage", append(bytes.Clone(hello), "GET / HTTP/1.1\r\n\r\n"...), len(hello)},
		{"in the same record", record(append(bytes.Clone(m), 2, 0, 0, 0)), len(hello)},
		{"record longer than what came", record(append(bytes.Clone(m), make([]byte, 99)...))[:len(hello)], len(hello)},
	} {
		f := checkCuts(t, c.wire)
		if string(f.TLS.Name()) != "example.org" || f.Len != c.want {
			t.Errorf("%s: %v, name %q, %d bytes; want %d", c.what, f.TLS.Verdict, f.TLS.Name(), f.Len, c.want)
		}
	}
}

// TestLargestHello tests a hello of the maximum size, in ordinary records and in the smallest
// records, and a hello that is one byte larger.
func TestLargestHello(t *testing.T) {
	const around = 2 + 32 + 1 + 4 + 2 + 2
	name := host("example.org")
	filled := func(total int) []byte {
		n := total - around - len(name) - 2*4
		half := n / 2
		return message(helloOf(extension(21, make([]byte, half)), extension(22, make([]byte, n-half)), name))
	}
	// The length field of the extensions has two bytes. So a body of MaxBytes needs long values
	// elsewhere: in the session id, the suites or the compression methods.
	largest := func(total int) []byte {
		body := append([]byte{3, 3}, make([]byte, 32)...)
		suites := total - len(body) - 1 - 2 - 2 - 2 - len(name)
		body = append(body, 0)
		body = append(body, vector16(make([]byte, suites))...)
		body = append(body, 1, 0)
		return handshake(typeHello, append(body, vector16(name)...))
	}
	for _, c := range []struct {
		what    string
		message []byte
		want    Verdict
	}{
		{"many extensions", filled(60000), Yes},
		{"the cap", largest(MaxBytes), Yes},
		{"over the cap", handshake(typeHello, make([]byte, MaxBytes+1)), No},
	} {
		for _, size := range []int{1, 100, 1 << 14} {
			wire := records(c.message, func() int { return size })
			f := inSteps(wire, 4099)
			if f.TLS.Verdict != c.want || c.want == Yes && string(f.TLS.Name()) != "example.org" {
				t.Errorf("%s in records of %d: %v, name %q; want %v", c.what, size, f.TLS.Verdict, f.TLS.Name(), c.want)
			}
			if len(wire) > MaxWire+recordHeader+1 {
				t.Errorf("%s: %d bytes of wire, want MaxWire (%d) at most", c.what, len(wire), MaxWire)
			}
		}
	}
}
