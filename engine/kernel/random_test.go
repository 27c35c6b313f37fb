package kernel

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// walk is a process that makes random calls. Each byte that it writes to a pipe is the number of bytes
// written before, so each reader can check what it reads.
type walk struct {
	*testing.T
	*Process
	rand  *rand.Rand
	seed  uint64
	pipes map[*pipe]*[2]byte // next byte to write, to read
	lines []string           // the trace
	space [1 << 17]byte
}

// TestRandomCalls makes random calls and checks after each of them that no event is lost, that pipes
// keep their bytes in order, and that the records of registrations agree. A seed makes the same calls
// with the same results again.
func TestRandomCalls(t *testing.T) {
	for seed := range uint64(150) {
		first := walking(t, seed)
		if again := walking(t, seed); !slices.Equal(first, again) {
			t.Fatalf("seed %d: two runs differ", seed)
		}
	}
}

func walking(t *testing.T, seed uint64) []string {
	t.Helper()
	w := &walk{T: t, seed: seed, rand: rand.New(rand.NewPCG(seed, 1)), pipes: map[*pipe]*[2]byte{}}
	k := New(Options{Seed: seed, Spurious: w.rand.IntN(300), Trace: func(_ *Process, text string) { w.lines = append(w.lines, text) }})
	w.Process = k.Process("walk")
	w.Limit = 4 + w.rand.IntN(20)
	for range 200 {
		before := w.present()
		w.call()
		w.check(before)
	}
	w.Exit()
	if _, armed := k.NextTimer(); armed || w.Open() > 0 {
		w.fail("timers or descriptors are left")
	}
	return w.lines
}

func (w *walk) fail(text string) {
	w.Helper()
	w.Fatalf("seed %d: %s, after %q", w.seed, text, w.lines[max(0, len(w.lines)-20):])
}

// call makes one random call, often with a descriptor that it cannot be made on.
func (w *walk) call() {
	fd, other := w.descriptor(), w.descriptor()
	switch w.rand.IntN(13) {
	case 0:
		w.open()
	case 1:
		w.Close(fd)
	case 2:
		_, _ = w.Dup(fd)
	case 3, 4, 5:
		const all = unix.EPOLLIN | unix.EPOLLOUT | unix.EPOLLET | unix.EPOLLONESHOT
		ev := unix.EpollEvent{Events: w.rand.Uint32() & all}
		w.Control(fd, 1+w.rand.IntN(3), other, &ev)
	case 6:
		_, _ = w.Wait(fd, make([]unix.EpollEvent, 1+w.rand.IntN(4)))
	case 7, 8:
		w.write(fd)
	case 9, 10:
		w.read(fd)
	case 11:
		_, _ = w.PipeSize(fd, w.rand.IntN(20)*pageSize/2)
	case 12:
		w.SetTimer(fd, time.Duration(w.rand.IntN(3)))
		w.Kernel().Advance(w.Kernel().Now() + time.Duration(w.rand.IntN(3)))
	}
}

func (w *walk) descriptor() int { return standard + w.rand.IntN(len(w.files)-standard+1) }

func (w *walk) open() {
	switch w.rand.IntN(5) {
	case 0:
		_, _ = w.Epoll()
	case 1:
		_, _ = w.Eventfd()
	case 2:
		_, _ = w.Timerfd()
	default:
		if r, _, e := w.Pipe(); e == 0 {
			w.pipes[pipeOf(w.files[r])] = &[2]byte{}
		}
	}
}

// next returns the next bytes to write to a pipe and to read from it. For other files they are unused.
func (w *walk) next(fd int) *[2]byte {
	if fd < len(w.files) && w.files[fd] != nil && pipeOf(w.files[fd]) != nil {
		return w.pipes[pipeOf(w.files[fd])]
	}
	return &[2]byte{}
}

// size returns a number of bytes: small, about a page, or many.
func (w *walk) size() int {
	return [...]int{w.rand.IntN(20), 8, pageSize - 2 + w.rand.IntN(5), w.rand.IntN(len(w.space))}[w.rand.IntN(4)]
}

func (w *walk) write(fd int) {
	next := w.next(fd)
	b := w.space[:w.size()]
	for i := range b {
		b[i] = next[0] + byte(i)
	}
	n, _ := w.Write(fd, b)
	next[0] += byte(max(n, 0))
}

func (w *walk) read(fd int) {
	next := w.next(fd)
	b := w.space[:w.size()]
	n, _ := w.Read(fd, b)
	if fd >= len(w.files) || w.files[fd] == nil || pipeOf(w.files[fd]) == nil {
		return
	}
	for _, got := range b[:max(n, 0)] {
		if got != next[1] {
			w.fail("a pipe does not keep its order")
		}
		next[1]++
	}
}

// present returns the wanted events of each registration.
func (w *walk) present() map[*item]uint32 {
	all := map[*item]uint32{}
	for _, f := range w.files {
		if f == nil {
			continue
		}
		for _, it := range f.refs().items {
			all[it] = it.poll()
		}
	}
	return all
}

// check compares the registrations with those before a call.
func (w *walk) check(before map[*item]uint32) {
	now := w.present()
	for it, events := range now {
		appeared := events &^ before[it]
		level := it.event.Events&private == 0 && events != 0
		if (appeared != 0 || level) && !it.queued {
			w.fail("an event is lost: " + Events(events))
		}
	}
	registered := 0
	for fd, f := range w.files {
		if e, ok := f.(*epoll); ok && !slices.Contains(w.files[:fd], f) {
			registered += w.checkInstance(e)
		}
	}
	if registered != len(now) {
		w.fail("files and epoll instances have different registrations")
	}
}

// checkInstance returns the number of registrations of an epoll instance.
func (w *walk) checkInstance(e *epoll) int {
	queued := 0
	for i, it := range e.items {
		if it.index != i || it.epoll != e || !slices.Contains(it.file.refs().items, it) {
			w.fail("a registration is wrong")
		}
		if it.queued {
			queued++
		}
	}
	for it, last := e.ready.first, (*item)(nil); it != nil; it, last = it.next, it {
		queued--
		if it.prev != last || it.next == nil && e.ready.last != it {
			w.fail("the queue is broken")
		}
	}
	if queued != 0 {
		w.fail("items are queued, but not in the queue")
	}
	return len(e.items)
}
