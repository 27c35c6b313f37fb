//go:build !simulation

package engine

import (
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"sluice/conf"
	"sluice/engine/admin"
)

// If addresses in one file overlap, each client reaches the frontend with the most specific
// address.
func TestOverlappingAddresses(t *testing.T) {
	for name, c := range map[string]struct{ one, two, toOne, toTwo string }{
		"address beside wildcard":        {"127.0.0.1:PORT", "*:PORT", "127.0.0.1", "127.0.0.2"},
		"wildcard before address":        {"*:PORT", "127.0.0.1:PORT", "127.0.0.2", "127.0.0.1"},
		"both wildcards":                 {"*:PORT", "[::]:PORT", "127.0.0.1", "::1"},
		"both wildcards, IPv6 first":     {":::PORT", "*:PORT", "::1", "127.0.0.1"},
		"both wildcards, dual stack":     {"[::]:PORT v4v6", "*:PORT", "::1", "127.0.0.3"},
		"IPv4 address beside dual stack": {"127.0.0.1:PORT", "[::]:PORT v4v6", "127.0.0.1", "127.0.0.2"},
		"IPv6 address beside dual stack": {"[::1]:PORT", "[::]:PORT v4v6", "::1", "127.0.0.1"},
	} {
		t.Run(name, func(t *testing.T) {
			port := freePort(t)
			cfg := strings.ReplaceAll(fmt.Sprintf(`
  timeout connect 2s
  timeout client 10s
  timeout server 10s
listen one
  bind %s
  server s %s
listen two
  bind %s
  server s %s`, c.one, names(t, "one"), c.two, names(t, "two")), "PORT", fmt.Sprint(port))
			if problems := Check(parse(t, "defaults"+cfg), nil); problems.Err() != nil {
				t.Fatal(problems)
			}
			start(t, cfg)
			for to, want := range map[string]string{c.toOne: "one", c.toTwo: "two"} {
				for range 8 { // each loop has a socket: chance would mix them
					if got := nameAt(t, to, port); got != want {
						t.Errorf("%s:%d: got frontend %q; want %q", to, port, got, want)
					}
				}
			}
		})
	}
}

// A stats socket may overlap a bind line: its own address is more specific.
func TestStatsSocketBesideWildcard(t *testing.T) {
	port := freePort(t)
	start(t, fmt.Sprintf(`
  timeout connect 2s
  timeout client 10s
  timeout server 10s
listen one
  bind *:%d
  server s %s`, port, names(t, "one")))
	ln, err := admin.Listen(conf.StatsSocket{Address: conf.Address{IP: netip.MustParseAddr("127.0.0.1"), Port: port}, UID: -1, GID: -1})
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	if got := nameAt(t, "127.0.0.2", port); got != "one" {
		t.Errorf("another address: got %q; want the frontend", got)
	}
	c, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", port))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if there, err := ln.Accept(); err != nil {
		t.Error(err)
	} else {
		there.Close()
	}
}

// Another process may listen on an address of the file, or on one that overlaps it. The start
// then fails, even if that process has set SO_REUSEPORT.
func TestForeignListener(t *testing.T) {
	for name, global := range map[string]string{
		"bind": "", "stats socket": "  stats socket 127.0.0.1:PORT\n",
	} {
		t.Run(name, func(t *testing.T) {
			port := sharedListener(t)
			bind := fmt.Sprint(port)
			if global != "" {
				bind = "1"
			}
			c := parse(t, "global\n  nbthread 2\n"+strings.ReplaceAll(global, "PORT", fmt.Sprint(port))+`
listen one
  timeout connect 2s
  timeout client 10s
  timeout server 10s
  bind 127.0.0.1:`+bind+`
  server s 127.0.0.1:9`)
			l, err := Listen(c, 2)
			if err == nil {
				l.Close()
				t.Fatal("it starts; want an error")
			}
			if !strings.Contains(err.Error(), "another process listens there already") || !strings.Contains(err.Error(), name) && name != "bind" {
				t.Errorf("got %v", err)
			}
		})
	}
}

// The same address in two spellings is an error that names both lines.
func TestCollisions(t *testing.T) {
	dir := t.TempDir()
	if err := os.Symlink(dir, dir+"/link"); err != nil {
		t.Fatal(err)
	}
	up := dir + "/../" + filepath.Base(dir)
	for name, c := range map[string]struct{ global, one, two, want string }{
		"same":                {"", "127.0.0.1:80", "127.0.0.1:80", "t.cfg:14: error: 'bind' in frontend 'two': 127.0.0.1:80 is bound by frontend 'one' at t.cfg:11, wanted another address"},
		"star":                {"", "*:80", "0.0.0.0:80", "0.0.0.0:80 (written *:80 before) is bound by frontend 'one' at t.cfg:11"},
		"mapped":              {"", "127.0.0.1:80", "[::ffff:127.0.0.1]:80", "is bound by frontend 'one'"},
		"v6only":              {"", ":::80", ":::80 v6only", "is bound by frontend 'one'"},
		"name":                {"", "127.0.0.5:80", "five.test:80", "five.test:80 (written 127.0.0.5:80 before) is bound by frontend 'one'"},
		"abstract":            {"", "abns@x", "abns@x", "is bound by frontend 'one'"},
		"path":                {"", dir + "/s", up + "/s", "is bound by frontend 'one'"},
		"link":                {"", dir + "/s", dir + "/link/s", "is bound by frontend 'one'"},
		"stats path":          {"stats socket " + dir + "/s", dir + "/s", "*:1", "t.cfg:3: error: 'stats socket': " + dir + "/s is bound by frontend 'one' at t.cfg:11"},
		"stats port":          {"stats socket 127.0.0.1:80", "127.0.0.1:80", "*:1", "t.cfg:3: error: 'stats socket': 127.0.0.1:80 is bound by frontend 'one' at t.cfg:11"},
		"stats twice":         {"stats socket /s\n stats socket //s", "*:1", "*:2", "t.cfg:4: error: 'stats socket': //s (written /s before) is bound by 'stats socket' at t.cfg:3"},
		"stats descriptor":    {"stats socket fd@7", "fd@7", "*:2", "t.cfg:3: error: 'stats socket': fd@7 is bound by frontend 'one'"},
		"descriptor":          {"", "fd@7", "fd@7", "t.cfg:14: warning: 'bind' in frontend 'two': fd@7 is bound by frontend 'one' at t.cfg:11, too: chance decides"},
		"address in wildcard": {"", "*:80", "127.0.0.1:80", ""},
		"both wildcards":      {"", "*:80", ":::80", ""},
		"other port":          {"stats socket 127.0.0.1:81", "*:80", "*:82", ""},
		"unknown names":       {"", "a.invalid:80", "b.invalid:80", ""},
	} {
		t.Run(name, func(t *testing.T) {
			global := c.global + strings.Repeat("\n", 2-strings.Count(c.global, "\n"))
			draft, _ := conf.Draft(conf.Source{Name: "t.cfg", Data: []byte("global\n nbthread 1\n " + global + `
defaults
 timeout connect 1s
 timeout client 1s
frontend one
 timeout client 1s
 bind ` + c.one + `
 default_backend b
frontend two
 bind ` + c.two + `
 default_backend b
backend b
 timeout server 1s
 server s 127.0.0.1:9`)})
			var problems conf.Problems
			collisions(draft, func(host string) (netip.Addr, error) {
				if host == "five.test" {
					return netip.MustParseAddr("127.0.0.5"), nil
				}
				return netip.IPv4Unspecified(), nil
			}, &problems)
			got := fmt.Sprint(problems)
			if c.want == "" && len(problems) > 0 || !strings.Contains(got, c.want) {
				t.Errorf("got %s; want %s", got, c.want)
			}
		})
	}
}

// names starts a server that writes its name to each client and closes. It returns its address.
func names(t *testing.T, name string) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan bool)
	t.Cleanup(func() { ln.Close(); <-done })
	go func() {
		defer close(done)
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			_, _ = io.WriteString(c, name)
			c.Close()
		}
	}()
	return ln.Addr().String()
}

// nameAt returns the name that a client of host and port reads.
func nameAt(t *testing.T, host string, port uint16) string {
	t.Helper()
	c, err := net.Dial("tcp", net.JoinHostPort(host, fmt.Sprint(port)))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	bound(c)
	text, err := io.ReadAll(c)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// freePort returns a port that is free on all addresses.
func freePort(t *testing.T) uint16 {
	t.Helper()
	ln, err := net.Listen("tcp", "[::]:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	return ln.Addr().(*net.TCPAddr).AddrPort().Port()
}

// sharedListener listens on all IPv4 addresses with SO_REUSEPORT, like another process that
// shares its port. It returns the port.
func sharedListener(t *testing.T) uint16 {
	t.Helper()
	share := net.ListenConfig{Control: func(_, _ string, c syscall.RawConn) error {
		return c.Control(func(fd uintptr) { _ = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_REUSEPORT, 1) })
	}}
	ln, err := share.Listen(t.Context(), "tcp4", "0.0.0.0:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ln.Close() })
	return ln.Addr().(*net.TCPAddr).AddrPort().Port()
}
