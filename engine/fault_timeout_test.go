//go:build !simulation

package engine

import (
	"io"
	"net"
	"strings"
	"testing"
	"time"
)

// Fault 2. A server accepts and never answers. Both sides are closed at timeout server, and
// other sessions are not affected.
func TestFault02ServerNeverAnswers(t *testing.T) {
	closed := make(chan error, 1)
	b := start(t, `
  timeout connect 2s
  timeout client 10s
  timeout server 200ms
frontend f
  bind 127.0.0.1:1
  use_backend mute if { hdr(host) mute.test }
  default_backend b
backend mute
  server s `+newPeer(t, func(c *net.TCPConn) {
		_, err := io.ReadAll(c)
		closed <- err
	}).String()+`
backend b
  server s `+newPeer(t, answers("fine")).String())
	c := b.dial("f")
	_, _ = io.WriteString(c, head("mute.test"))
	good := ask(t, b.dial("f"), head("good.test"))
	got, err := io.ReadAll(c)
	if len(got) != 0 || err != nil {
		t.Errorf("%q, %v; want the end", got, err)
	}
	if err := <-closed; err != nil {
		t.Errorf("the server sees %v", err)
	}
	if good != "fine" {
		t.Errorf("another connection got %q", good)
	}
	b.wantTerm("--")
	e := b.wantTerm("sD")
	within(t, "life", e.tt, 200, 200+soon)
	wait(t, "the abort to be counted", func() bool { return b.today().Backends[0].Stat.ServerAborts.Load() == 1 })
}

// Every timeout ends its kind of session, with HAProxy's termination state. It is taken from
// the frontend or backend, or else from defaults.
func TestTimeouts(t *testing.T) {
	leavesNothing(t)
	hole := blackhole(t)
	mute := newPeer(t, hang(t)).String()
	const long = "timeout connect 10s\n  timeout client 10s\n  timeout server 10s\n"
	for name, c := range map[string]struct {
		defaults, front, back string
		server                string
		client                func(*testing.T, net.Conn)
		term                  string
	}{
		"connect":               {long, "", "timeout connect 150ms", hole, nil, "sC"},
		"connect of defaults":   {long + "timeout connect 150ms", "", "", hole, nil, "sC"},
		"client":                {long, "timeout client 150ms", "", mute, nil, "cD"},
		"client of defaults":    {long + "timeout client 150ms", "", "", mute, nil, "cD"},
		"client while dialing":  {long, "timeout client 150ms", "", hole, nil, "cC"},
		"server":                {long, "", "timeout server 150ms", mute, sayHello, "sD"},
		"server of defaults":    {long + "timeout server 150ms", "", "", mute, sayHello, "sD"},
		"tunnel":                {long, "", "timeout tunnel 150ms", mute, nil, "cD"},
		"tunnel outlasts":       {long, "timeout client 20ms", "timeout tunnel 150ms", mute, nil, "cD"},
		"client-fin":            {long, "timeout client-fin 150ms", "", newPeer(t, closeThenHang).String(), nil, "cD"},
		"client-fin of default": {long + "timeout client-fin 150ms", "", "timeout tunnel 10s", newPeer(t, closeThenHang).String(), nil, "cD"},
		"server-fin":            {long, "", "timeout server-fin 150ms", mute, closeWrite, "sD"},
		"server-fin of default": {long + "timeout server-fin 150ms", "", "timeout tunnel 10s", mute, closeWrite, "sD"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := launch(t, c.defaults+`
  retries 0
frontend f
  bind 127.0.0.1:1
  default_backend b
  `+c.front+`
backend b
  `+c.back+`
  server s `+c.server, nil)
			conn := b.dial("f")
			if c.client != nil {
				c.client(t, conn)
			}
			e := b.wantTerm(c.term)
			within(t, "life", e.tt, 150, 150+soon)
			if _, err := io.ReadAll(conn); err != nil {
				t.Errorf("the client sees %v; want the end", err)
			}
		})
	}
}

// A connection that moves bytes in any direction is not idle.
func TestTimeoutsSpareTheBusy(t *testing.T) {
	for name, send := range map[string]func(client, server net.Conn) net.Conn{
		"upload":   func(client, _ net.Conn) net.Conn { return client },
		"download": func(_, server net.Conn) net.Conn { return server },
	} {
		t.Run(name, func(t *testing.T) {
			arrived := make(chan net.Conn, 1)
			b := start(t, `
  timeout connect 2s
  timeout client 300ms
  timeout server 300ms
frontend f
  bind 127.0.0.1:1
  default_backend b
backend b
  server s `+newPeer(t, func(c *net.TCPConn) {
				arrived <- c
				silent(c)
			}).String())
			client := b.dial("f")
			from := send(client, <-arrived)
			for range 12 { // 600 ms in all
				if _, err := from.Write([]byte("x")); err != nil {
					t.Fatal(err)
				}
				b.silent(50 * time.Millisecond)
			}
			closeWrite(t, client)
			_, _ = io.Copy(io.Discard, client)
			b.wantTerm("--")
		})
	}
}

func sayHello(t *testing.T, c net.Conn) {
	t.Helper()
	if _, err := io.WriteString(c, "hello"); err != nil {
		t.Error(err)
	}
}

func closeThenHang(c *net.TCPConn) {
	_ = c.CloseWrite()
	silent(c)
}

// A deadline that becomes earlier while another one is armed is kept. Where the client waits for
// its answer, only timeout server runs. Once the answer has come, timeout client runs.
func TestTimeoutThatBeginsLater(t *testing.T) {
	for _, mode := range []string{"tcp", "http"} {
		answered := make(chan struct{})
		b := start(t, `
  mode `+mode+`
  timeout connect 20s
  timeout client 300ms
  timeout server 20s
frontend f
  bind 127.0.0.1:1
  default_backend b
backend b
  server s `+newPeer(t, func(c *net.TCPConn) {
			readHead(c)
			rest := time.After(500 * time.Millisecond)
			<-rest
			_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 100000000\r\n\r\nabc")
			if mode == "http" {
				go func() { _, _ = c.Write(make([]byte, 100_000_000-3)) }()
			}
			<-answered
		}).String())
		c := b.dial("f")
		_, _ = io.WriteString(c, head("a"))
		if _, err := c.Read(make([]byte, 1)); err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		wait(t, "the session to end", func() bool { return b.Sessions() == 0 })
		if took := time.Since(began); took > promptly {
			t.Errorf("mode %s: the client that is silent is cut off after %v", mode, took)
		}
		close(answered)
	}
}

// TestTunnelTimeoutInModeHTTP: timeout tunnel is for tunnels. A server that does not answer a request
// is given up after timeout server, as by HAProxy.
func TestTunnelTimeoutInModeHTTP(t *testing.T) {
	const text = "  timeout server 200ms\n  timeout tunnel 1h\n"
	mute := newPeer(t, hang(t)).String()
	b := start(t, webDefaults+text+"frontend f\n  bind 127.0.0.1:1\n  default_backend b\nbackend b\n  server s "+mute)
	began := time.Now()
	if got := ask(t, b.dial("f"), head("a")); !strings.HasPrefix(got, "HTTP/1.1 504 ") || time.Since(began) > promptly {
		t.Errorf("after %v: %q; want 504", time.Since(began), got)
	}
}

// TestBodyBehindSlowConnect: a client that waits for 100 Continue may wait for longer than timeout
// client while its server is connected. Its time begins when its body can go on.
func TestBodyBehindSlowConnect(t *testing.T) {
	port := deadPort(t)
	b := start(t, webDefaults+"  timeout client 400ms\n  timeout connect 700ms\n  retries 3\nfrontend f\n  bind 127.0.0.1:1\n  default_backend b\nbackend b\n  server s "+port)
	c := b.dial("f")
	_, _ = io.WriteString(c, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n")
	wait(t, "the first attempt", func() bool { return b.today().Backends[0].Stat.Connects.Load() > 0 })
	newPeerOn(t, port, func(s *net.TCPConn) {
		readHead(s)
		pauseFor(100 * time.Millisecond)
		_, _ = io.WriteString(s, "HTTP/1.1 100 Continue\r\n\r\n")
		_, _ = io.ReadFull(s, make([]byte, 2))
		_, _ = io.WriteString(s, "HTTP/1.1 204 No\r\n\r\n")
	})
	got := make([]byte, 100)
	n, _ := c.Read(got)
	if !strings.HasPrefix(string(got[:n]), "HTTP/1.1 100 ") {
		t.Fatalf("got %q; want 100", got[:n])
	}
	_, _ = io.WriteString(c, "ab")
	if n, _ = c.Read(got); !strings.HasPrefix(string(got[:n]), "HTTP/1.1 204 ") {
		t.Errorf("got %q; want 204", got[:n])
	}
}

// TestTimeoutsBeginAtTheConnection: the time for which rules wait for first bytes does not count
// against the timeouts of a relayed connection. The server of a silent client may have to send first.
func TestTimeoutsBeginAtTheConnection(t *testing.T) {
	banner := newPeer(t, func(c *net.TCPConn) {
		pauseFor(100 * time.Millisecond)
		_, _ = io.WriteString(c, "banner")
	}).String()
	for name, c := range map[string]struct{ front, back string }{
		"tunnel":                  {"  timeout client 9s\n  tcp-request inspect-delay 600ms\n  tcp-request content accept if { req.len gt 9 }\n", "  timeout tunnel 400ms\n"},
		"client":                  {"  timeout client 650ms\n  tcp-request inspect-delay 600ms\n  tcp-request content accept if { req.len gt 9 }\n", ""},
		"client, without a delay": {"  timeout client 400ms\n  use_backend b if { hdr(host) a }\n", ""},
	} {
		t.Run(name, func(t *testing.T) {
			b := start(t, "  timeout connect 2s\n  timeout server 9s\nfrontend f\n  bind 127.0.0.1:1\n"+c.front+"  default_backend b\nbackend b\n"+c.back+"  server s "+banner)
			if got, err := io.ReadAll(b.dial("f")); string(got) != "banner" || err != nil {
				t.Errorf("got %q, %v", got, err)
			}
		})
	}
}

// TestClientTimeoutWhileInspecting: timeout client ends a silent client before inspect-delay does, as
// in HAProxy. No server is connected.
func TestClientTimeoutWhileInspecting(t *testing.T) {
	b := start(t, "  timeout connect 2s\n  timeout client 200ms\n  timeout server 9s\nfrontend f\n  bind 127.0.0.1:1\n  tcp-request inspect-delay 1h\n"+
		"  tcp-request content accept if { req.len gt 9 }\n  default_backend b\nbackend b\n  server s "+newPeer(t, echo).String())
	if got, err := io.ReadAll(b.dial("f")); len(got) > 0 || err != nil {
		t.Errorf("got %q, %v", got, err)
	}
	if line := b.line(); !strings.Contains(line, " b/<NOSRV> -1/-1/") || !strings.Contains(line, " cR ") {
		t.Error(line)
	}
}
