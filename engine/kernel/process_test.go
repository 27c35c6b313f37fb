package kernel

import (
	"slices"
	"testing"

	"golang.org/x/sys/unix"
)

// TestLowestDescriptor checks that new files get the lowest free descriptor, under a limit.
func TestLowestDescriptor(t *testing.T) {
	p := New(Options{}).Process("test")
	p.Limit = 7
	var got []int
	open := func() {
		fd, _ := p.Eventfd()
		got = append(got, fd)
	}
	for range 5 {
		open()
	}
	p.Close(5)
	p.Close(3)
	p.Close(4)
	for range 4 {
		open()
	}
	if want := []int{3, 4, 5, 6, -1, 3, 4, 5, -1}; !slices.Equal(got, want) {
		t.Errorf("descriptors %v, not %v", got, want)
	}
	p.Close(6)
	if r, w, e := p.Pipe(); e != unix.EMFILE || p.Open() != 3 {
		t.Errorf("a pipe with one descriptor left: %d %d %v, %d are open", r, w, e, p.Open())
	}
	p.Exit()
	if p.Open() != 0 {
		t.Error(p.Open(), "descriptors are open after Exit")
	}
}

// TestViolation checks that calls on closed descriptors are recorded.
func TestViolation(t *testing.T) {
	k := New(Options{})
	p := k.Process("sluice")
	p.Strict = true
	fd, _ := p.Eventfd()
	p.Close(fd)
	p.Close(fd)
	p.Read(7, nil)
	want := []string{"sluice: close on descriptor 3, which is not open", "sluice: read on descriptor 7, which is not open"}
	if got := k.Violations(); !slices.Equal(got, want) {
		t.Error(got)
	}
}

func TestTrace(t *testing.T) {
	var lines []string
	k := New(Options{Trace: func(p *Process, text string) { lines = append(lines, p.Name+": "+text) }})
	p := k.Process("a")
	ep, _ := p.Epoll()
	r, w, _ := p.Pipe()
	p.Control(ep, unix.EPOLL_CTL_ADD, r, &unix.EpollEvent{Events: unix.EPOLLIN | unix.EPOLLET, Fd: -5})
	p.Read(r, make([]byte, 9))
	p.Write(w, make([]byte, 9))
	p.Wait(ep, make([]unix.EpollEvent, 8))
	p.Control(ep, unix.EPOLL_CTL_DEL, r, nil)
	p.Splice(r, w, 9)
	timer, _ := p.Timerfd()
	p.SetTimer(timer, 1e9)
	p.Close(r)
	want := []string{
		"a: epoll_create = 3", "a: pipe = 4 5", "a: epoll_ctl 3 ADD 4 IN|ET = 0", "a: read 4 (9) = EAGAIN",
		"a: write 5 (9) = 9", "a: epoll_wait 3 (8) = 1: 4 IN", "a: epoll_ctl 3 DEL 4 = 0", "a: splice 4 5 (9) = EINVAL",
		"a: timerfd_create = 6", "a: timerfd_settime 6 1s = 0", "a: close 4 = 0",
	}
	if !slices.Equal(lines, want) {
		t.Errorf("%q", lines)
	}
}
