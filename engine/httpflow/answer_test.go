package httpflow

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"sluice/conf"
	"sluice/sniff"
)

// received parses our answer with net/http.
func received(t *testing.T, method string, answer []byte) (*http.Response, string) {
	t.Helper()
	req, err := http.NewRequest(method, "/", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	r, err := http.ReadResponse(bufio.NewReader(strings.NewReader(string(answer))), req)
	if err != nil {
		t.Fatalf("%q: %v", answer, err)
	}
	body, err := io.ReadAll(r.Body)
	if err = errors.Join(err, r.Body.Close()); err != nil {
		t.Fatalf("%q: %v", answer, err)
	}
	return r, string(body)
}

func TestPages(t *testing.T) {
	for status := range pages {
		x, _ := asked(t, get11)
		r, body := received(t, "GET", x.AppendAnswer(nil, Page(status)))
		if r.StatusCode != status || r.Header.Get("Content-Type") != "text/html" || r.Header.Get("Cache-Control") != "no-cache" {
			t.Errorf("%d: %s, %v", status, r.Status, r.Header)
		}
		if !strings.Contains(body, http.StatusText(status)) || int64(len(body)) != r.ContentLength {
			t.Errorf("%d: %d bytes of %d, %q", status, len(body), r.ContentLength, body)
		}
		if r.Close == x.KeepClient() {
			t.Errorf("%d: close %v, client kept %v", status, r.Close, x.KeepClient())
		}
	}
	if Page(299) != nil {
		t.Error("there is a page for a status without one")
	}
}

func TestAnswerConnection(t *testing.T) {
	for _, c := range []struct {
		name, request string
		status        int
		field         string // Connection
		kept          bool
	}{
		{"kept", get11, 403, "", true},
		{"client closes", "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", 403, "close", false},
		{"HTTP/1.0", get10, 403, "close", false},
		{"HTTP/1.0 keeps", "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", 403, "keep-alive", true},
		{"a body is outstanding", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\n", 403, "close", false},
		{"too slow", get11, 408, "close", false},
		{"no server", get11, 503, "", true},
	} {
		x, _ := asked(t, c.request)
		if answer := x.AppendAnswer(nil, Page(c.status)); fieldOf(answer, "connection") != c.field || x.KeepClient() != c.kept {
			t.Errorf("%s: %q, kept %v", c.name, answer, x.KeepClient())
		}
	}
}

// fieldOf returns the value of a field as sent. It is needed because net/http removes Connection.
func fieldOf(answer []byte, name string) string {
	_, rest, _ := strings.Cut(string(answer), "\r\n"+name+": ")
	value, _, _ := strings.Cut(rest, "\r\n")
	return value
}

// TestRefused: the connection closes after bytes that are not a complete request.
func TestRefused(t *testing.T) {
	for _, b := range []string{"\x16\x03\x01", "GET / HTTP/1.1\r\n\r\n", "GET / HT"} {
		var x Exchange
		var st sniff.State
		if n, _ := x.Ask(sniff.NewScanner(), &st, []byte(b), &sniff.Facts{}); n != 0 {
			t.Fatalf("%q passes", b)
		}
		if answer := x.AppendAnswer(nil, Page(400)); fieldOf(answer, "connection") != "close" || x.KeepClient() {
			t.Errorf("%q: %q, kept %v", b, answer, x.KeepClient())
		}
	}
}

func TestAnswerToHead(t *testing.T) {
	x, _ := asked(t, head11)
	answer := x.AppendAnswer(nil, Page(403))
	if r, body := received(t, "HEAD", answer); body != "" || r.ContentLength != int64(len(Page(403).Body)) || !strings.HasSuffix(string(answer), "\r\n\r\n") {
		t.Errorf("%q", answer)
	}
}

func TestReturn(t *testing.T) {
	x, _ := asked(t, get11)
	got := string(x.AppendAnswer(nil, &Answer{Status: 200, Fields: []byte("x-a: b\r\n"), ContentType: "text/plain", Body: []byte("hi")}))
	if want := "HTTP/1.1 200 OK\r\nx-a: b\r\ncontent-length: 2\r\ncontent-type: text/plain\r\n\r\nhi"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	x, _ = asked(t, get11)
	if got := string(x.AppendAnswer(nil, &Answer{Status: 204})); got != "HTTP/1.1 204 No Content\r\n\r\n" {
		t.Errorf("%q", got)
	}
}

// TestRedirects expects the answers that HAProxy 2.6 gave to the same requests.
func TestRedirects(t *testing.T) {
	const cached, uncached = "HTTP/1.1 301 Moved Permanently\r\n", "HTTP/1.1 302 Found\r\n"
	for _, c := range []struct {
		name   string
		rule   conf.Redirect
		to     string
		target string
		want   string // line and location
	}{
		{"location", conf.Redirect{Code: 302}, "http://x/y", "/loc", uncached + "http://x/y"},
		{"location 301", conf.Redirect{Code: 301}, "/x", "/loc?q", cached + "/x"},
		{"prefix", conf.Redirect{Code: 302, Kind: conf.Prefix}, "http://x", "/pre?a=b", uncached + "http://x/pre?a=b"},
		{"prefix, a slash", conf.Redirect{Code: 302, Kind: conf.Prefix}, "/", "/pre?a=b", uncached + "/pre?a=b"},
		{"scheme", conf.Redirect{Code: 302, Kind: conf.Scheme}, "https", "/sch?a", uncached + "https://a/sch?a"},
		{"scheme, absolute target", conf.Redirect{Code: 302, Kind: conf.Scheme}, "https", "http://a/sch?x=/y", uncached + "https://a/sch?x=/y"},
		{"scheme, no path", conf.Redirect{Code: 301, Kind: conf.Scheme}, "https", "*", cached + "https://a/"},
		{"drop-query and append-slash", conf.Redirect{Code: 302, Kind: conf.Prefix, DropQuery: true, AppendSlash: true}, "http://x", "/das?x=y", uncached + "http://x/das/"},
		{"append-slash, there is one", conf.Redirect{Code: 302, Kind: conf.Scheme, DropQuery: true, AppendSlash: true}, "https", "/sd/?a", uncached + "https://a/sd/"},
		{"append-slash alone", conf.Redirect{Code: 302, Kind: conf.Prefix, AppendSlash: true}, "http://x", "/as?a", uncached + "http://x/as?a/"},
		{"no second line", conf.Redirect{Code: 301}, "/x\r\nEvil: 1", "/", cached + "/x  Evil: 1"},
	} {
		x, h := asked(t, "GET "+c.target+" HTTP/1.1\r\nHost: a\r\n\r\n")
		got := x.AppendRedirect(nil, &c.rule, []byte(c.to), h)
		line, _, _ := strings.Cut(string(got), "\r\n")
		if line+"\r\n"+fieldOf(got, "location") != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
		if (fieldOf(got, "cache-control") == "no-cache") != (c.rule.Code == 302) || fieldOf(got, "content-length") != "0" || !x.KeepClient() {
			t.Errorf("%s: %q", c.name, got)
		}
	}
	x, h := asked(t, get11)
	got := string(x.AppendRedirect(nil, &conf.Redirect{Code: 302, Cookie: "C=", ClearCookie: true}, []byte("/"), h))
	want := "HTTP/1.1 302 Found\r\ncontent-length: 0\r\nlocation: /\r\ncache-control: no-cache\r\nset-cookie: C=; path=/; Max-Age=0;\r\n\r\n"
	if got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

// TestNoBodyBehindHead: no answer of ours has bytes behind its head if the method or the status
// allows no body. The client would read them as the next answer.
func TestNoBodyBehindHead(t *testing.T) {
	for _, c := range []struct {
		name, request string
		status        int
	}{
		{"100", get11, 100}, {"103", get11, 103}, {"199", get11, 199}, {"204", get11, 204}, {"304", get11, 304},
		{"HEAD 200", head11, 200}, {"HEAD 204", head11, 204}, {"HEAD 403", head11, 403},
	} {
		x, _ := asked(t, c.request)
		const body = "HTTP/1.1 200 OK\r\n\r\n"
		got := x.AppendAnswer(nil, &Answer{Status: c.status, ContentType: "a/b", Body: []byte(body)})
		if headEnd(got) != len(got) {
			t.Errorf("%s: AppendAnswer: %q", c.name, got)
		}
		if conf.Bodyless(c.status) && strings.Contains(string(got), "content-") {
			t.Errorf("%s: AppendAnswer announces a body: %q", c.name, got)
		}
		file := fmt.Appendf(nil, "HTTP/1.1 %d\r\nA: b\r\n\r\n%s", c.status, body)
		if got = x.Fitting(file); headEnd(got) != len(got) {
			t.Errorf("%s: Fitting: %q", c.name, got)
		}
	}
}
