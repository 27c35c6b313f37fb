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

// TestPollerGivesItsDescriptor guards what openPoller reads out of gnet's
// poller.
func TestPollerGivesItsDescriptor(t *testing.T) {
	p, err := openPoller()
	if err != nil {
		t.Fatal(err)
	}
	defer p.close()
	link, err := os.Readlink("/proc/self/fd/" + strconv.Itoa(p.epoll))
	if err != nil || link != "anon_inode:[eventpoll]" {
		t.Errorf("descriptor %d is %q, %v; want an epoll instance", p.epoll, link, err)
	}
}

// counter is a worker that only lives for its tasks.
type counter struct{}

func (counter) tick()                     {}
func (counter) event(int32, uint32) error { return nil }
func (counter) takeTurns() (bool, error)  { return false, nil }

// TestBusyLoopStopsForTheRuntime: a loop that waits unknown to the Go runtime
// must stop for a garbage collection all the same, and hear what it is told.
func TestBusyLoopStopsForTheRuntime(t *testing.T) {
	p, err := openPoller()
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
