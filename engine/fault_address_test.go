//go:build !simulation

package engine

import (
	"io"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

const routes = `
  timeout connect 2s
  timeout client 10s
  timeout server 10s
frontend f
  bind BIND
  default_backend b
backend b
  server s SERVER`

// The balancer listens on and connects to every kind of address.
func TestAddresses(t *testing.T) {
	dir := t.TempDir()
	mark := strconv.Itoa(os.Getpid())
	for name, c := range map[string]struct{ bind, network, client, serverNet, serverAt, server string }{
		"IPv4":            {"127.0.0.1:1", "tcp", "", "tcp", "127.0.0.2:0", ""},
		"IPv6":            {"::1:1", "tcp", "", "tcp", "[::1]:0", ""},
		"IPv6 brackets":   {"[::1]:1", "tcp", "", "tcp", "[::1]:0", ""},
		"dual stack by 4": {":::1 v4v6", "tcp", "127.0.0.1:", "tcp", "127.0.0.1:0", ""},
		"dual stack by 6": {":::1 v4v6", "tcp", "[::1]:", "tcp", "127.0.0.1:0", ""},
		"any":             {"*:1", "tcp", "127.0.0.1:", "tcp", "127.0.0.1:0", ""},
		"UNIX":            {"unix@" + dir + "/front", "unix", dir + "/front", "unix", dir + "/back", "unix@" + dir + "/back"},
		"abstract":        {"abns@sluice-front-" + mark, "unix", abstract("sluice-front-" + mark), "unix", abstract("sluice-back-" + mark), "abns@sluice-back-" + mark},
	} {
		t.Run(name, func(t *testing.T) {
			at := serveOn(t, c.serverNet, c.serverAt)
			if c.server != "" {
				at = c.server
			}
			b := start(t, strings.NewReplacer("BIND", c.bind, "SERVER", at).Replace(routes))
			switch {
			case c.client == "":
				c.client = b.addrs["f"].String()
			case strings.HasSuffix(c.client, ":"):
				c.client += portOf(b.addrs["f"].String())
			}
			conn, err := net.Dial(c.network, c.client)
			if err != nil {
				t.Fatal(err)
			}
			bound(conn)
			text := string(random(t, 200_000))
			sent := make(chan bool)
			go func() {
				defer close(sent)
				_, _ = conn.Write([]byte(text))
				closeWrite(t, conn)
			}()
			got, err := fetch(conn)
			if <-sent; got != text || err != nil {
				t.Errorf("%d bytes, %v; want %d", len(got), err, len(text))
			}
			b.wantTerm("--")
		})
	}
}

// An IPv6 wildcard with v6only does not listen on IPv4.
func TestV6Only(t *testing.T) {
	b := start(t, strings.NewReplacer("BIND", ":::1 v6only", "SERVER", "127.0.0.1:9").Replace(routes))
	port := portOf(b.addrs["f"].String())
	if c, err := net.Dial("tcp", "127.0.0.1:"+port); err == nil {
		c.Close()
		t.Error("IPv4 is taken too")
	}
	wait(t, "no session", func() bool { return b.Sessions() == 0 })
}

// The file of a UNIX socket that an earlier process has left is replaced, and its mode is set.
func TestUnixSocketIsReplaced(t *testing.T) {
	path := filepath.Join(t.TempDir(), "socket")
	old, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM, 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := unix.Bind(old, &unix.SockaddrUnix{Name: path}); err != nil {
		t.Fatal(err)
	}
	_ = unix.Close(old)
	b := start(t, strings.NewReplacer("BIND", "unix@"+path+" mode 600", "SERVER", newPeer(t, says("fine")).String()).Replace(routes))
	var info unix.Stat_t
	if err := unix.Stat(path, &info); err != nil || info.Mode&0o777 != 0o600 {
		t.Errorf("mode %o, %v; want 600", info.Mode&0o777, err)
	}
	if got, err := fetch(b.dial("f")); got != "fine" || err != nil {
		t.Errorf("%q, %v", got, err)
	}
}

// A connection that a connection rule rejects is closed at once and never logged.
func TestConnectionReject(t *testing.T) {
	b := start(t, strings.NewReplacer("BIND", "127.0.0.1:1\n  tcp-request connection reject if { src 127.0.0.2 }", "SERVER", newPeer(t, says("fine")).String()).Replace(routes))
	for range 10 {
		if got, _ := fetch(b.dialFrom("127.0.0.2", "f")); got != "" {
			t.Errorf("a rejected client got %q", got)
		}
	}
	if got, err := fetch(b.dial("f")); got != "fine" || err != nil {
		t.Errorf("%q, %v", got, err)
	}
	if e := b.wantTerm("--"); strings.Contains(e.text, "127.0.0.2") {
		t.Errorf("log line %q", e.text)
	}
	b.silent(0)
	if n := b.today().Frontends[0].Stat.DeniedConn.Load(); n != 10 {
		t.Errorf("%d rejected connections are counted; want 10", n)
	}
}

// A connection that a content rule rejects is logged with the termination state PR.
func TestContentReject(t *testing.T) {
	b := start(t, strings.NewReplacer("BIND", "127.0.0.1:1\n  tcp-request inspect-delay 5s\n  tcp-request content reject if { hdr(host) bad.test }", "SERVER", newPeer(t, answers("fine")).String()).Replace(routes))
	if got := ask(t, b.dial("f"), head("bad.test")); got != "" {
		t.Errorf("a rejected client got %q", got)
	}
	if e := b.wantTerm("PR"); e.server != "f/<NOSRV>" {
		t.Errorf("log line %q", e.text)
	}
	if got := ask(t, b.dial("f"), head("good.test")); got != "fine" {
		t.Errorf("%q", got)
	}
	b.wantTerm("--")
}

// dialFrom connects from this source address. The kernel may choose any port that is free for
// this connection.
func (b *balancer) dialFrom(source, frontend string) net.Conn {
	b.t.Helper()
	d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(source)}, Control: latePort}
	c, err := d.Dial("tcp", b.addrs[frontend].String())
	if err != nil {
		b.t.Fatal(err)
	}
	bound(c)
	return c
}

func latePort(_, _ string, raw syscall.RawConn) error {
	return raw.Control(func(fd uintptr) {
		_ = unix.SetsockoptInt(int(fd), unix.IPPROTO_IP, unix.IP_BIND_ADDRESS_NO_PORT, 1)
	})
}

// serveOn starts an echo server on an address of any kind and returns its address.
func serveOn(t *testing.T, network, at string) string {
	t.Helper()
	ln, err := net.Listen(network, at)
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				bound(c)
				_, _ = io.Copy(c, struct{ io.Reader }{c})
				closeWrite(t, c)
			}()
		}
	}()
	t.Cleanup(func() { ln.Close(); <-done })
	return ln.Addr().String()
}

func portOf(at string) string {
	_, port, _ := net.SplitHostPort(at)
	return port
}

// abstract returns the name of an abstract socket, padded as HAProxy does.
func abstract(name string) string { return "@" + name + strings.Repeat("\x00", 107-len(name)) }
