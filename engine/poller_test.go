//go:build !simulation

package engine

import (
	"errors"
	"os"
	"runtime"
	"strconv"
	"testing"
)

func TestTokenKeepsItsParts(t *testing.T) {
	for _, id := range []int32{1, 2, 12345, maxSession} {
		for _, which := range []side{client, server} {
			for _, turn := range []uint8{0, 1, 127, 128, 255} {
				k := tokenOf(id, which, turn)
				if k >= 0 || k.session() != id || k.side() != which || k.turn() != turn {
					t.Errorf("token of %d, %d, %d is %d: %d, %d, %d", id, which, turn, k, k.session(), k.side(), k.turn())
				}
			}
		}
	}
}

// TestPollerGivesItsDescriptor checks the field of gnet's poller that openPoller reads by
// reflection.
func TestPollerGivesItsDescriptor(t *testing.T) {
	p, err := openPoller(defaultSizes())
	if err != nil {
		t.Fatal(err)
	}
	defer p.close()
	link, err := os.Readlink("/proc/self/fd/" + strconv.Itoa(p.epoll))
	if err != nil || link != "anon_inode:[eventpoll]" {
		t.Errorf("descriptor %d is %q, %v; want an epoll instance", p.epoll, link, err)
	}
}

// counter is a worker without events: it only runs tasks.
type counter struct{}

func (counter) tick()                     {}
func (counter) event(int32, uint32) error { return nil }
func (counter) takeTurns() (bool, error)  { return false, nil }

// TestBusyLoopStopsForTheRuntime: a busy loop waits in a system call that the Go runtime does
// not know of. It must still stop for a garbage collection and run its tasks.
func TestBusyLoopStopsForTheRuntime(t *testing.T) {
	p, err := openPoller(defaultSizes())
	if err != nil {
		t.Fatal(err)
	}
	defer p.close()
	p.spare = true
	over, done := errors.New("over"), make(chan error)
	go func() { done <- p.wait(counter{}) }()
	heard := make(chan struct{})
	for i := range 4 * manyNaps {
		p.tell(func() error { heard <- struct{}{}; return nil })
		<-heard
		if i%8 == 7 {
			runtime.GC()
		}
	}
	p.tell(func() error { return over })
	if err := <-done; !errors.Is(err, over) {
		t.Errorf("wait: %v, want %v", err, over)
	}
}
