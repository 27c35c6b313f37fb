package kernel

import (
	"bytes"
	"testing"

	"golang.org/x/sys/unix"
)

// stub is a socket whose fragments and space the tests choose.
type stub struct {
	references
	fragments [][]byte
	ended     bool   // no fragments follow
	space     int    // bytes that it takes
	taken     []byte // bytes that it has taken
	failure   Errno  // of the next sending without space; then it is EAGAIN
}

func (s *stub) poll() uint32 { return unix.EPOLLIN | unix.EPOLLOUT }
func (s *stub) release()     {}

func (s *stub) spliceOut(n, slots int) (pieces [][]byte, e Errno) {
	if len(s.fragments) == 0 && !s.ended {
		return nil, unix.EAGAIN
	}
	for len(s.fragments) > 0 && len(pieces) < slots && n > 0 {
		b := s.fragments[0][:min(n, len(s.fragments[0]))]
		pieces, n = append(pieces, b), n-len(b)
		if s.fragments[0] = s.fragments[0][len(b):]; len(s.fragments[0]) == 0 {
			s.fragments = s.fragments[1:]
		}
	}
	return pieces, 0
}

func (s *stub) spliceIn(b []byte) (int, Errno) {
	if s.space == 0 {
		e := s.failure
		s.failure = unix.EAGAIN
		return -1, e
	}
	n := min(s.space, len(b))
	s.taken, s.space = append(s.taken, b[:n]...), s.space-n
	return n, 0
}

// splicing is a pipe and two sockets: bytes go from source through the pipe to target.
type splicing struct {
	*Process
	source, target *stub
	src, dst, r, w int
}

func newSplicing(o Options) *splicing {
	s := &splicing{Process: New(o).Process("test"), source: &stub{}, target: &stub{failure: unix.EAGAIN}}
	s.src, _ = s.install(s.source)
	s.dst, _ = s.install(s.target)
	s.r, s.w, _ = s.Pipe()
	return s
}

// feed adds fragments of the given sizes to the source.
func (s *splicing) feed(sizes ...int) {
	for _, n := range sizes {
		s.source.fragments = append(s.source.fragments, bytes.Repeat([]byte{byte(n)}, n))
	}
}

func (s *splicing) in(n int) string  { return s.move(s.src, s.w, n) }
func (s *splicing) out(n int) string { return s.move(s.r, s.dst, n) }

func (s *splicing) move(from, to, n int) string {
	moved, e := s.Splice(from, to, n)
	if e != 0 && moved != -1 {
		panic("an error with another result than -1")
	}
	return outcome(moved, e)
}

func TestSpliceFromSocket(t *testing.T) {
	for name, test := range map[string]struct {
		prepare func(s *splicing)
		n       int
		want    string
	}{
		"no bytes":                {func(*splicing) {}, 10, "EAGAIN"},
		"the end":                 {func(s *splicing) { s.source.ended = true }, 10, "0"},
		"all fragments":           {func(s *splicing) { s.feed(3, 4) }, 10, "7"},
		"as many bytes as wanted": {func(s *splicing) { s.feed(3, 4) }, 5, "5"},
		"one fragment a slot":     {func(s *splicing) { s.feed(1, 2, 3); s.PipeSize(s.w, 8192) }, 10, "3"},
		"a slot is in use":        {func(s *splicing) { s.feed(1, 2, 3); s.PipeSize(s.w, 8192); s.Write(s.w, []byte("x")) }, 10, "1"},
		"the pipe is full":        {func(s *splicing) { s.feed(1); s.Write(s.w, make([]byte, 65536)) }, 10, "EAGAIN"},
		"nobody reads the pipe":   {func(s *splicing) { s.feed(1); s.Close(s.r) }, 10, "EPIPE"},
		"nothing wanted":          {func(*splicing) {}, 0, "0"},
		"negative":                {func(*splicing) {}, -1, "EINVAL"},
	} {
		s := newSplicing(Options{})
		test.prepare(s)
		if got := s.in(test.n); got != test.want {
			t.Errorf("%s: %s, not %s", name, got, test.want)
		}
	}
}

func TestSpliceToSocket(t *testing.T) {
	for name, test := range map[string]struct {
		prepare func(s *splicing)
		want    string
		left    string // in the pipe
	}{
		"all":                      {func(s *splicing) { s.target.space = 99 }, "7", "EAGAIN"},
		"within a slot":            {func(s *splicing) { s.target.space = 4 }, "4", "3"},
		"at a slot":                {func(s *splicing) { s.target.space = 3 }, "3", "4"},
		"no space":                 {func(*splicing) {}, "EAGAIN", "7"},
		"an error":                 {func(s *splicing) { s.target.failure = unix.EPIPE }, "EPIPE", "7"},
		"an error behind bytes":    {func(s *splicing) { s.target.space, s.target.failure = 5, unix.ECONNRESET }, "5", "2"},
		"an empty pipe":            {func(s *splicing) { s.Read(s.r, make([]byte, 9)) }, "EAGAIN", "EAGAIN"},
		"an empty pipe, no writer": {func(s *splicing) { s.Read(s.r, make([]byte, 9)); s.Close(s.w) }, "0", "0"},
	} {
		s := newSplicing(Options{})
		s.feed(3, 4)
		s.in(99)
		test.prepare(s)
		if got := s.out(99); got != test.want {
			t.Errorf("%s: %s, not %s", name, got, test.want)
		}
		if got := outcome(s.Read(s.r, make([]byte, 99))); got != test.left {
			t.Errorf("%s: %s are left, not %s", name, got, test.left)
		}
	}
}

// TestSpliceLosesError checks that an error of the target behind bytes that were moved is lost.
func TestSpliceLosesError(t *testing.T) {
	s := newSplicing(Options{})
	s.feed(9)
	s.in(99)
	s.target.space, s.target.failure = 5, unix.ECONNRESET
	if first, then := s.out(99), s.out(99); first != "5" || then != "EAGAIN" {
		t.Error(first, then)
	}
}

// TestSpliceEnds checks which files can be spliced.
func TestSpliceEnds(t *testing.T) {
	s := newSplicing(Options{})
	event, _ := s.Eventfd()
	for _, test := range []struct {
		from, to int
		want     string
	}{
		{s.src, s.dst, "EINVAL"},
		{s.r, s.w, "EINVAL"},
		{s.w, s.dst, "EBADF"},
		{s.src, s.r, "EBADF"},
		{event, s.w, "EINVAL"},
		{s.r, event, "EINVAL"},
		{s.src, 99, "EBADF"},
		{99, s.w, "EBADF"},
	} {
		if got := outcome(s.Splice(test.from, test.to, 9)); got != test.want {
			t.Errorf("from %d to %d: %s, not %s", test.from, test.to, got, test.want)
		}
	}
}

// TestSplicedSlotIsNotMerged checks that write does not append to a slot that came from a splice.
func TestSplicedSlotIsNotMerged(t *testing.T) {
	s := newSplicing(Options{})
	s.PipeSize(s.w, 4096)
	s.feed(1)
	s.in(1)
	if got := outcome(s.Write(s.w, []byte("x"))); got != "EAGAIN" {
		t.Error(got)
	}
}

// TestSpliceWakes checks the wakes of the ends of a pipe: a splice wakes for any event, the writer also
// if the pipe was not full.
func TestSpliceWakes(t *testing.T) {
	s := newSplicing(Options{})
	ep, _ := s.Epoll()
	for _, fd := range []int{s.r, s.w} {
		s.Control(ep, unix.EPOLL_CTL_ADD, fd, &unix.EpollEvent{Events: unix.EPOLLIN | unix.EPOLLOUT | unix.EPOLLET, Fd: int32(fd)})
	}
	events := make([]unix.EpollEvent, 8)
	next := func(want int) {
		t.Helper()
		if n, _ := s.Wait(ep, events); n != 1 || int(events[0].Fd) != want {
			t.Errorf("%d events, of descriptor %d; not one of %d", n, events[0].Fd, want)
		}
	}
	next(s.w)
	s.feed(3)
	s.in(9)
	next(s.r)
	s.target.space = 9
	s.out(9)
	next(s.w)
}

// TestShortSplice moves bytes with signals: they come complete and in order, some at fragment borders.
func TestShortSplice(t *testing.T) {
	s := newSplicing(Options{Seed: 1, ShortSplice: 300})
	var sent []byte
	short := 0
	for i := range 100 {
		s.feed(1+i, 2+i, 3+i)
		sent = append(sent, bytes.Join(s.source.fragments, nil)...)
		for len(s.source.fragments) > 0 {
			s.in(1 << 20)
			s.target.space = 1 << 20
			for s.out(1<<20) != "EAGAIN" {
				short++
			}
		}
	}
	if !bytes.Equal(s.target.taken, sent) {
		t.Errorf("%d bytes arrived of %d, or they differ", len(s.target.taken), len(sent))
	}
	if short <= 100 {
		t.Error("no splice was short")
	}
}

// TestFaults checks that a fault fails the call, changes nothing, and cannot be what Linux never returns.
func TestFaults(t *testing.T) {
	s := newSplicing(Options{})
	s.feed(5)
	for _, test := range []struct {
		fault Errno
		want  string
	}{{unix.EINTR, "EINTR"}, {unix.ENOMEM, "ENOMEM"}, {unix.EINVAL, "EINVAL"}, {unix.ECONNRESET, "5"}} {
		s.Fault = func(Call) Errno { return test.fault }
		if got := s.in(9); got != test.want {
			t.Errorf("splice with %v: %s", test.fault, got)
		}
	}
	s.Fault = func(Call) Errno { return unix.EMFILE }
	if r, w, e := s.Pipe(); r != -1 || w != -1 || e != unix.EMFILE {
		t.Error("pipe", r, w, e)
	}
	if n := s.Open(); n != 4 {
		t.Errorf("%d descriptors are open, not 4", n)
	}
}

// TestFaultOfControl checks that only adding can fail.
func TestFaultOfControl(t *testing.T) {
	s := newSplicing(Options{})
	ep, _ := s.Epoll()
	ev := &unix.EpollEvent{Events: unix.EPOLLIN | unix.EPOLLET}
	for _, test := range []struct {
		op    int
		fault Errno
		want  Errno
	}{
		{unix.EPOLL_CTL_ADD, unix.ENOSPC, unix.ENOSPC},
		{unix.EPOLL_CTL_ADD, 0, 0},
		{unix.EPOLL_CTL_MOD, unix.ENOMEM, 0},
		{unix.EPOLL_CTL_DEL, unix.ENOMEM, 0},
	} {
		s.Fault = func(Call) Errno { return test.fault }
		if e := s.Control(ep, test.op, s.src, ev); e != test.want {
			t.Errorf("op %d with %v: %v", test.op, test.fault, e)
		}
	}
}

// TestFaultAgain checks that an event follows an EAGAIN that a fault made.
func TestFaultAgain(t *testing.T) {
	s := newSplicing(Options{})
	ep, _ := s.Epoll()
	s.Control(ep, unix.EPOLL_CTL_ADD, s.src, &unix.EpollEvent{Events: unix.EPOLLIN | unix.EPOLLET})
	events := make([]unix.EpollEvent, 8)
	s.Wait(ep, events)
	s.Fault = func(c Call) Errno { return map[Call]Errno{CallSplice: unix.EAGAIN}[c] }
	if got := s.in(9); got != "EAGAIN" || !s.Ready(ep) {
		t.Errorf("%s, an event: %v", got, s.Ready(ep))
	}
}
