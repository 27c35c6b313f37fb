package actor

import (
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"
)

// reading returns a reader of a text, which comes byte by byte.
func reading(text string) *webReader {
	return &webReader{from: iotest.OneByteReader(strings.NewReader(text)), buf: make([]byte, 16)}
}

func TestWebHeads(t *testing.T) {
	for text, want := range map[string]bool{
		"GET / HTTP/1.1\r\nHost: a\r\n\r\n":                                          true,
		"HTTP/1.1 200\r\n\r\n":                                                       true,
		"GET / HTTP/1.1\r\nContent-Length: 5\r\nX-Number: 12\r\n\r\n":                true,
		"GET / HTTP/1.1\nHost: a\n\r\n\r\n":                                          false,
		"GET / HTTP/1.1\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\n":           false,
		"GET / HTTP/1.1\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n":  false,
		"GET / HTTP/1.1\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n":  false,
		"GET / HTTP/1.1\r\nTransfer-Encoding: gzip, chunked\r\n\r\n":                 false,
		"GET / HTTP/1.1\r\nContent-Length: -5\r\n\r\n":                               false,
		"GET / HTTP/1.1\r\nX: a\r\n b\r\n\r\n":                                       false,
		"GET / HTTP/1.1\r\nX : a\r\n\r\n":                                            false,
		"GET / HTTP/1.1\r\nX: a\x00\r\n\r\n":                                         false,
		"GET / HTTP/1.1\r\nX-Number: 1\r\nX-Number: 1\r\n\r\n":                       false,
		"GET / HTTP/1.1\r\nX\r\n\r\n":                                                false,
		"GET / HTTP/1.1\r\nX: " + strings.Repeat("a", 4000) + "\r\nY: b\r\n\r\n":     true,
		"GET / HTTP/1.1\r\nX: " + strings.Repeat("a", 2*mostHead) + "\r\nY: b\r\n\r": false,
	} {
		r := reading(text)
		_, err := r.head()
		if (err == nil) != want || err != nil && !isSyntax(err) {
			t.Errorf("%.80q: %v", text, err)
		}
		if err == nil && r.taken != len(text) {
			t.Errorf("%.80q: %d bytes taken; want %d", text, r.taken, len(text))
		}
	}
}

func TestWebBodies(t *testing.T) {
	const chunked = "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"
	for text, want := range map[string]string{
		"POST / HTTP/1.1\r\nContent-Length: 5\r\n\r\nhello!":            "hello",
		"POST / HTTP/1.1\r\nContent-Length: 5\r\n\r\nhell":              "cut",
		"POST / HTTP/1.1\r\nContent-Length: 0\r\n\r\n":                  "",
		"POST / HTTP/1.1\r\n\r\n":                                       "",
		chunked + "3;x=7\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n":                "hello",
		chunked + "5\r\nhello\r\n0\r\nX-Trailer: 7\r\n\r\n":             "hello",
		chunked + "0\r\n\r\n":                                           "",
		chunked + "5\r\nhello\r\n0\r\n":                                 "cut",
		chunked + "5\r\nhello\r\n":                                      "cut",
		chunked + "5\r\nhel":                                            "cut",
		chunked + "5\r\nhello!\r\n0\r\n\r\n":                            "malformed",
		chunked + "5;x=8\r\nhello\r\n0\r\n\r\n":                         "malformed",
		chunked + "5\r\nhello\r\n0\r\nX-Trailer: 8\r\n\r\n":             "malformed",
		chunked + "+5\r\nhello\r\n0\r\n\r\n":                            "malformed",
		chunked + "\r\nhello\r\n0\r\n\r\n":                              "malformed",
		chunked + "0x5\r\nhello\r\n0\r\n\r\n":                           "malformed",
		chunked + "5\nhello\r\n0\r\n\r\n":                               "malformed",
		chunked + "ffffffffffffffff\r\nhello\r\n0\r\n\r\n":              "malformed",
		"HTTP/1.1 200\r\n\r\nuntil the end":                             "",
		"HTTP/1.0 200\r\nConnection: close\r\n\r\nuntil the end of all": "",
	} {
		r := reading(text)
		h, err := r.head()
		if err != nil {
			t.Fatal(err)
		}
		b := r.bodyOf(&h, 7, false, false)
		if got := readBody(&b); got != want {
			t.Errorf("%q: got %q; want %q", text, got, want)
		}
	}
	r := reading("HTTP/1.1 200\r\n\r\nuntil the end")
	h, _ := r.head()
	if b := r.bodyOf(&h, 7, false, true); readBody(&b) != "until the end" {
		t.Error("a body without a length does not last until the end")
	}
}

func readBody(b *webBody) string {
	text := ""
	for {
		got, err := b.next(2)
		text += string(got)
		switch {
		case errors.Is(err, io.EOF):
			return text
		case errors.Is(err, io.ErrUnexpectedEOF):
			return "cut"
		case err != nil:
			return "malformed"
		}
	}
}
