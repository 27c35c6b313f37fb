//go:build !simulation

package engine

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"sluice/engine/sock"
)

// inheritedSocket is a listening socket that a balancer inherits, and that the test keeps open as
// another process would.
type inheritedSocket struct {
	t    *testing.T
	file *os.File
	at   net.Addr
}

// inherit opens a listening socket.
func inherit(t *testing.T, network string) *inheritedSocket {
	t.Helper()
	at := "127.0.0.1:0"
	if network == "unix" {
		at = filepath.Join(t.TempDir(), "s")
	}
	ln, err := net.Listen(network, at)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ln.Close() })
	f, err := ln.(interface{ File() (*os.File, error) }).File()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return &inheritedSocket{t, f, ln.Addr()}
}

// bind returns the address for a bind line.
func (s *inheritedSocket) bind() string { return fmt.Sprintf("fd@%d", s.file.Fd()) }

func (s *inheritedSocket) dial() net.Conn {
	s.t.Helper()
	c, err := net.Dial(s.at.Network(), s.at.String())
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { c.Close() })
	bound(c)
	return c
}

// queued returns the number of clients in the queue.
func (s *inheritedSocket) queued() int {
	n, known := sock.Waiting(int(s.file.Fd()))
	if !known {
		s.t.Fatal("the length of the queue is unknown")
	}
	return n
}

var networks = []string{"tcp", "unix"}

// A client that connects after the removal is not served, but waits for the next user of the socket.
func TestRemovedInheritedSocketServesNoNewClient(t *testing.T) {
	for _, network := range networks {
		t.Run(network, func(t *testing.T) {
			s := inherit(t, network)
			r := rebindable(t, unbound(newPeer(t, echo).String()), "127.0.0.1:1", s.bind())
			greeted(t, s.dial()).Close()
			for range 3 {
				r.rebind("127.0.0.1:1")
				if n := r.open(); n != 2 {
					t.Errorf("%d listeners are open, want the 2 of the other bind line", n)
				}
				late := s.dial()
				if n := s.queued(); n != 1 {
					t.Errorf("%d clients are in the queue, want 1", n)
				}
				r.rebind("127.0.0.1:1", s.bind())
				greeted(t, late).Close()
			}
		})
	}
}

// crowded is a balancer with one session on an inherited socket with maxconn 1. More clients are in the
// queue.
type crowded struct {
	*rebinder
	*inheritedSocket
	first   net.Conn
	waiting []net.Conn
}

const clientsWaiting = 12

func newCrowded(t *testing.T, network string) *crowded {
	t.Helper()
	s := inherit(t, network)
	f := &crowded{inheritedSocket: s, rebinder: rebindable(t, unbound(newPeer(t, echo).String()), "127.0.0.1:1", s.bind()+" maxconn 1")}
	f.first = greeted(t, s.dial())
	for range clientsWaiting {
		f.waiting = append(f.waiting, s.dial())
	}
	wait(t, "the listeners to wait", func() bool { return f.paused() == 2 })
	return f
}

// While maxconn is reached, the clients in the queue are served after the removal, and no other ones.
func TestRemovedInheritedSocketServesItsQueueAtMaxconn(t *testing.T) {
	for _, network := range networks {
		t.Run(network, func(t *testing.T) {
			f := newCrowded(t, network)
			f.rebind("127.0.0.1:1")
			late := []net.Conn{f.inheritedSocket.dial(), f.inheritedSocket.dial()}
			f.first.Close()
			for _, c := range f.waiting {
				greeted(t, c).Close()
			}
			wait(t, "the removed listeners to be gone", func() bool { return f.settled(1) })
			if n := f.queued(); n != len(late) {
				t.Errorf("%d clients are in the queue, want the %d that came after the reload", n, len(late))
			}
			f.rebind("127.0.0.1:1", f.bind())
			for _, c := range late {
				greeted(t, c).Close()
			}
		})
	}
}

// A higher limit admits all clients that were in the queue at the removal at once, and no other ones.
func TestRemovedInheritedSocketAndAHigherLimit(t *testing.T) {
	s := inherit(t, "tcp")
	cfg := unbound(newPeer(t, echo).String())
	r := rebindable(t, strings.Replace(cfg, "BINDS", "  maxconn 1\nBINDS", 1), "127.0.0.1:1", s.bind())
	held := []net.Conn{greeted(t, s.dial())}
	for range clientsWaiting {
		held = append(held, s.dial())
	}
	r.rebind("127.0.0.1:1")
	var late []net.Conn
	for range clientsWaiting {
		late = append(late, s.dial())
	}
	r.cfg = cfg
	r.rebind("127.0.0.1:1")
	for _, c := range held {
		greeted(t, c)
	}
	wait(t, "the removed listeners to be closed", func() bool { return r.open() == 2 })
	if n := s.queued(); n != clientsWaiting {
		t.Errorf("%d clients are in the queue, want the %d that came after the reload", n, clientsWaiting)
	}
	r.rebind("127.0.0.1:1", s.bind())
	for _, c := range late {
		greeted(t, c)
	}
}

// If a bind line uses the socket again, it serves the clients in the queue. The removed listener ends.
func TestInheritedSocketIsUsedAgainWhileClientsWait(t *testing.T) {
	for _, network := range networks {
		t.Run(network, func(t *testing.T) {
			f := newCrowded(t, network)
			f.rebind("127.0.0.1:1")
			f.rebind("127.0.0.1:1", f.bind()+" maxconn 1")
			if n := f.open(); n != 4 {
				t.Errorf("%d listeners are open, want 4, two for each bind line", n)
			}
			f.first.Close()
			for _, c := range f.waiting {
				greeted(t, c).Close()
			}
		})
	}
}

// If the kernel does not tell how many clients wait, those are served that can be served at once.
func TestRemovedInheritedSocketWithUnknownQueue(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("a network namespace is made by root only")
	}
	made := make(chan *inheritedSocket)
	go func() {
		runtime.LockOSThread() // without an unlock: the thread ends with the goroutine
		if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
			t.Error(err)
		}
		made <- inherit(t, "unix")
	}()
	s := <-made
	if n, known := sock.Waiting(int(s.file.Fd())); known {
		t.Fatalf("the kernel tells that %d clients wait in another namespace", n)
	}
	r := rebindable(t, unbound(newPeer(t, echo).String()), "127.0.0.1:1", s.bind()+" maxconn 1")
	first := greeted(t, s.dial())
	waiting := s.dial()
	wait(t, "the listeners to wait", func() bool { return r.paused() == 2 })
	r.rebind("127.0.0.1:1")
	wait(t, "the removed listeners to be closed", func() bool { return r.open() == 2 })
	first.Close()
	r.rebind("127.0.0.1:1", s.bind())
	greeted(t, waiting).Close()
}
