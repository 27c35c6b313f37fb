package pool

import (
	"bufio"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/iotest"
)

// heads are heads of answers and the expected results. Code 0 is an invalid response.
var heads = []struct {
	head   string
	code   int
	reason string
}{
	{"HTTP/1.0 200 OK\r\n\r\n", 200, "OK"},
	{"HTTP/1.1 301 Moved Permanently\r\nContent-Length: 0\r\n\r\n", 301, "Moved Permanently"},
	{"HTTP/1.0 404 nope\n\n", 404, "nope"},
	{"HTTP/1.0 503\r\n\r\n", 503, ""},
	{"HTTP/1.0 503 \r\n\r\n", 503, ""},
	{"HTTP/1.0  200  OK \r\n\r\n", 200, "OK"},
	{"HTTP/2.0 200 OK\r\n\r\n", 200, "OK"},
	{"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n\r\n", 100, "Continue"},
	{"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc", 200, "OK"},
	{"HTTP/1.0 600 Odd\r\n\r\n", 600, "Odd"},
	{"HTTP/1.0 200 OK\r\nX: " + strings.Repeat("y", maxHead-24) + "\r\n\r\n", 200, "OK"},
	{"HTTP/1.0 200 OK\r\nX: " + strings.Repeat("y", maxHead-23) + "\r\n\r\n", 0, ""},
	{"HTTP/1.0 200 OK\r\n" + strings.Repeat("X: y\r\n", maxHead/6) + "\r\n", 0, ""},
	{"HTTP/1.0 500 " + strings.Repeat("y", maxHead), 0, ""},
	{"HTTP/1.0 200 OK\r\nContent-Le", 0, ""},
	{"HTTP/1.0 200 OK\r\n", 0, ""},
	{"HTTP/1.0 200", 0, ""},
	{"HTTP/1.0 abc OK\r\n\r\n", 0, ""},
	{"HTTP/1.0 +20 OK\r\n\r\n", 0, ""},
	{"HTTP/1.0 099 OK\r\n\r\n", 0, ""},
	{"HTTP/1.0 20 OK\r\n\r\n", 0, ""},
	{"HTTP/1.0 2000 OK\r\n\r\n", 0, ""},
	{"HTTP/11.1 200 OK\r\n\r\n", 0, ""},
	{"HTTP/1,1 200 OK\r\n\r\n", 0, ""},
	{"HTTP/1.0200 OK\r\n\r\n", 0, ""},
	{"http/1.0 200 OK\r\n\r\n", 0, ""},
	{"SSH-2.0-OpenSSH\r\n", 0, ""},
	{"\r\n\r\n", 0, ""},
	{"", 0, ""},
}

func TestReadStatus(t *testing.T) {
	for _, tt := range heads {
		for how, r := range map[string]io.Reader{
			"at once": strings.NewReader(tt.head), "byte by byte": iotest.OneByteReader(strings.NewReader(tt.head)),
		} {
			code, reason, err := readStatus(r)
			if code != tt.code || reason != tt.reason || (err == nil) != (tt.code > 0) {
				t.Errorf("%.40q... of %d bytes %s: got %d %q %v, want %d %q", tt.head, len(tt.head), how, code, reason, err, tt.code, tt.reason)
			}
		}
	}
}

func TestReadStatusAsksForNoMoreThanItNeeds(t *testing.T) {
	enough := errors.New("asked for more")
	for _, tt := range []struct {
		said string
		want error
	}{
		{"HTTP/1.0 200 OK\r\n\r\n", nil},
		{"SSH-2", errNotHTTP},
		{"HTTP/1.0 2000\r\n", errNotHTTP},
		{"HTTP", enough},
		{"HTTP/1.0 2", enough},
		{"HTTP/1.0 200 OK\r\nX: y\r\n", enough},
	} {
		_, _, err := readStatus(io.MultiReader(strings.NewReader(tt.said), iotest.ErrReader(enough)))
		if err != tt.want { //nolint:errorlint // the error must be returned unwrapped
			t.Errorf("%q: got %v, want %v", tt.said, err, tt.want)
		}
	}
}

// The expected texts are those that HAProxy 2.6.12 logged.
func TestPrintable(t *testing.T) {
	for in, want := range map[string]string{
		"Not Found":            "Not Found",
		"a\"b<c>\\d\x01\xe9 f": `a<22>b<3C>c<3E>\d<01><E9> f`,
		"\x1b[31m":             "<1B>[31m",
	} {
		if got := printable(in); got != want {
			t.Errorf("%q: got %s, want %s", in, got, want)
		}
	}
}

func FuzzReadStatus(f *testing.F) {
	for _, h := range heads {
		if len(h.head) < 100 { // the fuzzer changes long inputs slowly
			f.Add([]byte(h.head))
		}
	}
	f.Fuzz(func(t *testing.T, said []byte) {
		text := string(said)
		code, reason, err := readStatus(strings.NewReader(text))
		if err != nil && (code != 0 || reason != "") || err == nil && (code < 100 || code > 999) {
			t.Fatalf("%d %q %v", code, reason, err)
		}
		code2, reason2, err2 := readStatus(iotest.OneByteReader(strings.NewReader(text)))
		if code2 != code || reason2 != reason || (err2 == nil) != (err == nil) {
			t.Errorf("at once %d %q %v, byte by byte %d %q %v", code, reason, err, code2, reason2, err2)
		}
		theirs, err2 := http.ReadResponse(bufio.NewReader(strings.NewReader(text)), nil)
		if err == nil && err2 == nil && theirs.StatusCode != code {
			t.Errorf("got %d, net/http %d", code, theirs.StatusCode)
		}
		if strings.ContainsFunc(printable(reason), func(c rune) bool { return c < ' ' || c > '~' || c == '"' }) {
			t.Errorf("%q is not fit for a log line", printable(reason))
		}
	})
}
