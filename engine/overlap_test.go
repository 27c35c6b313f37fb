//go:build !simulation

package engine

import (
	"fmt"
	"io"
	"net"
	"net/netip"
	"strings"
	"testing"

	"sluice/conf"
	"sluice/engine/admin"
	"sluice/engine/site"
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
			if _, problems := Compile(parse(t, "defaults"+cfg), site.Outside{Files: conf.Disk{}}); problems.Err() != nil {
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
