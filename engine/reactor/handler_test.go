//go:build !simulation

package reactor

import (
	"testing"

	"golang.org/x/sys/unix"
)

// recorder is a Handler that notes the calls of its methods. A function that is set is called, too.
type recorder struct {
	*Reactor
	sockets   []socketEvent
	listeners []int
	timers    []int32
	settled   int // calls of Ended
	end       error
	onSocket  func(Token)
	onTimer   func(id int32)
}

type socketEvent struct {
	Token
	events uint32
}

func (h *recorder) OnSocket(t Token, events uint32) {
	h.sockets = append(h.sockets, socketEvent{t, events})
	if h.onSocket != nil {
		h.onSocket(t)
	}
}

func (h *recorder) OnListener(index int) { h.listeners = append(h.listeners, index) }
func (h *recorder) Ended() error         { h.settled++; return h.end }

func (h *recorder) OnTimer(id int32) {
	h.timers = append(h.timers, id)
	if h.onTimer != nil {
		h.onTimer(id)
	}
}

// open opens a Reactor with a recorder.
func open(t *testing.T) *recorder {
	t.Helper()
	h := &recorder{}
	var err error
	if h.Reactor, err = Open(Options{Events: 64, Tick: 4, Timers: 8}, h); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(h.Close)
	return h
}

// batch waits for events, unless there is more to do, and handles one batch.
func (h *recorder) batch(t *testing.T) error {
	t.Helper()
	n, e := h.next()
	if e != 0 {
		t.Fatal(e)
	}
	return h.step(n)
}

// pair returns two connected sockets.
func pair(t *testing.T) (a, b int) {
	t.Helper()
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = unix.Close(fds[0]); _ = unix.Close(fds[1]) })
	return fds[0], fds[1]
}

// watched returns the peer of a socket that is registered under the token.
func (h *recorder) watched(t *testing.T, token Token) (peer int) {
	t.Helper()
	fd, peer := pair(t)
	if err := h.Watch(fd, token, Incoming); err != nil {
		t.Fatal(err)
	}
	return peer
}

var oneByte = []byte{1}

func write(t *testing.T, fd int) {
	t.Helper()
	if _, err := unix.Write(fd, oneByte); err != nil {
		t.Fatal(err)
	}
}
