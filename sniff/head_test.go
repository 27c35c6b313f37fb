package sniff

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
)

func TestRequestLine(t *testing.T) {
	for _, c := range []struct {
		line                    string
		want                    Verdict
		method, path, authority string
	}{
		{"GET / HTTP/1.1", Yes, "GET", "/", ""},
		{"GET /a/b?c=/d HTTP/1.0", Yes, "GET", "/a/b", ""},
		{"GET  /two   HTTP/1.1", Yes, "GET", "/two", ""},
		{"get / HTTP/1.1", Yes, "get", "/", ""},
		{"OPTIONS * HTTP/1.1", Yes, "OPTIONS", "", ""},
		{"GET http://a.example/x?y HTTP/1.1", Yes, "GET", "/x", "a.example"},
		{"GET http://a.example HTTP/1.1", Yes, "GET", "", "a.example"},
		{"GET http://a.example?x=/y HTTP/1.1", Yes, "GET", "", "a.example"},
		{"GET http://me:word@a.example:81/x HTTP/1.1", Yes, "GET", "/x", "a.example:81"},
		{"GET http://[2001:db8::1]:81/x HTTP/1.1", Yes, "GET", "/x", "[2001:db8::1]:81"},
		{"CONNECT a.example:443 HTTP/1.1", Yes, "CONNECT", "", "a.example:443"},
		{"CONNECT a.example HTTP/1.1", No, "", "", ""},
		{"CONNECT a.example: HTTP/1.1", No, "", "", ""},
		{"CONNECT http://a.example/ HTTP/1.1", No, "", "", ""},
		{"GET a.example:443 HTTP/1.1", No, "", "", ""},
		{"GET a HTTP/1.1", No, "", "", ""},
		{"GET *a HTTP/1.1", No, "", "", ""},
		{"GET ://a/ HTTP/1.1", No, "", "", ""},
		{"GET 1http://a/ HTTP/1.1", No, "", "", ""},
		{"GET ..http://a/ HTTP/1.1", No, "", "", ""},
		{"GET -a://a/ HTTP/1.1", No, "", "", ""},
		{"GET +a://a/ HTTP/1.1", No, "", "", ""},
		{"GET a1+-.://a/ HTTP/1.1", Yes, "GET", "/", "a"},
		{"GET http:/// HTTP/1.1", No, "", "", ""},
		{`GET http://a\@b/ HTTP/1.1`, No, "", "", ""},
		{"GET http://a@b@c/ HTTP/1.1", No, "", "", ""},
		{"GET http://@a/ HTTP/1.1", Yes, "GET", "/", "a"},
		{`GET http://a\b/ HTTP/1.1`, No, "", "", ""},
		{"GET /#x HTTP/1.1", No, "", "", ""},
		{"GET /\xc3\xa4 HTTP/1.1", No, "", "", ""},
		{"GET /\x00 HTTP/1.1", No, "", "", ""},
		{"GET / b HTTP/1.1", No, "", "", ""},
		{"GET /\tHTTP/1.1", No, "", "", ""},
		{"GET / HTTP/1.1 ", No, "", "", ""},
		{"GET / HTTP/1.10", No, "", "", ""},
		{"GET / HTTP/2.0", No, "", "", ""},
		{"GET / HTTP/0.9", No, "", "", ""},
		{"GET / http/1.1", No, "", "", ""},
		{"GET / RTSP/1.0", No, "", "", ""},
		{"GET /", No, "", "", ""},
		{"GET", No, "", "", ""},
		{" GET / HTTP/1.1", No, "", "", ""},
		{"G(T / HTTP/1.1", No, "", "", ""},
	} {
		for _, eol := range []string{"\r\n", "\n"} {
			h := checkCuts(t, []byte(c.line+eol+eol)).HTTP
			if h.Verdict != c.want || string(h.Method) != c.method || string(h.Path) != c.path || string(h.Authority) != c.authority {
				t.Errorf("%q: %v, %q, path %q, authority %q", c.line, h.Verdict, h.Method, h.Path, h.Authority)
			}
		}
	}
}

func TestHost(t *testing.T) {
	for _, c := range []struct {
		target, fields string
		want           Verdict
		host           string
	}{
		{"/", "", Yes, ""},
		{"/", "Host: a.example", Yes, "a.example"},
		{"/", "hOST:a.example:8080", Yes, "a.example:8080"},
		{"/", "Host: \t WWW.A.example. \t", Yes, "WWW.A.example."},
		{"/", "Host:", Yes, ""},
		{"/", "Host: [2001:db8::1]:80", Yes, "[2001:db8::1]:80"},
		{"/", "Host: a_b%41!$&'()*+;=~", Yes, "a_b%41!$&'()*+;=~"},
		{"/", "X-Host: a.example\r\nHostname: b", Yes, ""},
		{"/", "Host: a.example\r\nHost: a.example", No, ""},
		{"/", "Host:\r\nHost: a.example", No, ""},
		{"/", "Host: a.example\nHost: b.example", No, ""},
		{"/", "Host: a.example, b.example", No, ""},
		{"/", "Host: a.example,b.example", No, ""},
		{"/", "Host: a.example b.example", No, ""},
		{"/", "Host: a.example\r\n b.example", No, ""},
		{"/", "Host:\r\n a.example", No, ""},
		{"/", "Host: a.example\r\n ", No, ""},
		{"/", "Host: a.example/b", No, ""},
		{"/", "Host: me@a.example", No, ""},
		{"/", "Host: a.example:80:81", No, ""},
		{"/", "Host: a.example:http", No, ""},
		{"/", "Host: :80", No, ""},
		{"/", "Host: [::1", No, ""},
		{"/", "Host: [::1]x", No, ""},
		{"/", "Host: x[::1]", No, ""},
		{"/", "Host: []", No, ""},
		{"/", "Host: a\x01", No, ""},
		{"/", "Host: \xc3\xa4.example", No, ""},
		{"/", "Host : a.example", No, ""},
		{"/", "X: y\r\nHost\x00: a.example", No, ""},
		{"http://a.example/", "Host: a.example", Yes, "a.example"},
		{"http://A.example:80/", "Host: a.Example", Yes, "a.Example"},
		{"http://a.example:/", "Host: a.example:80", Yes, "a.example:80"},
		{"https://a.example/", "Host: a.example:443", Yes, "a.example:443"},
		{"https://a.example/", "Host: a.example:80", No, ""},
		{"http://a.example/", "Host: a.example:443", No, ""},
		{"http://a.example/", "Host: b.example", No, ""},
		{"http://b.example@a.example/", "Host: b.example", No, ""},
		{"http://a.example/", "Host:", No, ""},
		{"http://a.example/", "", Yes, ""},
	} {
		head := "GET " + c.target + " HTTP/1.1\r\n" + c.fields
		if c.fields != "" {
			head += "\r\n"
		}
		h := checkCuts(t, []byte(head+"\r\n")).HTTP
		if host, ok := h.Host(); h.Verdict != c.want || string(host) != c.host || ok != (c.host != "") {
			t.Errorf("%q: %v, host %q; want %v, %q", head, h.Verdict, host, c.want, c.host)
		}
	}
	for host, want := range map[string]Verdict{"a.example:443": Yes, "a.example:444": No, "a.example": Yes} {
		h := sniffed([]byte("CONNECT a.example:443 HTTP/1.1\r\nHost: " + host + "\r\n\r\n")).HTTP
		if h.Verdict != want {
			t.Errorf("CONNECT with host %s: %v, want %v", host, h.Verdict, want)
		}
	}
}

func TestFraming(t *testing.T) {
	for _, c := range []struct {
		fields  string
		want    Verdict
		length  int64
		chunked bool
	}{
		{"X: y", Yes, -1, false},
		{"Content-Length: 0", Yes, 0, false},
		{"content-LENGTH:\t0012 ", Yes, 12, false},
		{"Content-Length: 9223372036854775807", Yes, 1<<63 - 1, false},
		{"Transfer-Encoding: Chunked", Yes, -1, true},
		{"Content-Length: 5\r\nTransfer-Encoding: chunked", Yes, 5, true},
		{"Content-Length: 9223372036854775808", No, 0, false},
		{"Content-Length: 99999999999999999999999", No, 0, false},
		{"Content-Length:", No, 0, false},
		{"Content-Length: +1", No, 0, false},
		{"Content-Length: 0x1", No, 0, false},
		{"Content-Length: 1, 1", No, 0, false},
		{"Content-Length: 1\r\n 1", No, 0, false},
		{"Content-Length: 1\r\nContent-Length: 1", No, 0, false},
		{"Transfer-Encoding:", No, 0, false},
		{"Transfer-Encoding: identity", No, 0, false},
		{"Transfer-Encoding: gzip, chunked", No, 0, false},
		{"Transfer-Encoding: chunked,", No, 0, false},
		{"Transfer-Encoding: chunked\x0b", No, 0, false},
		{"Transfer-Encoding:\r\n chunked", No, 0, false},
		{"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked", No, 0, false},
	} {
		h := checkCuts(t, []byte("POST / HTTP/1.1\r\n"+c.fields+"\r\n\r\n")).HTTP
		if h.Verdict != c.want || h.ContentLength != c.length || h.Chunked != c.chunked {
			t.Errorf("%q: %v, %d bytes, chunked %v", c.fields, h.Verdict, h.ContentLength, h.Chunked)
		}
	}
}

func TestFields(t *testing.T) {
	for _, c := range []struct {
		head   string
		fields []string
		folded bool
	}{
		{"GET / HTTP/1.1\r\n\r\n", nil, false},
		{"\r\n\n\r\nGET / HTTP/1.1\n\n", nil, false},
		{"GET / HTTP/1.1\r\nA: b\r\n\r\n", []string{"A=b"}, false},
		{"GET / HTTP/1.1\nA:\t b \nC:\nD:: :\n\nE: f\n", []string{"A=b", "C=", "D=: :"}, false},
		{"GET / HTTP/1.1\r\nA: b\r\n\tc\r\n  \r\nD: e\r\n\r\n", []string{"A=b\r\n\tc\r\n", "D=e"}, true},
		{"GET / HTTP/1.1\r\nA:\n b\n\r\n", []string{"A=\n b"}, true},
		{"GET / HTTP/1.1\r\nA: \x01\x7f\xff\r\n\r\n", []string{"A=\x01\x7f\xff"}, false},
	} {
		h := checkCuts(t, []byte(c.head)).HTTP
		var got []string
		for name, value, at := h.Next(0); at > 0; name, value, at = h.Next(at) {
			got = append(got, fmt.Sprintf("%s=%s", name, value))
		}
		if h.Verdict != Yes || !reflect.DeepEqual(got, c.fields) || h.Folded != c.folded {
			t.Errorf("%q: %v, %q, folded %v; want %q", c.head, h.Verdict, got, h.Folded, c.fields)
		}
	}
	for _, broken := range []string{" A: b", "\tA: b", "A", "A b", ": b", "A\r\n : b", "A: b\rC: d", "A: \x00", "A\x80: b", "A: b\r\n\rx"} {
		if h := checkCuts(t, []byte("GET / HTTP/1.1\r\n"+broken+"\r\n\r\n")).HTTP; h.Verdict != No {
			t.Errorf("%q: %v, want no", broken, h.Verdict)
		}
	}
}

// TestEarlyNo contains the shortest inputs that cannot become HTTP any more.
func TestEarlyNo(t *testing.T) {
	for _, s := range []string{
		"\x00", " ", ":", "\r\r", "SSH-2.0-x\r", "EHLO\r", "GET\t", "GET / X", "GET / HTTP/1!", "GET / HTTP/x",
		"GET / HTTP/3.0\r", "GET / HTTP/1.1\r\n ", "GET / HTTP/1.1\r\nA ", "GET / HTTP/1.1\r\nA: b\rc", "GET / HTTP/1.1\r\nA: \x00",
	} {
		if v := sniffed([]byte(s)).HTTP.Verdict; v != No {
			t.Errorf("%q: %v, want no", s, v)
		}
		if v := sniffed([]byte(s[:len(s)-1])).HTTP.Verdict; v != More {
			t.Errorf("%q: %v, want more", s[:len(s)-1], v)
		}
	}
}

func TestLargestHead(t *testing.T) {
	const around = "GET / HTTP/1.1\r\nHost: a.example\r\nX: \r\n\r\n"
	of := func(n int) []byte {
		return []byte(around[:len(around)-4] + strings.Repeat("x", n-len(around)) + "\r\n\r\n")
	}
	for size, want := range map[int]Verdict{MaxBytes - 1: Yes, MaxBytes: Yes, MaxBytes + 1: No, 2 * MaxBytes: No} {
		head := of(size)
		for _, step := range []int{1, 1000, len(head)} {
			if f := inSteps(head, step); f.HTTP.Verdict != want || want == Yes && f.Len != size {
				t.Errorf("head of %d bytes in pieces of %d: %v, %d bytes; want %v", size, step, f.HTTP.Verdict, f.Len, want)
			}
		}
	}
	if v := sniffed(of(MaxBytes + 1)[:MaxBytes-1]).HTTP.Verdict; v != More {
		t.Errorf("a byte before the cap: %v, want more", v)
	}
}

func TestPreface(t *testing.T) {
	preface := "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
	h := checkCuts(t, []byte(preface+"\x00\x00\x00\x04\x00\x00\x00\x00\x00")).HTTP
	if h.Verdict != No || !h.H2 {
		t.Errorf("%v, h2 %v; want no, true", h.Verdict, h.H2)
	}
	for n, want := range map[int]Verdict{1: More, 17: More, 18: No, 24: No} {
		if h := sniffed([]byte(preface[:n])).HTTP; h.Verdict != want || h.H2 != (want == No) {
			t.Errorf("%d bytes: %v, h2 %v; want %v", n, h.Verdict, h.H2, want)
		}
	}
	for _, s := range []string{"PRI * HTTP/2.0\n\n", "PRI * HTTP/2.0\r\nA", "\r\nPRI * HTTP/2.0\r\n\r\n", "PRI / HTTP/2.0\r\n\r\n"} {
		if h := checkCuts(t, []byte(s)).HTTP; h.Verdict != No || h.H2 {
			t.Errorf("%q: %v, h2 %v; want no, false", s, h.Verdict, h.H2)
		}
	}
	if h := checkCuts(t, []byte("PUT / HTTP/1.1\r\n\r\n")).HTTP; h.Verdict != Yes {
		t.Errorf("PUT: %v, want yes", h.Verdict)
	}
}
