package sniff

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"net/http"
	"testing"
)

// most limits the bytes of an input that is cut at every byte, because the cost is quadratic.
const most = 4096

func FuzzHello(f *testing.F) {
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) > most {
			b = b[:most]
		}
		got := checkCuts(t, b)
		if got.TLS.Verdict == Yes && got.Len > len(b) {
			t.Fatalf("%d bytes out of %d", got.Len, len(b))
		}
		if info := goReads(b); info != nil && ordinary(b) {
			checkAgainstGo(t, got, info)
		}
	})
}

// ordinary reports whether a hello that crypto/tls accepts has only features that this package
// accepts too. crypto/tls also accepts other record versions, skips alerts between records, and
// reads a host name after names of other types.
func ordinary(wire []byte) bool {
	var m []byte
	for len(m) < helloHeader || len(m)-helloHeader < int(binary.BigEndian.Uint32(m)&0xffffff) {
		n := int(binary.BigEndian.Uint16(wire[3:]))
		if wire[0] != typeHandshake || wire[1] != 3 || n > recordMax {
			return false
		}
		m = append(m, wire[recordHeader:recordHeader+n]...)
		wire = wire[recordHeader+n:]
	}
	return firstNameIsHost(m[helloHeader:])
}

func firstNameIsHost(body []byte) bool {
	r := reader{b: body}
	r.bytes(2 + 32)
	r.vector8()
	r.vector16()
	r.vector8()
	extensions := reader{b: r.vector16()}
	for len(extensions.b) > 0 {
		kind, data := extensions.uint16(), extensions.vector16()
		if kind == extServerName {
			return len(data) > 2 && data[2] == nameTypeHost
		}
	}
	return true
}

func FuzzHead(f *testing.F) {
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) > most {
			b = b[:most]
		}
		got := checkCuts(t, b)
		if got.HTTP.Verdict != Yes {
			return
		}
		if again := sniffed(b[:got.Len]); again.HTTP.Verdict != Yes || again.Len != got.Len {
			t.Fatalf("%q: %d bytes are told, which are %v", b, got.Len, again.HTTP.Verdict)
		}
		checkAgainstNetHTTP(t, b, &got.HTTP)
	})
}

// checkAgainstNetHTTP compares with another parser: if net/http accepts the head, it must read
// the same request.
func checkAgainstNetHTTP(t *testing.T, b []byte, h *Head) {
	t.Helper()
	req, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(b)))
	if err != nil {
		return
	}
	if req.Method != string(h.Method) || req.RequestURI != string(h.Target) {
		t.Errorf("%s %s; net/http reads %s %s", h.Method, h.Target, req.Method, req.RequestURI)
	}
	if host, ok := h.Host(); ok && h.Authority == nil && req.Host != string(host) {
		t.Errorf("host %q; net/http reads %q", host, req.Host)
	}
	// net/http ignores Transfer-Encoding in HTTP/1.0, where package httpflow refuses it.
	if chunked := len(req.TransferEncoding) > 0; chunked != h.Chunked && req.ProtoAtLeast(1, 1) {
		t.Errorf("chunked %v; net/http reads %v", h.Chunked, chunked)
	}
	if h.ContentLength > 0 && !h.Chunked && req.ContentLength != h.ContentLength {
		t.Errorf("length %d; net/http reads %d", h.ContentLength, req.ContentLength)
	}
}
