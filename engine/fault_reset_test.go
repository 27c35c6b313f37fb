//go:build !simulation

package engine

import (
	"bytes"
	"io"
	"net"
	"sluice/engine/session"
	"strconv"
	"strings"
	"testing"
	"time"
)

// Fault 1. All bytes that a killed server has sent arrive. After them the client gets the same
// end: FIN or RST.
func TestFault01ServerKilledMidStream(t *testing.T) {
	for _, size := range []int{1, 100_000, 1 << 20} {
		text := bytes.Repeat([]byte("0123456789abcdef"), size/16+1)[:size]
		t.Run("RST after "+strconv.Itoa(size), func(t *testing.T) {
			b := start(t, plain+"  server s "+newPeer(t, func(c *net.TCPConn) {
				readHead(c)
				_, _ = c.Write(text)
				resetSent(t, c)
			}).String())
			c := b.dial("f")
			_, _ = io.WriteString(c, head("any"))
			got, err := io.ReadAll(c)
			if !bytes.Equal(got, text) || !isReset(err) {
				t.Errorf("%d bytes, then %v; want %d and a reset", len(got), err, size)
			}
			if e := b.wantTerm("SD"); e.bytes != size {
				t.Errorf("log line %q; want %d bytes", e.text, size)
			}
		})
		t.Run("FIN after "+strconv.Itoa(size), func(t *testing.T) {
			b := start(t, plain+"  server s "+newPeer(t, says(string(text))).String())
			c := b.dial("f")
			got, err := io.ReadAll(c)
			if !bytes.Equal(got, text) || err != nil {
				t.Errorf("%d bytes, then %v; want %d and the end", len(got), err, size)
			}
			c.Close()
			b.wantTerm("--")
		})
	}
}

// The client's kernel accepts few bytes. When the reset comes, bytes wait in our pipe or store
// and in the server's socket.
func TestFault01ResetWaitsForSlowReader(t *testing.T) {
	text := bytes.Repeat([]byte("slow reader "), 40_000)
	gone := make(chan bool)
	b := start(t, plain+"  server s "+newPeer(t, func(c *net.TCPConn) {
		_, _ = c.Write(text)
		resetSent(t, c)
		close(gone)
	}).String())
	c := b.dialSmall("f")
	<-gone
	got, err := io.ReadAll(c)
	if !bytes.Equal(got, text) || !isReset(err) {
		t.Errorf("%d bytes, then %v; want %d and a reset", len(got), err, len(text))
	}
	b.wantTerm("SD")
}

// If a server dies while the client sends, a write fails first. After that the next read does
// not return the reset, but the answer must still arrive.
func TestFault01ResetWhileClientSends(t *testing.T) {
	b := start(t, plain+"  server s "+newPeer(t, func(c *net.TCPConn) {
		_, _ = io.CopyN(io.Discard, c, 4<<20)
		_, _ = io.WriteString(c, "503 go away")
		resetSent(t, c)
	}).String())
	c := b.dial("f")
	refused := make(chan error)
	go func() { refused <- push(c) }()
	got, err := io.ReadAll(c)
	writeErr := <-refused // only the first call after a reset returns its error
	if string(got) != "503 go away" || !isReset(err) && !isReset(writeErr) {
		t.Errorf("%q, then %v, and %v for the sender; want the answer and a reset", got, err, writeErr)
	}
	b.wantTerm("SD")
}

// Fault 3. A client's reset ends the session and resets the server's connection, also if no
// byte can flow that would show it.
func TestFault03ClientReset(t *testing.T) {
	ends := make(chan error, 1)
	tellEnd := func(c *net.TCPConn) {
		_, err := io.Copy(io.Discard, c)
		ends <- err
	}
	t.Run("idle", func(t *testing.T) {
		b := start(t, plain+"  server s "+newPeer(t, tellEnd).String())
		c := b.dial("f")
		b.waitConnected("b", 0)
		b.resetIsFast(c)
		if err := <-ends; !isReset(err) {
			t.Errorf("the server sees %v; want a reset", err)
		}
		b.wantTerm("CD")
	})
	t.Run("server does not read", func(t *testing.T) {
		hold := make(chan bool)
		b := start(t, plain+"  server s "+newPeer(t, func(c *net.TCPConn) {
			<-hold
			tellEnd(c)
		}).String())
		c := b.dial("f")
		fill(t, c)
		b.resetIsFast(c)
		close(hold)
		if err := <-ends; !isReset(err) {
			t.Errorf("the server sees %v; want a reset", err)
		}
		b.wantTerm("CD")
	})
	t.Run("client does not read", func(t *testing.T) {
		filled := make(chan bool)
		b := start(t, plain+"  server s "+newPeer(t, func(c *net.TCPConn) {
			fill(t, c)
			close(filled)
			tellEnd(c)
		}).String())
		c := b.dialSmall("f")
		<-filled
		b.resetIsFast(c)
		if err := <-ends; !isReset(err) {
			t.Errorf("the server sees %v; want a reset", err)
		}
		b.wantTerm("CD")
	})
}

// A client that sends FIN and then RST no longer waits for an answer.
func TestFault03ResetAfterHalfClose(t *testing.T) {
	asked, ends := make(chan bool), make(chan error, 1)
	b := start(t, plain+"  server s "+newPeer(t, func(c *net.TCPConn) {
		_, _ = io.Copy(io.Discard, c)
		close(asked)
		for {
			if _, err := c.Write([]byte("x")); err != nil {
				ends <- err
				return
			}
			<-time.After(time.Millisecond)
		}
	}).String())
	c := b.dial("f")
	closeWrite(t, c)
	<-asked
	b.resetIsFast(c)
	if err := <-ends; err == nil {
		t.Error("the server can go on writing")
	}
	b.wantTerm("CD")
}

// A reset from the server waits for a slow reader. If that reader resets its connection, the
// session ends.
func TestFault03ResetWhileServersResetWaits(t *testing.T) {
	gone := make(chan bool)
	b := start(t, plain+"  server s "+newPeer(t, func(c *net.TCPConn) {
		_, _ = io.WriteString(c, strings.Repeat("x", 40_000))
		resetSent(t, c)
		close(gone)
	}).String())
	c := b.dialSmall("f")
	<-gone
	b.resetIsFast(c)
	b.wantTerm("SD")
}

func TestFault03ResetWhileInspected(t *testing.T) {
	b := start(t, sniffing+"  server s "+newPeer(t, echo).String())
	c := b.dial("f")
	_, _ = io.WriteString(c, "GET / HT")
	wait(t, "the session", func() bool { return b.Sessions() == 1 })
	b.resetIsFast(c)
	b.wantTerm("CR")
}

func TestFault03ResetWhileDialing(t *testing.T) {
	for name, server := range map[string]string{"blackhole": blackhole(t), "turn-around": deadPort(t), "turn-around at once": "unix@/nonexistent/socket"} {
		t.Run(name, func(t *testing.T) {
			b := start(t, plain+"  server s "+server)
			c := b.dial("f")
			wait(t, "the session", func() bool { return b.Sessions() == 1 })
			b.resetIsFast(c)
			b.wantTerm("CC")
		})
	}
}

// resetIsFast resets the client's connection: the session ends long before a timeout.
func (b *balancer) resetIsFast(c net.Conn) {
	b.t.Helper()
	start := time.Now()
	reset(c)
	wait(b.t, "the session to end", func() bool { return b.Sessions() == 0 })
	if took := time.Since(start); took > promptly {
		b.t.Errorf("the session ended %v after the client", took)
	}
}

// waitConnected waits until a server has a connected session.
func (b *balancer) waitConnected(backend string, server int) {
	b.t.Helper()
	for _, bk := range b.today().Backends {
		if bk.Name == backend {
			wait(b.t, "a session", func() bool { return bk.Servers()[server].Stat.Cur() > 0 })
		}
	}
}

// fill writes until the other side has accepted no bytes for a while.
func fill(t *testing.T, c net.Conn) {
	t.Helper()
	defer bound(c)
	for chunk := make([]byte, 256<<10); ; {
		_ = c.SetWriteDeadline(time.Now().Add(200 * time.Millisecond))
		if n, err := c.Write(chunk); err != nil {
			if n == 0 {
				return
			}
		}
	}
}

// dialSmall connects with the smallest receive buffer.
func (b *balancer) dialSmall(frontend string) *net.TCPConn {
	b.t.Helper()
	d := net.Dialer{Control: smallBuffer}
	c, err := d.Dial("tcp", b.addrs[frontend].String())
	if err != nil {
		b.t.Fatal(err)
	}
	bound(c)
	b.t.Cleanup(func() { c.Close() })
	return c.(*net.TCPConn)
}

// A client sends its request and resets before the loop looks. The session ends at once, although
// no server can be connected for some seconds or the server is slow with its answer.
func TestResetBehindRequest(t *testing.T) {
	http := webDefaults + "frontend f\n  bind 127.0.0.1:1\n  default_backend b\nbackend b\n"
	silent := newPeer(t, func(c *net.TCPConn) { _, _ = io.Copy(io.Discard, c) }).String()
	for name, c := range map[string]struct {
		config, server, term string
		before               session.State
	}{
		"mode http, dead server":   {http, deadPort(t), " CC-- ", session.Asking},
		"mode http, silent server": {http, silent, " CH-- ", session.Asking},
		"mode tcp, dead server":    {sniffing, deadPort(t), " CC ", session.Inspecting},
	} {
		t.Run(name, func(t *testing.T) {
			b := start(t, c.config+"  server s "+c.server)
			dialled := make(chan net.Conn)
			met := b.probe.(*inspector).holdIn(c.before, func(int) {
				client := <-dialled
				_, _ = io.WriteString(client, head("site.test"))
				reset(client)
			})
			began := time.Now()
			dialled <- b.dial("f")
			<-met
			if line := b.line(); !strings.Contains(line, c.term) {
				t.Errorf("log line %q; want%s", line, c.term)
			}
			if took := time.Since(began); took > 900*time.Millisecond { // the pause before an attempt is 1000
				t.Errorf("the session took %v", took)
			}
		})
	}
}
