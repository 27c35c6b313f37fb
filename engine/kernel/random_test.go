package kernel

import (
	"math/rand/v2"
	"net/netip"
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
	for seed := range uint64(200) {
		first := walking(t, seed)
		if again := walking(t, seed); !slices.Equal(first, again) {
			t.Fatalf("seed %d: two runs differ", seed)
		}
	}
}

func walking(t *testing.T, seed uint64) []string {
	t.Helper()
	w := &walk{T: t, seed: seed, rand: rand.New(rand.NewPCG(seed, 1)), pipes: map[*pipe]*[2]byte{}}
	k := New(Options{
		Seed: seed, Delayed: seed%2 == 0, FastOpen: fastClients | fastServers,
		Spurious: w.rand.IntN(300), ShortSplice: w.rand.IntN(300),
		Buffers: func() (send, receive int) { return 1 + w.rand.IntN(10000), 1 + w.rand.IntN(10000) },
		Trace:   func(_ *Process, text string) { w.lines = append(w.lines, text) },
	})
	w.Process = k.Process("walk")
	w.Limit = 12 + w.rand.IntN(20)
	w.begin()
	w.Fault = w.fault
	for range 200 {
		before := w.present()
		w.call()
		w.check(before)
	}
	w.Exit()
	for range 100 { // the network finishes what it has begun
		for k.Step() {
		}
		if at, armed := k.NextTimer(); armed {
			k.Advance(at)
		}
	}
	if _, armed := k.NextTimer(); armed || k.Pending() > 0 || w.Open() > 0 {
		w.fail("something is left")
	}
	return w.lines
}

func (w *walk) fail(text string) {
	w.Helper()
	w.Fatalf("seed %d: %s, after %q", w.seed, text, w.lines[max(0, len(w.lines)-20):])
}

// begin opens some files: two epoll instances, a pipe, a listening socket and a connection.
func (w *walk) begin() {
	_, _ = w.Epoll()
	_, _ = w.Epoll()
	w.openPipe()
	listener, _ := w.Socket(unix.AF_INET)
	w.Bind(listener, server)
	w.Listen(listener, 3)
	w.dial()
	for w.Kernel().Step() {
	}
	_, _, _ = w.Accept(listener)
}

// fault makes one of 20 calls fail.
func (w *walk) fault(c Call) Errno {
	if all := Faults(c); len(all) > 0 && w.rand.IntN(20) == 0 {
		return all[w.rand.IntN(len(all))]
	}
	return 0
}

// server is the address that all listening sockets have.
var server = Address{IP: netip.MustParseAddrPort("127.0.0.1:80")}

func (w *walk) dial() {
	fd, _ := w.Socket(unix.AF_INET)
	w.Connect(fd, server)
}

// call makes one random call.
func (w *walk) call() {
	switch w.rand.IntN(16) {
	case 0:
		w.open()
	case 1:
		w.closeOrDup(pick[file](w))
	case 2, 3:
		const all = unix.EPOLLIN | unix.EPOLLOUT | unix.EPOLLET | unix.EPOLLONESHOT | unix.EPOLLRDHUP | unix.EPOLLPRI
		w.Control(pick[*epoll](w), 1+w.rand.IntN(3), pick[file](w), &unix.EpollEvent{Events: w.rand.Uint32() & all})
	case 4:
		_, _ = w.Wait(pick[*epoll](w), make([]unix.EpollEvent, 1+w.rand.IntN(4)))
	case 5, 6:
		w.write(pick[writer](w))
	case 7, 8:
		w.read(pick[reader](w))
	case 9:
		_, _ = w.PipeSize(pick[*writeEnd](w), w.rand.IntN(20)*pageSize/2)
	case 10:
		w.SetTimer(pick[*timerfd](w), time.Duration(w.rand.IntN(3)))
		w.Kernel().Advance(w.Kernel().Now() + time.Duration(w.rand.IntN(3)))
	case 11:
		w.splice(pick[socket](w), pick[*writeEnd](w))
	case 12:
		w.splice(pick[*readEnd](w), pick[socket](w))
	case 13:
		w.callSocket(pick[socket](w))
	default:
		w.Kernel().Step()
	}
}

// pick returns a descriptor of a file of a type, and sometimes another number.
func pick[T any](w *walk) int {
	var fit []int
	for fd, f := range w.files {
		if _, ok := f.(T); ok {
			fit = append(fit, fd)
		}
	}
	if len(fit) == 0 || w.rand.IntN(20) == 0 {
		return standard + w.rand.IntN(len(w.files))
	}
	return fit[w.rand.IntN(len(fit))]
}

func (w *walk) open() {
	switch w.rand.IntN(6) {
	case 0:
		_, _ = w.Epoll()
	case 1:
		_, _ = w.Eventfd()
	case 2:
		_, _ = w.Timerfd()
	case 3:
		w.openPipe()
	default:
		w.dial()
	}
}

func (w *walk) openPipe() {
	if r, _, e := w.Pipe(); e == 0 {
		w.pipes[pipeOf(w.files[r])] = &[2]byte{}
	}
}

func (w *walk) closeOrDup(fd int) {
	if w.rand.IntN(3) == 0 {
		_, _ = w.Dup(fd)
	} else {
		w.Close(fd)
	}
}

// callSocket makes a call that only a socket has.
func (w *walk) callSocket(fd int) {
	switch w.rand.IntN(9) {
	case 0:
		w.Connect(fd, server)
	case 1, 2, 3:
		_, _, _ = w.Accept(fd)
	case 4:
		w.Bind(fd, server)
		w.Listen(fd, w.rand.IntN(3))
	case 5:
		w.Shutdown(fd, w.rand.IntN(3))
	case 6:
		w.SetOption(fd, unix.SOL_SOCKET, unix.SO_LINGER, 0)
	default:
		_, _ = w.Send(fd, w.space[:w.size()], [...]int{unix.MSG_MORE, unix.MSG_OOB, 0}[w.rand.IntN(3)], Address{})
	}
}

// splice moves bytes that are not in order, so the pipes are not checked from then on.
func (w *walk) splice(from, to int) {
	for _, fd := range []int{from, to} {
		if fd < len(w.files) {
			delete(w.pipes, pipeOf(w.files[fd]))
		}
	}
	_, _ = w.Splice(from, to, w.size())
}

// next returns the next bytes to write to a pipe and to read from it. nil: the descriptor is not of a
// pipe that is checked.
func (w *walk) next(fd int) *[2]byte {
	if fd < len(w.files) {
		return w.pipes[pipeOf(w.files[fd])]
	}
	return nil
}

// size returns a number of bytes: small, about a page, or many.
func (w *walk) size() int {
	return [...]int{w.rand.IntN(20), 8, pageSize - 2 + w.rand.IntN(5), w.rand.IntN(len(w.space))}[w.rand.IntN(4)]
}

func (w *walk) write(fd int) {
	next := w.next(fd)
	if next == nil {
		next = new([2]byte)
	}
	b := w.space[:w.size()]
	for i := range b {
		b[i] = next[0] + byte(i)
	}
	n, _ := w.Write(fd, b)
	next[0] += byte(max(n, 0))
}

func (w *walk) read(fd int) {
	b := w.space[:w.size()]
	n, _ := w.Read(fd, b)
	next := w.next(fd)
	for i := 0; i < n && next != nil; i++ {
		if b[i] != next[1] {
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
