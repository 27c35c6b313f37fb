package httpflow

import (
	"sluice/conf"
	"strings"
	"testing"
)

// TestSetMethod: a method is not set if the client could not find the end of the answer then.
func TestSetMethod(t *testing.T) {
	for _, c := range []struct{ method, wanted, want string }{
		{"GET", "PUT", "PUT"}, {"HEAD", "GET", "GET"}, {"HEAD", "PUT", "PUT"}, {"HEAD", "HEAD", "HEAD"},
		{"GET", "HEAD", "GET"}, {"POST", "HEAD", "POST"}, {"GET", "CONNECT", "GET"}, {"HEAD", "CONNECT", "HEAD"},
	} {
		x, h := asked(t, c.method+" / HTTP/1.1\r\nHost: a\r\n\r\n")
		var w Rewrite
		w.Request(h)
		x.SetMethod(&w, []byte(c.wanted))
		if got, _, _ := strings.Cut(string(w.Append(nil)), " "); got != c.want {
			t.Errorf("%s set to %s: %s, want %s", c.method, c.wanted, got, c.want)
		}
		if c.want != c.method && !x.has(closeServer) {
			t.Errorf("%s set to %s: the connection of the server is kept", c.method, c.wanted)
		}
	}
}

// TestSetStatus: whatever the status was and becomes, the fields agree with the body that follows.
func TestSetStatus(t *testing.T) {
	const get, head, connect = "GET / HTTP/1.1\r\nHost: a\r\n\r\n", "HEAD / HTTP/1.1\r\nHost: a\r\n\r\n", "CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n"
	const two, coded = "Content-Length: 2\r\n", "Transfer-Encoding: chunked\r\n"
	for _, c := range []struct {
		request, answer string
		status          int
		want            string // head; the body has ended if it does not announce one
	}{
		{get, "HTTP/1.1 200 OK\r\n" + two, 503, "HTTP/1.1 503 Service Unavailable\r\n" + two},
		{get, "HTTP/1.1 200 OK\r\n" + two, 204, "HTTP/1.1 204 No Content\r\n"},
		{get, "HTTP/1.1 200 OK\r\n" + coded, 204, "HTTP/1.1 204 No Content\r\n"},
		{get, "HTTP/1.1 200 OK\r\n" + two + two, 204, "HTTP/1.1 204 No Content\r\n"},
		{get, "HTTP/1.1 200 OK\r\n" + two, 304, "HTTP/1.1 304 Not Modified\r\n" + two},
		{get, "HTTP/1.1 204 No\r\n", 200, "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n"},
		{get, "HTTP/1.1 304 No\r\n" + two, 200, "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n"},
		{get, "HTTP/1.1 304 No\r\n" + two, 204, "HTTP/1.1 204 No Content\r\n"},
		{get, "HTTP/1.1 404 Y\r\n" + two, 100, "HTTP/1.1 404 Y\r\n" + two},
		{head, "HTTP/1.1 304 No\r\n" + two, 200, "HTTP/1.1 200 OK\r\n" + two},
		{connect, "HTTP/1.1 200 OK\r\n", 404, "HTTP/1.1 200 OK\r\n"},
		{connect, "HTTP/1.1 200 OK\r\n", 202, "HTTP/1.1 202 Accepted\r\n"},
		{connect, "HTTP/1.1 407 No\r\n" + two, 200, "HTTP/1.1 407 No\r\n" + two},
		{connect, "HTTP/1.1 407 No\r\n" + two, 403, "HTTP/1.1 403 Forbidden\r\n" + two},
	} {
		x, _ := asked(t, c.request)
		h := replied(t, x, c.answer+"\r\n")
		var w Rewrite
		w.Response(h)
		set := x.SetStatus(&w, c.status, "")
		x.ToClient(&w, h)
		if got := string(w.Append(nil)); got != c.want+"\r\n" {
			t.Errorf("%.5s, %q set to %d: %q, want %q", c.request, c.answer, c.status, got, c.want)
		}
		if kept := strings.HasPrefix(c.answer, c.want[:len("HTTP/1.1 200")]); set == kept {
			t.Errorf("%.5s, %q set to %d: reported %v", c.request, c.answer, c.status, set)
		}
		if conf.Bodyless(c.status) && set && (!x.Response.Done() || !x.has(closeServer) && c.answer[9] == '2') {
			t.Errorf("%.5s, %q set to %d: the client gets a body, or the server's connection is kept", c.request, c.answer, c.status)
		}
	}
}

// TestSetStatusReason: a reason phrase stays in its line.
func TestSetStatusReason(t *testing.T) {
	x, _ := asked(t, get11)
	var w Rewrite
	w.Response(replied(t, x, simple))
	x.SetStatus(&w, 503, "So\r\nsorry")
	if got := string(w.Append(nil)); got != "HTTP/1.1 503 So  sorry\r\nContent-Length: 2\r\n\r\n" {
		t.Errorf("%q", got)
	}
}
