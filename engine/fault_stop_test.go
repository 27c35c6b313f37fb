//go:build !simulation

package engine

import (
	"io"
	"math/rand/v2"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"sluice/engine/listen"
)

// Fault 29. A drain takes no new client, finishes the old ones, and ends Run.
func TestFault29DrainFinishesSessions(t *testing.T) {
	b := start(t, plain+"  server s "+newPeer(t, echo).String())
	c := b.dial("f")
	wait(t, "the session", func() bool { return b.Sessions() == 1 })
	b.Drain()
	b.refuses("f")
	if got := ask(t, c, "still here"); got != "still here" {
		t.Errorf("got %q", got)
	}
	b.join()
}

// A drain serves clients that wait in the kernel's queue, because closing the listening socket
// would reset them. maxconn remains in effect meanwhile.
func TestFault29DrainServesTheQueue(t *testing.T) {
	const waiting = 20
	b := start(t, plain+"  server s "+newPeer(t, echo).String()+"\nglobal\n  maxconn 1\n")
	holder := b.dial("f")
	wait(t, "the session", func() bool { return b.Sessions() == 1 })
	queue := make([]net.Conn, waiting)
	for i := range queue {
		queue[i] = b.dial("f")
	}
	b.Drain()
	holder.Close()
	echoed(t, queue)
	b.join()
}

// A drain at maxconn frees the address at once: a new process can listen there and gets the new
// While the balancer drains, each answer announces the end of the client's connection, also one that a
// rule gives in the server's place.
func TestDrainIsAnnounced(t *testing.T) {
	for name, rule := range map[string]string{"server": "", "rule": "http-response redirect location /"} {
		t.Run(name, func(t *testing.T) {
			asked, answer := make(chan bool), make(chan bool)
			b := start(t, webDefaults+"frontend f\n  bind 127.0.0.1:1\n  "+rule+"\n  default_backend b\nbackend b\n  server s "+newPeer(t, func(c *net.TCPConn) {
				readHead(c)
				asked <- true
				<-answer
				_, _ = io.WriteString(c, plainOK)
			}).String())
			c := b.dial("f")
			_, _ = io.WriteString(c, head("a"))
			<-asked
			b.Drain()
			b.refuses("f")
			answer <- true
			got, err := io.ReadAll(c)
			if err != nil || !strings.Contains(strings.ToLower(string(got)), "connection: close") {
				t.Errorf("the client gets %q, %v", got, err)
			}
		})
	}
}

// clients. The clients that waited in the queue before are served when places are free.
func TestDrainAtMaxconnFreesTheAddress(t *testing.T) {
	for name, bind := range map[string]string{"TCP": "127.0.0.1:1", "UNIX": "unix@" + t.TempDir() + "/front"} {
		t.Run(name, func(t *testing.T) {
			const waiting = 5
			b := start(t, strings.Replace(plain, "127.0.0.1:1", bind, 1)+"  server s "+newPeer(t, echo).String()+"\nglobal\n  maxconn 1\n")
			holder := b.dial("f")
			wait(t, "the session", func() bool { return b.Sessions() == 1 })
			queue := make([]net.Conn, waiting)
			for i := range queue {
				queue[i] = b.dial("f")
			}
			b.Drain()
			c := parse(t, "defaults"+strings.Replace(plain, "127.0.0.1:1", address(b.addrs["f"]), 1)+"  server s 127.0.0.1:9\n")
			wait(t, "the address to be free", func() bool {
				next, err := listen.Open(c, 2)
				if err == nil {
					next.Close()
				}
				return err == nil
			})
			if conn, err := net.Dial(b.addrs["f"].Network(), b.addrs["f"].String()); err == nil {
				conn.Close()
				t.Error("a client connects after the drain has begun")
			}
			holder.Close()
			echoed(t, queue)
			b.join()
		})
	}
}

// A stop during a drain at maxconn also ends the clients that wait.
func TestStopEndsHeldClients(t *testing.T) {
	b := start(t, plain+"  server s "+newPeer(t, echo).String()+"\nglobal\n  maxconn 1\n")
	b.dial("f")
	wait(t, "the session", func() bool { return b.Sessions() == 1 })
	waiting := b.dial("f")
	b.Drain()
	b.Stop()
	b.join()
	if text, _ := fetch(waiting); text != "" {
		t.Errorf("a client that waited got %q", text)
	}
}

// echoed has all clients send at the same time, because they are not served in their order, and
// checks that each gets its bytes back.
func echoed(t *testing.T, clients []net.Conn) {
	t.Helper()
	got := make(chan string, len(clients))
	for _, c := range clients {
		go func() {
			_, _ = io.WriteString(c, "x")
			closeWrite(t, c)
			text, _ := fetch(c)
			got <- text
		}()
	}
	for range clients {
		if text := <-got; text != "x" {
			t.Errorf("a client that waited got %q", text)
		}
	}
}

// address is an address as a bind line has it.
func address(a net.Addr) string {
	if a.Network() == "unix" {
		return "unix@" + a.String()
	}
	return a.String()
}

// A drain ends under load too, and no client that is served is cut off.
func TestFault29DrainUnderLoad(t *testing.T) {
	b := start(t, plain+"  server s "+newPeer(t, answers("fine")).String())
	load := b.load(t, func(got string, connected bool) {
		if connected && got != "fine" && got != "" {
			t.Errorf("a client got %q", got)
		}
	})
	wait(t, "load", func() bool { return b.Stat.Total() > 200 })
	b.Drain()
	b.join()
	load()
}

// A stop ends at once in any situation, also during a drain. A second stop changes nothing.
func TestFault29StopAtRandomTimes(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	chance := rand.New(rand.NewPCG(seed, 0))
	for _, drain := range []bool{false, true} {
		for range 5 {
			b := start(t, plain+"  server s "+newPeer(t, answers("fine")).String())
			held := b.dial("f")
			load := b.load(t, func(string, bool) {})
			sessions := 10 + chance.Int64N(100)
			wait(t, "load", func() bool { return b.Stat.Total() > sessions })
			if drain {
				b.Drain()
				b.Drain()
			}
			asked := time.Now()
			b.Stop()
			b.Stop()
			b.join()
			if took := time.Since(asked); took > promptly {
				t.Errorf("Run returned %v after Stop", took)
			}
			if n := b.Sessions(); n != 0 {
				t.Errorf("%d sessions after Run", n)
			}
			load()
			held.Close()
		}
	}
}

// A stop ends a session that only waits for its peer's acknowledgement.
func TestFault29StopWhileLeaving(t *testing.T) {
	gone := make(chan bool)
	b := start(t, plain+"  server s "+newPeer(t, func(c *net.TCPConn) {
		_, _ = c.Write(make([]byte, 40_000))
		resetSent(t, c)
		close(gone)
	}).String())
	b.dialSmall("f")
	<-gone
	b.Stop()
	b.join()
	b.wantTerm("SD")
}

// load starts clients that make requests one after the other, each on its own connection. They
// end when they cannot connect any more. load returns a function that waits for them.
func (b *balancer) load(t *testing.T, judge func(got string, connected bool)) (wait func()) {
	t.Helper()
	var clients sync.WaitGroup
	for range 4 {
		clients.Go(func() {
			for {
				c, err := net.DialTimeout("tcp", b.addrs["f"].String(), patienceOfTests)
				if err != nil {
					return
				}
				bound(c)
				_, err = io.WriteString(c, head("any"))
				got, _ := fetch(c)
				judge(got, err == nil)
			}
		})
	}
	return clients.Wait
}
