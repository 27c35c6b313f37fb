//go:build !simulation

package engine

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"regexp"
	"strings"
	"testing"
)

// request sends a request for a path and reads the answer.
func request(t *testing.T, c net.Conn, in *bufio.Reader, path, fields string) {
	t.Helper()
	_, _ = io.WriteString(c, "GET "+path+" HTTP/1.1\r\nHost: log.test\r\n"+fields+"\r\n")
	resp, err := http.ReadResponse(in, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(io.Discard, resp.Body); err != nil {
		t.Fatal(err)
	}
}

func TestLogFormatInModeTCP(t *testing.T) {
	to := newPeer(t, answers("fine")).String()
	b := start(t, plain+"  server s "+to+`
frontend g
  bind 127.0.0.2:1
  log-format "%ci:%cp %fi:%fp %bi %si:%sp %[dst_port] %B %U %rt %ts|%bp"
  default_backend b`)
	for serial := range 2 {
		c := b.dial("g")
		closeWrite(t, c)
		if got, err := fetch(c); got != "fine" {
			t.Fatal(got, err)
		}
		local := b.addrs["g"].String()
		line, source, _ := strings.Cut(b.line(), "|")
		want := fmt.Sprintf("%s %s 127.0.0.1 %s %s 4 0 %d --", c.LocalAddr(), local, to, local[len("127.0.0.2:"):], serial)
		if line != want || !regexp.MustCompile(`^\d+$`).MatchString(source) {
			t.Errorf("got  %s|%s\nwant %s", line, source, want)
		}
	}
}

func TestLogFormatInModeHTTP(t *testing.T) {
	to := website(t, "b")
	b := start(t, webDefaults+`
frontend f
  bind 127.0.0.1:1
  capture request header X-A len 9
  log-format "%HM %HPO%HQ %ST %hr %[dst_port] %bi %si:%sp %b/%s %rt %[capture.req.uri] %{+Q}r %[status]"
  http-request deny if { path /no }
  default_backend b
backend b
  server s `+to)
	_, port, _ := net.SplitHostPort(b.addrs["f"].String())
	c := b.dial("f")
	in := bufio.NewReader(c)
	for serial, path := range []string{"/x?y", "/x?y"} {
		request(t, c, in, path, "X-A: v|\r\n")
		want := fmt.Sprintf(`GET /x?y 200 {v#7C} %s 127.0.0.1 %s b/s %d /x?y "GET /x?y HTTP/1.1" 200`, port, to, serial)
		if got := b.line(); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
	request(t, c, in, "/no", "")
	want := fmt.Sprintf(`GET /no 403 {} %s - -:- f/<NOSRV> 2 /no "GET /no HTTP/1.1" -`, port)
	if got := b.line(); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	_, _ = io.WriteString(b.dial("f"), "bad request\r\n\r\n")
	want = fmt.Sprintf(`<BADREQ> <BADREQ><BADREQ> 400 %s - -:- f/<NOSRV> 3 - "<BADREQ>" -`, port)
	if got := b.line(); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

// TestTimesOfARequest: the times of a second request exclude the time between the two requests.
func TestTimesOfARequest(t *testing.T) {
	b := start(t, webDefaults+`
frontend f
  bind 127.0.0.1:1
  log-format "%Ti %Tq %TR %Ta %Tt %t %tr"
  default_backend b
backend b
  server s `+website(t, "b"))
	c := b.dial("f")
	in := bufio.NewReader(c)
	for range 2 {
		b.silent(50e6)
		request(t, c, in, "/", "")
		var ti, tq, tr, ta, tt int
		var accepted, began string
		line := b.line()
		if _, err := fmt.Sscan(line, &ti, &tq, &tr, &ta, &tt, &accepted, &began); err != nil {
			t.Fatal(line, err)
		}
		within(t, "%Ti", ti, 40, 40+soon)
		if tq != ti+tr || tt != ti+ta || accepted == began {
			t.Errorf("times don't add up: %s", line)
		}
	}
}

func TestLogJSON(t *testing.T) {
	b := start(t, webDefaults+`
frontend f
  bind 127.0.0.1:1
  capture request header X-A len 9
  log-format json
  default_backend b
backend b
  server s `+website(t, "b")+`
frontend g
  mode tcp
  bind 127.0.0.2:1
  log-format json
  default_backend c
backend c
  mode tcp
  server s `+newPeer(t, answers("fine")).String())
	c := b.dial("f")
	request(t, c, bufio.NewReader(c), "/x", "X-A: \"v\xff\r\n")
	want := map[string]any{"frontend": "f", "backend": "b", "server": "s", "status": 200., "term": "----", "method": "GET", "uri": "/x",
		"request_headers": []any{"\"v\ufffd"}, "client": "127.0.0.1"}
	wantFields(t, b.line(), want)
	d := b.dial("g")
	closeWrite(t, d)
	_, _ = fetch(d)
	wantFields(t, b.line(), map[string]any{"frontend": "g", "backend": "c", "server": "s", "bytes": 4., "term": "--", "status": nil})
}

// wantFields checks fields of a JSON line.
func wantFields(t *testing.T, line string, want map[string]any) {
	t.Helper()
	var got map[string]any
	if err := json.Unmarshal([]byte(line), &got); err != nil {
		t.Fatalf("%v: %s", err, line)
	}
	for name, value := range want {
		if fmt.Sprint(got[name]) != fmt.Sprint(value) {
			t.Errorf("%s: got %v, want %v", name, got[name], value)
		}
	}
}

// TestTCPLogInModeHTTP: each request has a log line. Its times start at the accept, or at the
// answer before, as in HAProxy.
func TestTCPLogInModeHTTP(t *testing.T) {
	b := start(t, strings.Replace(webDefaults, "httplog", "tcplog", 1)+`
frontend f
  bind 127.0.0.1:1
  default_backend b
backend b
  server s `+website(t, "b"))
	c := b.dial("f")
	in := bufio.NewReader(c)
	for range 2 {
		b.silent(50e6)
		request(t, c, in, "/", "")
		if e := b.wantTerm("--"); e.server != "b/s" || e.tt < 40 {
			t.Errorf("line %q", e.text)
		}
	}
}

func TestErrorsAreLoggedApart(t *testing.T) {
	syslog, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = syslog.Close() })
	b := start(t, webDefaults+`
  no log
  log `+syslog.LocalAddr().String()+` format short local0
  option log-separate-errors
frontend f
  bind 127.0.0.1:1
  use_backend none if { path /none }
  default_backend b
backend b
  server s `+website(t, "b")+`
backend none
  retries 0
  server s `+deadPort(t)+`
frontend g
  mode tcp
  bind 127.0.0.2:1
  default_backend dead
backend dead
  mode tcp
  retries 0
  server s `+deadPort(t))
	for path, want := range map[string]string{"/": "<6>", "/none": "<3>"} {
		c := b.dial("f")
		request(t, c, bufio.NewReader(c), path, "")
		if got := datagram(t, syslog); !strings.HasPrefix(got, want) {
			t.Errorf("%s: got %q, want level %s", path, got, want)
		}
	}
	_, _ = fetch(b.dial("g"))
	if got := datagram(t, syslog); !strings.HasPrefix(got, "<3>") || !strings.Contains(got, " SC ") {
		t.Errorf("got %q, want level <3>", got)
	}
}

func datagram(t *testing.T, from net.PacketConn) string {
	t.Helper()
	bound(from.(net.Conn))
	b := make([]byte, 64<<10)
	n, _, err := from.ReadFrom(b)
	if err != nil {
		t.Fatal(err)
	}
	return string(b[:n])
}
