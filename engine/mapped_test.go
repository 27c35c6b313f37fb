//go:build !simulation

package engine

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"testing"
)

// mappedConfig has a frontend that listens on an IPv6 socket which accepts IPv4 clients, too.
const mappedConfig = webDefaults + `
frontend f
  bind BIND
  option forwardfor except 127.0.0.0/8
  http-request set-header X-Client "%ci %[src] %{+X}ci"
  http-request set-header X-Local 1 if { src 127.0.0.0/8 }
  default_backend b
backend b
  server s `

// TestIPv4ClientOfAnIPv6Socket: an IPv4 client has its IPv4 address whatever socket it came over. This
// is an intentional difference: HAProxy 2.6 writes a mapped address, except in conditions.
func TestIPv4ClientOfAnIPv6Socket(t *testing.T) {
	server := newPeer(t, func(c *net.TCPConn) {
		head := strings.ToLower(readHead(c))
		_, _ = fmt.Fprintf(c, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s", len(head), head)
	}).String()
	ours := start(t, strings.Replace(mappedConfig, "BIND", ":::1 v4v6", 1)+server)
	wantClient(t, "Sluice", ours.addrs["f"], ours.line, "127.0.0.1", "127.0.0.1 127.0.0.1 7f000001", false)

	socket, err := net.Listen("tcp", "[::]:0")
	if err != nil {
		t.Fatal(err)
	}
	judge := &balancer{t: t, lines: make(chan string, 16)}
	haproxyOn(t, "global\n"+judge.logTarget(t)+strings.Replace(mappedConfig, "BIND", "fd@3", 1)+server+"\n", socket)
	mapped := "::ffff:127.0.0.1"
	wantClient(t, "HAProxy", socket.Addr(), judge.line, mapped, mapped+" "+mapped+" 00000000000000000000ffff7f000001", true)

	for _, page := range []string{"http.md", "logging.md", "configuration.md"} {
		text, err := os.ReadFile("../docs/" + page)
		if err != nil || !bytes.Contains(text, []byte("`::ffff:")) {
			t.Errorf("docs/%s does not explain the difference; %v", page, err)
		}
	}
}

// wantClient sends a request over IPv4 and checks the client's address in the log line and in the
// fields that the server gets. forwarded: the server gets X-Forwarded-For.
func wantClient(t *testing.T, who string, to net.Addr, line func() string, logged, written string, forwarded bool) {
	t.Helper()
	c, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", to.(*net.TCPAddr).Port))
	if err != nil {
		t.Fatal(err)
	}
	bound(c)
	_, _ = io.WriteString(c, "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
	heard, err := fetch(c)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(heard, "\r\nx-client: "+written+"\r\n") || !strings.Contains(heard, "\r\nx-local: 1\r\n") ||
		strings.Contains(heard, "\r\nx-forwarded-for: ") != forwarded {
		t.Errorf("%s: the server got %q; want %q and X-Forwarded-For: %v", who, heard, written, forwarded)
	}
	if got := line(); !strings.HasPrefix(got, logged+":") {
		t.Errorf("%s: log line %q; want the client %s", who, got, logged)
	}
}
