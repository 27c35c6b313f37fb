package sniff

import (
	"bytes"
	"strings"
	"testing"
)

func host(name string) []byte { return serverName(nameEntry(nameTypeHost, name)) }

func TestServerName(t *testing.T) {
	long := strings.Repeat("a", 250)
	const none = "none sent"
	for _, c := range []struct {
		what       string
		extensions [][]byte
		want       Verdict
		sni, name  string
	}{
		{"no extension", nil, Yes, none, ""},
		{"plain", [][]byte{host("example.org")}, Yes, "example.org", "example.org"},
		{"after GREASE", [][]byte{extension(0x1a1a, nil), host("example.org")}, Yes, "example.org", "example.org"},
		{"before padding", [][]byte{host("example.org"), extension(21, make([]byte, 300))}, Yes, "example.org", "example.org"},
		{"capitals, final dot", [][]byte{host("WWW.Example.ORG.")}, Yes, "www.example.org", "www.example.org"},
		{"two final dots", [][]byte{host("a..")}, Yes, "a.", "a."},
		{"empty", [][]byte{host("")}, Yes, "", ""},
		{"a dot", [][]byte{host(".")}, Yes, "", ""},
		{"IPv4", [][]byte{host("192.0.2.1")}, Yes, "192.0.2.1", ""},
		{"IPv4, final dot", [][]byte{host("192.0.2.1.")}, Yes, "192.0.2.1", ""},
		{"IPv6", [][]byte{host("2001:db8::1")}, Yes, "2001:db8::1", ""},
		{"IPv6 in brackets", [][]byte{host("[2001:db8::1]")}, Yes, "[2001:db8::1]", ""},
		{"port", [][]byte{host("example.org:443")}, Yes, "example.org:443", ""},
		{"digits that are no address", [][]byte{host("1.2.3.4.example")}, Yes, "1.2.3.4.example", "1.2.3.4.example"},
		{"NUL", [][]byte{host("a.example\x00b.example")}, Yes, "a.example\x00b.example", ""},
		{"line end", [][]byte{host("a.example\r\n")}, Yes, "a.example\r\n", ""},
		{"blank", [][]byte{host("a.example b")}, Yes, "a.example b", ""},
		{"DEL", [][]byte{host("a\x7f.example")}, Yes, "a\x7f.example", ""},
		{"not ASCII", [][]byte{host("\xc3\x84.example")}, Yes, "\xc3\x84.example", ""},
		{"255 bytes", [][]byte{host(long + ".test")}, Yes, long + ".test", long + ".test"},
		{"256 bytes", [][]byte{host(long + ".tests")}, Yes, long + ".tests", ""},
		{"first of two names", [][]byte{serverName(nameEntry(0, "a.example"), nameEntry(0, "b.example"))}, Yes, "a.example", "a.example"},
		{"another type behind", [][]byte{serverName(nameEntry(0, "a.example"), nameEntry(1, "b"))}, Yes, "a.example", "a.example"},
		{"another type before", [][]byte{serverName(nameEntry(1, "b"), nameEntry(0, "a.example"))}, No, none, ""},
		{"empty list", [][]byte{serverName()}, No, none, ""},
		{"empty extension", [][]byte{extension(extServerName, nil)}, No, none, ""},
		{"list shorter than said", [][]byte{extension(extServerName, []byte{0, 9, 0, 0, 1, 'a'})}, No, none, ""},
		{"list longer than said", [][]byte{extension(extServerName, []byte{0, 4, 0, 0, 1, 'a', 'b'})}, No, none, ""},
		{"name longer than the list", [][]byte{extension(extServerName, []byte{0, 4, 0, 0, 9, 'a'})}, No, none, ""},
		{"broken entry behind", [][]byte{extension(extServerName, []byte{0, 5, 0, 0, 1, 'a', 0})}, No, none, ""},
		{"extension twice", [][]byte{host("a.example"), host("b.example")}, No, none, ""},
		{"extension cut", [][]byte{host("a.example"), {0, 16, 0}}, No, none, ""},
	} {
		h := sniffed(helloOf(c.extensions...)).TLS
		if h.Verdict != c.want || string(h.Name()) != c.name {
			t.Errorf("%s: %v, name %q; want %v, %q", c.what, h.Verdict, h.Name(), c.want, c.name)
		}
		if sent := h.SNI != nil; sent != (c.sni != none) || sent && string(h.SNI) != c.sni {
			t.Errorf("%s: sni %q, sent %v; want %q", c.what, h.SNI, sent, c.sni)
		}
		if refused := h.Refused() != ""; refused != (h.SNI != nil && h.Name() == nil) {
			t.Errorf("%s: refused because %q, name %q", c.what, h.Refused(), h.Name())
		}
	}
}

func alpn(protocols ...string) []byte {
	var list []byte
	for _, p := range protocols {
		list = append(append(list, byte(len(p))), p...)
	}
	return extension(extALPN, vector16(list))
}

func TestALPN(t *testing.T) {
	for _, c := range []struct {
		what string
		ext  []byte
		want Verdict
		list string
	}{
		{"one", alpn("h2"), Yes, "h2"},
		{"several", alpn("\x0a\x0a", "h2", "http/1.1"), Yes, "\x0a\x0a,h2,http/1.1"},
		{"one empty", alpn("h2", ""), No, ""},
		{"no list", extension(extALPN, nil), No, ""},
		{"empty list", alpn(), No, ""},
		{"name longer than the list", extension(extALPN, []byte{0, 3, 9, 'h', '2'}), No, ""},
		{"bytes behind the list", extension(extALPN, []byte{0, 3, 2, 'h', '2', 0}), No, ""},
	} {
		h := sniffed(helloOf(c.ext)).TLS
		if got := offered(&h); h.Verdict != c.want || got != c.list {
			t.Errorf("%s: %v, %q; want %v, %q", c.what, h.Verdict, got, c.want, c.list)
		}
	}
}

func TestVersion(t *testing.T) {
	versions := func(list ...byte) []byte {
		return extension(extSupportedVersions, append([]byte{byte(len(list))}, list...))
	}
	for _, c := range []struct {
		what string
		ext  []byte
		want string
	}{
		{"no supported_versions", extension(21, nil), "TLS1.2"},
		{"highest of several", versions(3, 3, 3, 4, 3, 2), "TLS1.3"},
		{"GREASE", versions(0xfa, 0xfa, 3, 3), "TLS1.2"},
		{"a draft alone", versions(0x7f, 28), "TLS1.2"},
	} {
		h := sniffed(helloOf(c.ext)).TLS
		if got := versionName(h.Version); h.Verdict != Yes || got != c.want {
			t.Errorf("%s: %v, %s; want yes, %s", c.what, h.Verdict, got, c.want)
		}
	}
	for _, broken := range [][]byte{versions(), versions(3, 4, 3), extension(extSupportedVersions, nil)} {
		if h := sniffed(helloOf(broken)).TLS; h.Verdict != No {
			t.Errorf("supported_versions % x: %v, want no", broken, h.Verdict)
		}
	}
}

func TestECH(t *testing.T) {
	h := sniffed(helloOf(host("public.example"), extension(extECH, []byte{0, 1, 2}))).TLS
	if string(h.Name()) != "public.example" || !h.ECH {
		t.Errorf("name %q, ech %v; want the outer name and true", h.Name(), h.ECH)
	}
}

// TestBrokenHello cuts a hello to every shorter length. The lengths in its headers are
// adjusted, so the hello looks complete. No such hello may give a name.
func TestBrokenHello(t *testing.T) {
	body := message(helloOf(host("a.example"), alpn("h2")))[helloHeader:]
	whole := len(body)
	withoutExtensions := 2 + 32 + 1 + 4 + 2
	for n := range whole {
		h := sniffed(record(handshake(typeHello, body[:n]))).TLS
		want := No
		if n == withoutExtensions {
			want = Yes
		}
		if h.Verdict != want || h.SNI != nil {
			t.Errorf("%d of %d bytes: %v, sni %q", n, whole, h.Verdict, h.SNI)
		}
	}
	behind := record(handshake(typeHello, append(bytes.Clone(body), 0)))
	if h := sniffed(behind).TLS; h.Verdict != No {
		t.Errorf("a byte behind the extensions: %v, want no", h.Verdict)
	}
}
