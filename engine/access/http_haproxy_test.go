package access

import (
	"fmt"
	"io"
	"net"
	"net/netip"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
)

var httplog = regexp.MustCompile(`^(\S+) \[(\S+)\] (\S+) (\S+)/(\S+) (-?\d+)/(-?\d+)/(-?\d+)/(-?\d+)/(-?\d+) (-?\d+) (\d+) (\S+) (\S+) (....) ` +
	`(\d+)/(\d+)/(\d+)/(\d+)/(\+?)(\d+) (\d+)/(\d+) (\{.*\} \{.*\} )?"(.*)"$`)

// parseHTTP parses a line into a record.
func parseHTTP(t *testing.T, line string) *HTTPRecord {
	t.Helper()
	m := httplog.FindStringSubmatch(line)
	if m == nil {
		t.Fatalf("not a httplog line: %q", line)
	}
	num := func(i int) int64 { n, _ := strconv.ParseInt(m[i], 10, 64); return n }
	accept, err := time.ParseInLocation("02/Jan/2006:15:04:05.000", m[2], time.Local)
	if err != nil {
		t.Fatal(err)
	}
	r := &HTTPRecord{TR: num(6), Tr: num(9), Status: int(num(11)), Cookie: [2]byte{m[15][2], m[15][3]},
		Record: Record{Client: netip.MustParseAddrPort(m[1]), Accept: accept, Frontend: m[3], Backend: m[4], Server: m[5],
			Tw: num(7), Tc: num(8), Tt: num(10), Bytes: uint64(num(12)), Term: [2]byte{m[15][0], m[15][1]},
			Act: int32(num(16)), Fe: int32(num(17)), Be: int32(num(18)), Srv: int32(num(19)),
			Redispatched: m[20] == "+", Retries: int32(num(21)), SrvQueue: int32(num(22)), BeQueue: int32(num(23))}}
	r.RequestCookie, r.ResponseCookie = unescaped(m[13]), unescaped(m[14])
	if request, response, found := strings.Cut(m[24], "} {"); found {
		r.RequestHeaders = slots(strings.TrimPrefix(request, "{"))
		r.ResponseHeaders = slots(strings.TrimSuffix(response, "} "))
	}
	if m[25] != "<BADREQ>" {
		r.Line = unescaped(m[25])
	}
	return r
}

func slots(list string) (all [][]byte) {
	for value := range strings.SplitSeq(list, "|") {
		all = append(all, unescaped(value))
	}
	return all
}

func unescaped(s string) []byte {
	if s == "-" {
		return nil
	}
	return regexp.MustCompile(`#[0-9A-F]{2}`).ReplaceAllFunc([]byte(s), func(m []byte) []byte {
		c, _ := strconv.ParseUint(string(m[1:]), 16, 8)
		return []byte{byte(c)}
	})
}

// TestHTTPLinesOfHAProxy makes HAProxy log requests, and formats the same values here.
func TestHTTPLinesOfHAProxy(t *testing.T) {
	server, target := syslogd(t)
	port := freePort(t)
	haproxy(t, `
global
  log 127.0.0.1:%d len 8192 format raw local0
listen www
  bind 127.0.0.1:%d
  mode http
  log global
  option httplog
  option dontlognull
  retries 0
  timeout connect 100ms
  timeout client 5s
  timeout http-request 1s
  timeout server 5s
  capture cookie SID len 20
  capture request header X-C len 2000
  capture request header X-D len 20
  capture response header Server len 20
  http-request deny if { path /deny }
  http-request return status 200 if { path_beg /return }
  cookie S insert
  server nobody 127.0.0.1:1 cookie n
`, target.Address.Port, port)
	visit(t, port)
	for name, request := range map[string]string{
		"denied":     "GET /deny HTTP/1.1\r\nHost: a\r\nX-C: b\r\n",
		"answered":   "GET   /return   HTTP/1.0\r\nX-D: c\r\nCookie: SID=a; S=n\r\n",
		"no server":  "GET / HTTP/1.1\r\nHost: a\r\nCookie: S=n\r\nX-C: {a|b}\xe9\"#\t\r\n",
		"bad":        "GET / HTTP/1.1\r\nX : y\r\n",
		"marks":      "GET /return\"{|} HTTP/1.1\r\nHost: a\r\n",
		"just fits":  "GET /return" + strings.Repeat("a", MaxLine-len("GET /return HTTP/1.1")) + " HTTP/1.1\r\nHost: a\r\n",
		"cut by one": "GET /return" + strings.Repeat("a", MaxLine-len("GET /return HTTP/1.1")+1) + " HTTP/1.1\r\nHost: a\r\n",
		"long":       "GET /return" + strings.Repeat("\"", 2000) + " HTTP/1.1\r\nHost: a\r\n",
	} {
		send(t, port, request+"Connection: close\r\n\r\n")
		line := strings.TrimSuffix(receive(t, server), "\n")
		if got := string(new(Formatter).AppendHTTP(nil, parseHTTP(t, line))); got != line {
			t.Errorf("%s\ngot  %s\nwant %s", name, got, line)
		}
		if quoted := line[strings.Index(line, ` "`):]; name == "long" && !strings.HasSuffix(quoted, strings.Repeat("#22", 1012)+`"`) {
			t.Errorf("the line is cut elsewhere: %s", quoted)
		}
	}
}

// send sends a request and waits for the end of the connection.
func send(t *testing.T, port int, request string) {
	t.Helper()
	conn, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", port))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(within))
	if _, err := conn.Write([]byte(request)); err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(io.Discard, conn); err != nil {
		t.Fatal(err)
	}
}
