//go:build !simulation

package engine

import (
	"fmt"
	"net"
	"strings"
	"testing"
)

// limited is a configuration with maxconn of the process, the frontend and the bind line.
func limited(server string, process, frontend, bind int) string {
	return fmt.Sprintf("global\n  maxconn %d\ndefaults\n  option tcplog\n  timeout connect 2s\n  timeout client 10s\n  timeout server 10s\n"+
		"frontend f\n  bind 127.0.0.1:1 maxconn %d\n  maxconn %d\n  default_backend b\nbackend b\n  server s %s\n", process, bind, frontend, server)
}

// A raised limit wakes the clients that wait for it. A lowered one ends nothing, and holds over the
// sessions of both configurations together.
func TestReloadChangesLimits(t *testing.T) {
	for name, with := range map[string]func(server string, n int) string{
		"process":  func(server string, n int) string { return limited(server, n, 900, 900) },
		"frontend": func(server string, n int) string { return limited(server, 900, n, 900) },
		"bind":     func(server string, n int) string { return limited(server, 900, 900, n) },
	} {
		t.Run(name, func(t *testing.T) {
			server := newPeer(t, echo).String()
			b := start(t, with(server, 2))
			conns := []net.Conn{greeted(t, b.dial("f")), greeted(t, b.dial("f"))}
			const waiting = 6
			served := make(chan net.Conn, waiting)
			for range waiting {
				conn := b.dial("f")
				go func() { served <- greeted(t, conn) }()
			}
			b.reload(with(server, 5))
			for range 3 {
				conns = append(conns, <-served)
			}
			b.reload(with(server, 3))
			if n := b.Sessions(); n != 5 {
				t.Errorf("%d sessions, want 5: a lowered limit ends none", n)
			}
			for i := range 3 { // two of them only lower the number to the limit
				conns[i].Close()
			}
			conns = append(conns[3:], <-served)
			wait(t, "three sessions", func() bool { return b.Sessions() == 3 })
			b.reload(with(server, 900))
			for range waiting - 4 {
				conns = append(conns, <-served)
			}
			for _, c := range conns {
				c.Close()
			}
			b.only(4)
		})
	}
}

// Weights, servers and rules of the new configuration hold for the next connection.
func TestReloadChangesTheNextConnection(t *testing.T) {
	name := func(text string) string { return newPeer(t, func(c *net.TCPConn) { fmt.Fprint(c, text) }).String() }
	one, two, three := name("1"), name("2"), name("3")
	cfg := func(rules string, servers ...string) string {
		return "  timeout connect 2s\n  timeout client 10s\n  timeout server 10s\n" +
			"frontend f\n  bind 127.0.0.1:1\n" + rules + "  default_backend b\nbackend b\n  server " + strings.Join(servers, "\n  server ") + "\n"
	}
	b := start(t, cfg("", "a "+one, "b "+two))
	says := func(n int) (all string) {
		for range n {
			got := make([]byte, 1)
			conn := b.dial("f")
			_, _ = conn.Read(got)
			conn.Close()
			all += strings.Trim(string(got), "\x00")
		}
		return all
	}
	for _, c := range []struct{ cfg, want string }{
		{cfg("", "a "+one, "b "+two), "1212"},
		{cfg("", "a "+one+" weight 0", "b "+two), "2222"},
		{cfg("", "a "+one, "b "+two+" disabled"), "1111"},
		{cfg("", "a "+three, "b "+two+" disabled"), "3333"},
		{cfg("", "c "+two), "2222"},
		{cfg("  tcp-request connection reject\n", "c "+two), ""},
		{cfg("  acl all src 127.0.0.0/8\n  use_backend d if all\n", "c "+two) + "backend d\n  server d " + one + "\n", "1111"},
	} {
		b.reload(c.cfg)
		got := says(4)
		if c.want == "1212" && got == "2121" {
			got = c.want
		}
		if got != c.want {
			t.Errorf("after the reload to\n%s\ngot %q, want %q", c.cfg, got, c.want)
		}
	}
}

// Counters, states and what commands have set stay over a reload.
func TestReloadKeepsState(t *testing.T) {
	server := newPeer(t, echo).String()
	cfg := func(weight string) string {
		return echoing(server+weight, "  server t 127.0.0.1:9\n  option redispatch\n")
	}
	b := start(t, cfg(""))
	greeted(t, b.dial("f")).Close()
	wait(t, "the session to end", func() bool { return b.Sessions() == 0 })
	s := b.today().Backends[0].Servers()[0]
	if err := s.SetWeight(7); err != nil {
		t.Fatal(err)
	}
	r := b.reload(cfg(""))
	now := b.today().Backends[0].Servers()[0]
	if now != s || s.Weight() != 7 || len(r.Changes) != 0 || len(r.Commands) != 0 {
		t.Errorf("weight %d, changes %v, %v; want what the command has set", s.Weight(), r.Changes, r.Commands)
	}
	if n := b.today().Frontends[0].Stat.Conns.Total(); n != 1 {
		t.Errorf("%d connections are counted, want 1", n)
	}
	r = b.reload(cfg(" weight 3"))
	if s.Weight() != 3 || len(r.Changes) != 1 || len(r.Commands) != 1 {
		t.Errorf("weight %d, changes %v, %v; want the weight of the file, and a word about it", s.Weight(), r.Changes, r.Commands)
	}
	if r.Serial != 3 {
		t.Errorf("generation %d, want 3", r.Serial)
	}
}
