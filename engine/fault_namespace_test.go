//go:build !simulation

package engine

import (
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

const namespaceVariable = "SLUICE_TEST_NAMESPACE"

// inNamespace runs the test again in its own network namespace. It reports whether this is that
// run.
func inNamespace(t *testing.T) bool {
	t.Helper()
	if os.Getenv(namespaceVariable) != "" {
		run(t, "ip", "link", "set", "lo", "up")
		return true
	}
	if os.Getuid() != 0 {
		t.Skip("a network namespace is made by root only")
	}
	cmd := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$", "-test.v")
	cmd.Env = append(os.Environ(), namespaceVariable+"=1")
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET}
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Errorf("in its namespace: %v\n%s", err, out)
	}
	return false
}

func run(t *testing.T, name string, args ...string) {
	t.Helper()
	if out, err := exec.Command(name, args...).CombinedOutput(); err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
}

// fewPorts limits connections to 60 local ports.
func fewPorts(t *testing.T) {
	t.Helper()
	if err := os.WriteFile("/proc/sys/net/ipv4/ip_local_port_range", []byte("40000 40059"), 0o644); err != nil {
		t.Fatal(err)
	}
}

// Fault 13. If no local port is free, a client is refused quickly. No loop uses needless
// processor time, the log is not flooded, and the server stays up, because it is not the cause.
func TestFault13PortsExhausted(t *testing.T) {
	if !inNamespace(t) {
		return
	}
	server := newPeerOn(t, "127.0.0.1:30000", echo)
	b := start(t, `
  timeout connect 1s
  timeout client 10s
  timeout server 10s
frontend f
  bind 127.0.0.1:30001
  default_backend b
backend b
  server s `+server.String()+" check inter 100ms fall 1")
	fewPorts(t)
	began := time.Now()
	held, refused := b.hold(t, 100)
	if len(held) < 50 || refused < 40 {
		t.Errorf("%d are held, %d refused", len(held), refused)
	}
	for range refused {
		e := b.wantTerm("RC")
		within(t, "life of a refused one", e.tt, 0, 900) // the pause before an attempt is 1000
	}
	if n, most := b.said.FilterMessageSnippet("can't open a connection").Len(), int(time.Since(began).Seconds())+1; n < 1 || n > most {
		t.Errorf("%d complaints; want 1 to %d", n, most)
	}
	waitUntil(300*time.Millisecond, func() bool { return b.today().Backends[0].Active() != 1 }) // three checks
	if b.today().Backends[0].Active() != 1 {
		t.Error("the server is down")
	}
	if n := b.said.FilterMessageSnippet("Health check").Len(); n > 1 {
		t.Errorf("%d messages of a check that could not be made; want 1 at most", n)
	}
	for _, c := range held {
		c.Close()
	}
	wait(t, "ports to be free again", func() bool {
		again, _ := b.hold(t, 1)
		for _, c := range again {
			c.Close()
		}
		return len(again) == 1
	})
}

// Fault 13. Ports are counted for each destination address, so another server still has free
// ports.
func TestFault13OtherServerHasPorts(t *testing.T) {
	if !inNamespace(t) {
		return
	}
	b := start(t, `
  timeout connect 1s
  timeout client 10s
  timeout server 10s
frontend f
  bind 127.0.0.1:30001
  default_backend b
backend b
  option redispatch
  server a `+newPeerOn(t, "127.0.0.1:30000", echo).String()+` weight 3
  server b `+newPeerOn(t, "127.0.0.2:30000", echo).String())
	fewPorts(t)
	held, refused := b.hold(t, 100)
	if refused != 0 {
		t.Errorf("%d are held, %d refused", len(held), refused)
	}
	for _, c := range held {
		c.Close()
	}
}

// hold opens connections from 50 addresses. It returns those that are served, and the number of
// those that are refused.
func (b *balancer) hold(t *testing.T, clients int) (held []net.Conn, refused int) {
	t.Helper()
	for i := range clients {
		c := b.dialFrom("127.0.0."+strconv.Itoa(i%50+2), "f")
		_, _ = c.Write([]byte("x"))
		var one [1]byte
		if n, _ := c.Read(one[:]); n == 1 {
			held = append(held, c)
			continue
		}
		refused++
		c.Close()
	}
	return held, refused
}

// A link-local address needs its interface, as a name or as a number.
func TestZoneIDs(t *testing.T) {
	if !inNamespace(t) {
		return
	}
	run(t, "ip", "-6", "address", "add", "fe80::1/64", "dev", "lo", "nodad")
	server := portOf(serveOn(t, "tcp", "[fe80::1%lo]:0"))
	reach := func(at string) (c net.Conn) {
		wait(t, "a route to "+at, func() bool { // the kernel needs some time to add the route
			var err error
			c, err = net.Dial("tcp", at)
			return err == nil
		})
		bound(c)
		return c
	}
	reach("[fe80::1%lo]:" + server).Close()
	for _, zone := range []string{"lo", "1"} {
		b := start(t, strings.NewReplacer("BIND", "[fe80::1%"+zone+"]:1", "SERVER", "[fe80::1%"+zone+"]:"+server).Replace(routes))
		c := reach("[fe80::1%lo]:" + portOf(b.addrs["f"].String()))
		if got := ask(t, c, "zone"); got != "zone" {
			t.Errorf("got %q", got)
		}
		c.Close()
		if e := b.wantTerm("--"); !strings.HasPrefix(e.text, "fe80::1:") {
			t.Errorf("log line %q; want the client's address without a zone", e.text)
		}
	}
}
