//go:build !simulation

package engine

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
)

const webDefaults = `
  mode http
  option httplog
  timeout connect 2s
  timeout client 10s
  timeout server 10s
`

// website starts an HTTP server that answers with a description of the request.
func website(t *testing.T, name string) string {
	t.Helper()
	return newPeer(t, func(c *net.TCPConn) {
		in := bufio.NewReader(c)
		for {
			r, err := http.ReadRequest(in)
			if err != nil {
				return
			}
			body, _ := io.ReadAll(r.Body)
			answer := name + " " + r.Method + " " + r.URL.String() + " " + string(body)
			resp := &http.Response{StatusCode: 200, ProtoMajor: 1, ProtoMinor: 1, Header: http.Header{},
				ContentLength: int64(len(answer)), Body: io.NopCloser(strings.NewReader(answer)), Close: r.Close, Request: r}
			if err := resp.Write(c); err != nil || r.Close {
				return
			}
		}
	}).String()
}

func twoSites(t *testing.T) *balancer {
	t.Helper()
	return start(t, webDefaults+`
frontend f
  bind 127.0.0.1:1
  use_backend one if { hdr(host) one.test }
  default_backend two
backend one
  server s `+website(t, "one")+`
backend two
  server s `+website(t, "two"))
}

func TestEachRequestIsRouted(t *testing.T) {
	b := twoSites(t)
	c := b.dial("f")
	in := bufio.NewReader(c)
	for _, host := range []string{"one.test", "two.test", "one.test", "one.test", "two.test"} {
		_, _ = io.WriteString(c, "POST /x HTTP/1.1\r\nHost: "+host+"\r\nContent-Length: 5\r\n\r\nhello")
		resp, err := http.ReadResponse(in, nil)
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(resp.Body)
		if want := host[:3] + " POST /x hello"; string(body) != want {
			t.Errorf("host %s: got %q; want %q", host, body, want)
		}
	}
}

func TestPipelinedRequestsAreAnsweredInOrder(t *testing.T) {
	b := twoSites(t)
	c := b.dial("f")
	var all strings.Builder
	for range 20 {
		all.WriteString("GET /a HTTP/1.1\r\nHost: one.test\r\n\r\nPOST /b HTTP/1.1\r\nHost: two.test\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n")
	}
	_, _ = io.WriteString(c, all.String())
	in := bufio.NewReader(c)
	for i := range 40 {
		resp, err := http.ReadResponse(in, nil)
		if err != nil {
			t.Fatal(i, err)
		}
		body, _ := io.ReadAll(resp.Body)
		want := "one GET /a "
		if i%2 == 1 {
			want = "two POST /b abc"
		}
		if string(body) != want {
			t.Errorf("answer %d: got %q; want %q", i, body, want)
		}
	}
}

func TestSmuggledRequestIsRefused(t *testing.T) {
	b := twoSites(t)
	got := ask(t, b.dial("f"), "POST / HTTP/1.1\r\nHost: one.test\r\nContent-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nG")
	if !strings.HasPrefix(got, "HTTP/1.1 400 ") {
		t.Errorf("got %q", got)
	}
}

func TestNoServerIs503(t *testing.T) {
	b := start(t, webDefaults+`
frontend f
  bind 127.0.0.1:1
  default_backend b
backend b
  retries 0
  server s `+deadPort(t))
	if got := ask(t, b.dial("f"), head("a")); !strings.HasPrefix(got, "HTTP/1.1 503 ") {
		t.Errorf("got %q", got)
	}
}

func TestRulesAnswerAndEdit(t *testing.T) {
	b := start(t, webDefaults+`
frontend f
  bind 127.0.0.1:1
  monitor-uri /alive
  http-request deny if { path_beg /private }
  http-request return status 200 content-type text/plain string pong if { path /ping }
  http-request redirect location /new code 301 if { path /old }
  http-request set-header X-From %[src]
  http-request set-path /blog/%[path] if { hdr(host) blog.test }
  use_backend blog if { path_beg /blog }
  default_backend rest
backend blog
  http-response set-header X-Served-By blog
  server s `+website(t, "blog")+`
backend rest
  server s `+website(t, "rest"))
	c := b.dial("f")
	in := bufio.NewReader(c)
	for _, step := range []struct{ host, path, status, body string }{
		{"a.test", "/ping", "200 OK", "pong"},
		{"a.test", "/old", "301 Moved Permanently", ""},
		{"a.test", "/alive", "200 OK", "Service ready"},
		{"blog.test", "/x", "200 OK", "blog GET /blog//x "},
		{"a.test", "/y", "200 OK", "rest GET /y "},
		{"a.test", "/private/x", "403 Forbidden", "403"},
	} {
		_, _ = io.WriteString(c, "GET "+step.path+" HTTP/1.1\r\nHost: "+step.host+"\r\n\r\n")
		resp, err := http.ReadResponse(in, nil)
		if err != nil {
			t.Fatal(step, err)
		}
		body, _ := io.ReadAll(resp.Body)
		if resp.Status != step.status || !strings.Contains(string(body), step.body) {
			t.Errorf("%s%s: got %s %q; want %s %q", step.host, step.path, resp.Status, body, step.status, step.body)
		}
		if step.host == "blog.test" && resp.Header.Get("X-Served-By") != "blog" {
			t.Errorf("no X-Served-By in %v", resp.Header)
		}
	}
}

func TestEachRequestIsLogged(t *testing.T) {
	b := start(t, webDefaults+`
frontend f
  bind 127.0.0.1:1
  capture request header Host len 20
  capture response header Content-Length len 5
  default_backend b
backend b
  cookie SRV insert indirect nocache
  server s `+website(t, "b")+` cookie s1`)
	c := b.dial("f")
	in := bufio.NewReader(c)
	for i, cookie := range []string{"", "Cookie: SRV=s1\r\n", "Cookie: SRV=gone; a=b\r\n"} {
		_, _ = io.WriteString(c, "GET /x HTTP/1.1\r\nHost: log.test\r\n"+cookie+"\r\n")
		resp, err := http.ReadResponse(in, nil)
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(resp.Body)
		want := []string{"--NI", "--VN", "--II"}[i]
		line := b.line()
		if !strings.Contains(line, " "+want+" ") || !strings.Contains(line, ` {log.test} {9} "GET /x HTTP/1.1"`) ||
			!strings.Contains(line, " f b/s ") || !strings.Contains(line, " 200 ") {
			t.Errorf("request %d: line %q (body %q)", i, line, body)
		}
		if set := resp.Header.Get("Set-Cookie"); (set == "SRV=s1; path=/") != (want[3] == 'I') {
			t.Errorf("request %d: Set-Cookie %q", i, set)
		}
	}
}
