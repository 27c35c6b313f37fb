//go:build !simulation

package reactor

import (
	"errors"
	"math"
	"os"
	"runtime"
	"slices"
	"strconv"
	"testing"

	"golang.org/x/sys/unix"

	"sluice/pool/stat"
)

// TestReactorKnowsItsEpoll checks the field of gnet's poller that openEpoll reads by reflection.
func TestReactorKnowsItsEpoll(t *testing.T) {
	h := open(t)
	link, err := os.Readlink("/proc/self/fd/" + strconv.Itoa(h.epoll))
	if err != nil || link != "anon_inode:[eventpoll]" {
		t.Errorf("descriptor %d is %q, %v; want an epoll instance", h.epoll, link, err)
	}
}

func TestCloseClosesAllDescriptors(t *testing.T) {
	h := &recorder{}
	r, err := Open(Options{Events: 1, Tick: 1, Timers: 1}, h)
	if err != nil {
		t.Fatal(err)
	}
	for _, fd := range []int{r.epoll, r.bell, r.clock.fd} {
		if _, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0); err != nil {
			t.Errorf("descriptor %d before Close: %v", fd, err)
		}
	}
	r.Close()
	for _, fd := range []int{r.epoll, r.bell, r.clock.fd} {
		if _, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0); !errors.Is(err, unix.EBADF) {
			t.Errorf("descriptor %d after Close: %v", fd, err)
		}
	}
}

// TestEventsReachTheirOwner: the kernel returns all 64 bits of an owner.
func TestEventsReachTheirOwner(t *testing.T) {
	for _, want := range []Token{
		{Session: 1, Side: 0, Serial: 0},
		{Session: 1, Side: 1, Serial: 1},
		{Session: 1 << 22, Side: 0, Serial: 256},
		{Session: MaxSession, Side: 1, Serial: math.MaxUint32},
	} {
		h := open(t)
		write(t, h.watched(t, want))
		if err := h.batch(t); err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(h.sockets, []socketEvent{{want, unix.EPOLLIN}}) || h.listeners != nil || h.timers != nil {
			t.Errorf("%+v: sockets %+v, listeners %v, timers %v", want, h.sockets, h.listeners, h.timers)
		}
	}
}

// TestListenersHaveAnIndex also checks that they are level-triggered, and can be forgotten.
func TestListenersHaveAnIndex(t *testing.T) {
	h := open(t)
	for _, index := range []int{0, 1, 1<<30 - 1} {
		fd, peer := pair(t)
		write(t, peer)
		if err := h.WatchListener(fd, index); err != nil {
			t.Fatal(err)
		}
		h.listeners = nil
		for range 2 {
			if err := h.batch(t); err != nil {
				t.Fatal(err)
			}
		}
		if !slices.Equal(h.listeners, []int{index, index}) || h.sockets != nil {
			t.Errorf("listener %d: listeners %v, sockets %v", index, h.listeners, h.sockets)
		}
		h.ForgetListener(fd)
	}
	h.listeners = nil
	h.Tell(func() error { return nil })
	if err := h.batch(t); err != nil || h.listeners != nil {
		t.Errorf("forgotten listeners are reported: %v, %v", h.listeners, err)
	}
}

// TestEventOfClosedSocketHasItsToken: within a batch a socket is closed, and a new one gets its
// descriptor. The event for the closed socket does not come under the token of the new one.
func TestEventOfClosedSocketHasItsToken(t *testing.T) {
	h := open(t)
	var fds, peers [2]int
	for i := range fds {
		fds[i], peers[i] = pair(t)
		if err := h.Watch(fds[i], Token{Session: int32(i), Serial: 4}, Incoming); err != nil {
			t.Fatal(err)
		}
	}
	write(t, peers[0])
	write(t, peers[1])
	h.onSocket = func(first Token) {
		h.onSocket = nil
		other := 1 - first.Session
		fresh, _ := pair(t)
		if err := unix.Dup2(fresh, fds[other]); err != nil { // closes the old socket
			t.Error(err)
		}
		if err := h.Watch(fds[other], Token{Session: other, Serial: 5}, Incoming); err != nil {
			t.Error(err)
		}
	}
	if err := h.batch(t); err != nil {
		t.Fatal(err)
	}
	if len(h.sockets) != 2 || h.sockets[0].Serial != 4 || h.sockets[1].Serial != 4 {
		t.Errorf("events: %+v, want two with the serial number 4", h.sockets)
	}
}

// TestRewatchReportsWhatIsPresent: a socket is reported as writable only once that is wanted.
func TestRewatchReportsWhatIsPresent(t *testing.T) {
	h := open(t)
	fd, peer := pair(t)
	token := Token{Session: 3}
	if err := h.Watch(fd, token, Incoming); err != nil {
		t.Fatal(err)
	}
	write(t, peer)
	_ = h.batch(t)
	h.Rewatch(fd, token, Incoming|Writable)
	_ = h.batch(t)
	if want := []socketEvent{{token, unix.EPOLLIN}, {token, unix.EPOLLIN | unix.EPOLLOUT}}; !slices.Equal(h.sockets, want) {
		t.Errorf("events: %+v, want %+v", h.sockets, want)
	}
}

// TestClockIsReadForSomeEvents: the time stays the same for as many events as Tick says.
func TestClockIsReadForSomeEvents(t *testing.T) {
	h := open(t)
	var times, walls []int64
	h.onSocket = func(Token) {
		times, walls = append(times, h.Now()), append(walls, h.Wall())
		for stat.Now() == h.Now() { // until the clock of the machine has moved
			runtime.Gosched()
		}
	}
	for i := range int32(6) {
		write(t, h.watched(t, Token{Session: i}))
	}
	if err := h.batch(t); err != nil || len(times) != 6 {
		t.Fatal(err, times)
	}
	for i := 1; i < 6; i++ {
		if moved, want := times[i] > times[i-1], i == 4; moved != want {
			t.Errorf("between events %d and %d the time moves: %v; Tick is 4: %v", i-1, i, moved, times)
		}
	}
	if walls[4] < walls[0] || times[4]-times[0] > 0 && walls[4] == 0 {
		t.Errorf("wall clock: %v", walls)
	}
}

// TestErrorsEndWait: Wait returns the error of the Handler and that of a task.
func TestErrorsEndWait(t *testing.T) {
	over := errors.New("over")
	for name, do := range map[string]func(h *recorder) (settled int){
		"event": func(h *recorder) int { write(t, h.watched(t, Token{})); h.end = over; return 1 },
		"timer": func(h *recorder) int { h.Arm(1, h.Now()); h.end = over; return 1 },
		"turn":  func(h *recorder) int { h.Yield(Token{}); h.more = true; h.end = over; return 1 },
		"task":  func(h *recorder) int { h.Tell(func() error { return over }); return 0 },
	} {
		h := open(t)
		want := do(h)
		if err := h.Wait(false); !errors.Is(err, over) || h.settled != want {
			t.Errorf("%s: Wait returns %v and calls Ended %d times, want %v and %d", name, err, h.settled, over, want)
		}
	}
}

// TestBusyLoopStopsForTheRuntime: a busy loop waits in a system call that the Go runtime does
// not know of. It must still stop for a garbage collection and run its tasks.
func TestBusyLoopStopsForTheRuntime(t *testing.T) {
	h := open(t)
	over, done := errors.New("over"), make(chan error)
	go func() { done <- h.Wait(true) }()
	heard := make(chan struct{})
	for i := range 4 * manyNaps {
		h.Tell(func() error { heard <- struct{}{}; return nil })
		<-heard
		if i%8 == 7 {
			runtime.GC()
		}
	}
	h.Tell(func() error { return over })
	if err := <-done; !errors.Is(err, over) {
		t.Errorf("Wait: %v, want %v", err, over)
	}
}

// idle is a Handler that does nothing.
type idle struct{}

func (idle) OnSocket(Token, uint32) {}
func (idle) OnListener(int)         {}
func (idle) OnTimer(int32)          {}
func (idle) Ended() error           { return nil }

// TestHotPathAllocatesNothing registers sockets, handles their events, gives turns and arms timers.
func TestHotPathAllocatesNothing(t *testing.T) {
	r, err := Open(Options{Events: 64, Tick: 4, Timers: 8}, idle{})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	fd, peer := pair(t)
	token := Token{Session: 5, Side: 1, Serial: 9}
	if err := r.Watch(fd, token, Incoming); err != nil {
		t.Fatal(err)
	}
	if n := testing.AllocsPerRun(100, func() {
		write(t, peer)
		r.Rewatch(fd, token, Incoming)
		r.Yield(token)
		r.Arm(1, r.Now())
		n, _ := r.next()
		_ = r.step(n)
	}); n != 0 {
		t.Errorf("%v allocations for an event, a turn and a timer", n)
	}
}
