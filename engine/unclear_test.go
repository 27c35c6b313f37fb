//go:build !simulation

package engine

import (
	"io"
	"net"
	"strings"
	"testing"
)

const filtered = `
  timeout connect 5s
  timeout client 10s
  timeout server 10s
frontend f
  bind 127.0.1.0:1
  tcp-request inspect-delay 5s
  tcp-request content RULE
  default_backend b
backend b
  server s `

// A reject rule in mode tcp must not let through a request that Sluice cannot read without doubt.
// Where HAProxy rejects, Sluice rejects; what is no HTTP passes both.
func TestRejectOfUnclearHeads(t *testing.T) {
	const rest = " HTTP/1.1\r\nHost: x\r\n"
	admin, hosts := "reject if { path_beg /admin }", "reject if { hdr(host) bad.test }"
	for name, c := range map[string]struct {
		rule, head     string
		passes, differ bool // differ: HAProxy lets the head through
	}{
		"plain":               {admin, "GET /admin/" + rest + "\r\n", false, false},
		"tab":                 {admin, "GET\t/admin/" + rest + "\r\n", false, false},
		"tab after blank":     {admin, "GET \t/admin/" + rest + "\r\n", false, false},
		"tab before version":  {admin, "GET /admin/\tHTTP/1.1\r\nHost: x\r\n\r\n", false, false},
		"HTTP/0.9":            {admin, "GET /admin/\r\n\r\n", false, false},
		"HTTP/0.9, LF":        {admin, "GET /admin/\n", false, false},
		"NUL in a value":      {admin, "GET /admin/" + rest + "A: \x00\r\n\r\n", false, false},
		"two lengths":         {admin, "GET /admin/" + rest + "Content-Length: 1\r\nContent-Length: 1\r\n\r\n", false, false},
		"two lengths of 0":    {admin, "GET /admin/" + rest + "Content-Length: 0\r\nContent-Length: 0\r\n\r\n", false, false},
		"HTTP/2.0":            {admin, "GET /admin/ HTTP/2.0\r\nHost: x\r\n\r\n", false, false},
		"absolute":            {admin, "GET http://x/admin/" + rest + "Content-Length: 1\r\nContent-Length: 1\r\n\r\n", false, false},
		"blank after version": {admin, "GET /admin/ HTTP/1.1 \r\nHost: x\r\n\r\n", false, true},
		"line without colon":  {admin, "GET /admin/" + rest + "foo bar\r\n\r\n", false, true},
		"two hosts":           {admin, "GET /admin/" + rest + "Host: y\r\n\r\n", false, true},
		"one host, twice":     {hosts, "GET / HTTP/1.1\r\nHost: bad.test\r\nHost: bad.test\r\n\r\n", false, false},
		"folded host":         {hosts, "GET / HTTP/1.1\r\nHost:\r\n bad.test\r\n\r\n", false, false},
		"negated":             {"accept if !{ path_beg /admin }\n  tcp-request content reject", "GET /admin/\r\n\r\n", false, false},
		"accept":              {"accept if HTTP\n  tcp-request content reject", "GET /\r\n\r\n", false, true},
		"unless":              {"accept unless HTTP\n  tcp-request content reject", "GET /\r\n\r\n", false, false},
		"with HTTP":           {"reject if HTTP { path_beg /admin }", "GET /admin/\r\n\r\n", false, false},
		"another rule":        {"reject if { path_beg /admin } { src 192.0.2.1 }", "GET /admin/\r\n\r\n", true, false},
		"another path":        {admin, "GET /public/" + rest + "\r\n", true, false},
		"SSH":                 {admin, "SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n", true, false},
		"Redis":               {admin, "PING\r\n", true, false},
		"mail":                {admin, "EHLO a.test\r\n", true, false},
		"binary":              {admin, "\x00\x01\x02", true, false},
		"HTTP/2 preface":      {admin, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", true, false},
	} {
		t.Run(name, func(t *testing.T) {
			at := newPeer(t, func(c *net.TCPConn) {
				_, _ = io.WriteString(c, "served")
				silent(c)
			}).String()
			text := strings.Replace(filtered, "RULE", c.rule, 1) + at
			b := start(t, text)
			if got := getsThrough(t, b.dial("f"), c.head); got != c.passes {
				t.Errorf("Sluice passes it: %t; want %t", got, c.passes)
			}
			term := "PR"
			if c.passes {
				term = "--"
			}
			b.wantTerm(term)
			conn, err := net.Dial("tcp", haproxy(t, "defaults\n"+text+"\n", 1)[0].String())
			if err != nil {
				t.Fatal(err)
			}
			bound(conn)
			if got := getsThrough(t, conn, c.head); got != (c.passes != c.differ) {
				t.Errorf("HAProxy passes it: %t; want %t", got, c.passes != c.differ)
			}
		})
	}
}

// getsThrough sends a head and reports whether the server has got the connection.
func getsThrough(t *testing.T, c net.Conn, head string) bool {
	t.Helper()
	defer c.Close()
	if _, err := io.WriteString(c, head); err != nil {
		t.Fatal(err)
	}
	got := make([]byte, len("served"))
	n, _ := io.ReadFull(c, got)
	return n == len(got)
}
