//go:build !simulation

package engine

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"sluice/conf"
	"sluice/engine/session"
	"sluice/engine/site"
	"sluice/engine/sock"
	"sluice/sniff"
)

// reload replaces the configuration. It fails the test if the engine refuses it.
func (b *balancer) reload(cfg string) *Reloaded {
	b.t.Helper()
	r, err := b.tryReload(cfg)
	if err != nil {
		b.t.Fatal(err)
	}
	return r
}

func (b *balancer) tryReload(cfg string) (*Reloaded, error) {
	b.t.Helper()
	s, err := b.compiled(cfg)
	if err != nil {
		return nil, err
	}
	return b.Reload(s, sock.LookUp)
}

// compiled returns the site of a new configuration.
func (b *balancer) compiled(cfg string) (*site.Site, error) {
	c, problems := conf.ParseString(b.t.Name()+".cfg", b.before+cfg)
	if err := problems.Err(); err != nil {
		return nil, err
	}
	freePorts(c)
	return compiled(c)
}

// serials returns the serials of the configurations in use.
func (b *balancer) serials() (all []int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, one := range b.live {
		all = append(all, one.serial)
	}
	return all
}

// only waits until a configuration is the only one in use.
func (b *balancer) only(serial int) {
	b.t.Helper()
	wait(b.t, fmt.Sprintf("generation %d to be the only one", serial), func() bool {
		all := b.serials()
		return len(all) == 1 && all[0] == serial
	})
}

// answering is a configuration that answers each request with a text, at the address of frontend f.
func answering(text string) string {
	return webDefaults + "frontend f\n  bind 127.0.0.1:1\n  http-request return status 200 content-type text/plain string " + text + "\n"
}

// get sends a request on a kept connection and returns the body of the answer.
func get(t *testing.T, conn net.Conn) string {
	t.Helper()
	if _, err := io.WriteString(conn, head("a.test")); err != nil {
		t.Fatal(err)
	}
	return answerBody(t, conn)
}

// answerBody reads an answer and returns its body.
func answerBody(t *testing.T, conn net.Conn) string {
	t.Helper()
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	got, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(got)
}

// sayConnection is a server that answers each request with the address of the connection.
func sayConnection(c *net.TCPConn) {
	for readHead(c) != "" {
		from := c.RemoteAddr().String()
		fmt.Fprintf(c, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", len(from), from)
	}
}

// begunRequests returns the number of sessions that have parsed a part of a request.
func (b *balancer) begunRequests() (n int) {
	(&rebinder{balancer: b}).onLoops(func(l *session.Loop) {
		l.Sessions.Each(func(id int32) {
			if l.Visit(id).S.Sniff != (sniff.State{}) {
				n++
			}
		})
	})
	return n
}

// echoing is a configuration whose frontend f relays to a server.
func echoing(server, rest string) string {
	return strings.Replace(unbound(server), "BINDS", "  bind 127.0.0.1:1", 1) + rest
}

// A connection that is kept between two requests uses the new configuration for the next one, and
// does not keep the old one in use.
func TestReloadBetweenRequests(t *testing.T) {
	b := start(t, answering("one"))
	conn := b.dial("f")
	if got := get(t, conn); got != "one" {
		t.Fatalf("got %q", got)
	}
	fresh := b.dial("f") // has sent nothing
	wait(t, "both sessions", func() bool { return b.Sessions() == 2 })
	b.reload(answering("two"))
	b.only(2)
	for _, c := range []net.Conn{conn, fresh, b.dial("f")} {
		if got := get(t, c); got != "two" {
			t.Errorf("got %q after the reload", got)
		}
	}
}

// A request whose first byte came before the reload is served by the old configuration, the next
// one of its connection by the new one.
func TestReloadWithinARequest(t *testing.T) {
	b := start(t, answering("one"))
	conn := b.dial("f")
	_, _ = io.WriteString(conn, head("a.test")[:10])
	wait(t, "the first bytes", func() bool { return b.begunRequests() == 1 })
	b.reload(answering("two"))
	if got := b.serials(); len(got) != 2 {
		t.Errorf("generations %v are in use, want 2 of them", got)
	}
	_, _ = io.WriteString(conn, head("a.test")[10:])
	if got := answerBody(t, conn); got != "one" {
		t.Errorf("got %q for the request of before, want one", got)
	}
	b.only(2)
	if got := get(t, conn); got != "two" {
		t.Errorf("got %q, want two", got)
	}
}

// If the new configuration has not the frontend of a kept connection, the next request is served by
// the old one, and then the connection ends.
func TestReloadWithoutTheFrontend(t *testing.T) {
	b := start(t, answering("one"))
	conn := b.dial("f")
	get(t, conn)
	b.reload(strings.Replace(answering("two"), "frontend f", "frontend g", 1))
	_, _ = io.WriteString(conn, head("a.test"))
	got, err := io.ReadAll(conn)
	if err != nil || !strings.Contains(string(got), "connection: close") || !strings.HasSuffix(string(got), "one") {
		t.Errorf("got %q, %v; want the old answer and the end", got, err)
	}
	b.only(2)
}

// If the frontend of a request goes while its server works on the answer, the answer announces that
// it is the last one, and the connection ends.
func TestReloadWithoutTheFrontendOfARequest(t *testing.T) {
	asked, answer := make(chan struct{}), make(chan struct{})
	peer := newPeer(t, func(c *net.TCPConn) {
		r, err := http.ReadRequest(bufio.NewReader(c))
		if err != nil {
			return
		}
		close(asked)
		<-answer
		_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n"+r.Host[:3])
		_, _ = io.Copy(io.Discard, c)
	}).String()
	text := webDefaults + "frontend f\n  bind 127.0.0.1:1\n  default_backend b\nbackend b\n  server s " + peer + "\n"
	b := start(t, text)
	conn := b.dial("f")
	_, _ = io.WriteString(conn, head("one.test"))
	<-asked
	b.reload(strings.Replace(text, "frontend f", "frontend g", 1))
	close(answer)
	got, err := io.ReadAll(conn)
	if err != nil || !strings.Contains(string(got), "connection: close") || !strings.HasSuffix(string(got), "one") {
		t.Errorf("got %q, %v; want the answer and the end", got, err)
	}
	b.only(2)
}

// The connection to a server is kept over a reload, unless the server has gone or moved.
func TestReloadKeepsIdleConnections(t *testing.T) {
	peer := newPeer(t, sayConnection).String()
	web := func(server, rest string) string {
		return webDefaults + "frontend f\n  bind 127.0.0.1:1\n  default_backend b\n" + rest + "backend b\n  server " + server + "\n"
	}
	other := newPeer(t, sayConnection).String()
	for name, c := range map[string]struct {
		cfg  string
		kept bool
	}{
		"same":          {web("s "+peer, ""), true},
		"rule":          {web("s "+peer, "  http-request set-header x y\n"), true},
		"other weight":  {web("s "+peer+" weight 5", ""), true},
		"other address": {web("s "+other, ""), false},
		"other name":    {web("t "+peer, ""), false},
		"disabled":      {web("s "+peer+" disabled\n  server t "+peer, ""), false},
		"closes":        {web("s "+peer, "") + "  option http-server-close\n", false},
	} {
		t.Run(name, func(t *testing.T) {
			b := start(t, web("s "+peer, ""))
			conn := b.dial("f")
			first := get(t, conn)
			b.reload(c.cfg)
			b.only(2)
			if second := get(t, conn); (first == second) != c.kept {
				t.Errorf("the connections to the server were %s and %s; kept: want %v", first, second, c.kept)
			}
		})
	}
}

// A tunnel goes on under its configuration, which is in use until its end.
func TestReloadBesideATunnel(t *testing.T) {
	b := start(t, echoing(newPeer(t, echo).String(), ""))
	conn := greeted(t, b.dial("f"))
	b.reload(echoing("127.0.0.1:9", ""))
	for range 3 {
		if greeted(t, conn); len(b.serials()) != 2 {
			t.Error("the tunnel's configuration is not in use any more")
		}
	}
	conn.Close()
	b.only(2)
}

// If anything fails, nothing changes: no socket, no limit, no server.
func TestReloadThatFails(t *testing.T) {
	b := start(t, answering("one"))
	busy, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer busy.Close()
	two := answering("two")
	for name, cfg := range map[string]string{
		"a busy port":           two + "frontend g\n  bind " + busy.Addr().String() + "\n",
		"a connection too many": "global\n  maxconn 1000000\ndefaults\n" + two,
	} {
		before := descriptors(t)
		if _, err := b.tryReload(cfg); err == nil {
			t.Fatalf("%s: the configuration was taken", name)
		} else {
			t.Logf("%s: %v", name, err)
		}
		conn := b.dial("f")
		if got := get(t, conn); got != "one" {
			t.Errorf("%s: got %q after a refused reload", name, got)
		}
		conn.Close()
		if n := len(b.serials()); n != 1 {
			t.Errorf("%s: %d generations", name, n)
		}
		wait(t, "the sockets of "+name+" to be closed", func() bool { return descriptors(t) <= before })
	}
}

// Sessions of many configurations keep them in use, up to a maximum. The message names the oldest.
func TestReloadsAreLimited(t *testing.T) {
	b := start(t, echoing(newPeer(t, echo).String(), ""))
	var conns []net.Conn
	for i := range 63 {
		conns = append(conns, greeted(t, b.dial("f")))
		b.reload(echoing(newPeer(t, echo).String(), fmt.Sprintf("  retries %d\n", i+1)))
	}
	_, err := b.tryReload(echoing("127.0.0.1:9", ""))
	if err == nil || !strings.Contains(err.Error(), "generation 1,") {
		t.Errorf("the 65th configuration: %v", err)
	}
	for _, c := range conns {
		c.Close()
	}
	b.only(64)
	b.reload(echoing("127.0.0.1:9", ""))
	b.only(65)
}

// A reload during or after a drain or a stop changes nothing.
func TestReloadWhileEnding(t *testing.T) {
	for name, end := range map[string]func(*Engine){"drain": (*Engine).Drain, "stop": (*Engine).Stop} {
		t.Run(name, func(t *testing.T) {
			b := start(t, answering("one"))
			over := make(chan error)
			go func() {
				var err error
				for err == nil {
					_, err = b.tryReload(answering("two") + "frontend g\n  bind 127.0.0.1:1\n")
				}
				over <- err
			}()
			wait(t, "reloads", func() bool { return b.newest.Load().serial > 3 })
			end(b.Engine)
			if err := <-over; !errors.Is(err, ErrLeaving) {
				t.Error(err)
			}
			b.join()
		})
	}
}
