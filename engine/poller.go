package engine

import (
	"io"
	"os"
	"time"

	"github.com/panjf2000/gnet/v2/pkg/queue"
	"golang.org/x/sys/unix"

	"sluice/engine/sock"
)

// poller is the poller of gnet with two changes.
//
// gnet registers a socket under its descriptor. If a socket is closed within a batch, a new
// socket may get the same descriptor. Later events of that batch for the closed socket then
// reach the new one; ERR and HUP were seen on healthy connections. Therefore the sockets of
// sessions are registered under a token, which replaces the descriptor in the event.
//
// After each batch, gnet's Polling asks for events without waiting, yields, and asks again. If
// a processor is free, the yield moves the loop to another thread. If none is free, the monitor
// of the Go runtime takes the loop's processor away every 20 microseconds. Waiting at once
// avoids both (see ARCHITECTURE.md).
type poller struct {
	epoll  int                  // descriptor of gnet's epoll instance
	gnet   io.Closer            // gnet's poller
	events []unix.EpollEvent    // the current batch
	tick   int                  // events between two looks at the clock
	more   bool                 // takeTurns has reported more to do, so the next wait must not block
	bell   int                  // eventfd that reports new tasks; edge-triggered, never read
	tasks  queue.AsyncTaskQueue // functions that other goroutines gave to tell
	spare  bool                 // there are more processors than loops
	naps   int                  // short waits in a row, see drowsy
}

// token names one socket of a session. It is negative, so that it differs from every
// descriptor. From bit 31 down it contains: 1, the turn (8 bits), the session's number (22
// bits), the side. The turn is incremented whenever that side of the session gets another
// socket.
type token int32

const (
	turnShift  = 23
	maxSession = 1<<(turnShift-1) - 1
)

// A wait shorter than drowsy is short. After manyNaps short waits in a row the loop is busy, until
// a wait is not short.
const (
	manyNaps = 32
	drowsy   = 5 * time.Millisecond
)

// openPoller opens a poller.
func openPoller(s sizes) (poller, error) {
	epoll, gnet, err := openEpoll()
	if err != nil {
		return poller{}, err
	}
	bell, e := sock.Bell()
	if e != 0 {
		_ = gnet.Close()
		return poller{}, os.NewSyscallError("eventfd", e)
	}
	p := poller{
		epoll: epoll, gnet: gnet, bell: bell, tasks: queue.NewLockFreeQueue(),
		events: make([]unix.EpollEvent, s.Events), tick: s.Tick,
	}
	return p, p.rings(bell)
}

// close closes the poller's descriptors.
func (p *poller) close() {
	sock.Close(p.bell)
	_ = p.gnet.Close()
}

// worker handles the events of a poller. wait calls its methods.
type worker interface {
	// tick is called before the first event of a batch, and again after some of them.
	tick()
	// event is called for each event. who is the token of a session's socket, or the descriptor
	// of another file.
	event(who int32, events uint32) error
	// takeTurns is called after each batch. It reports whether there is more to do, so that the
	// next wait must return at once.
	takeTurns() (more bool, err error)
}

// wait passes events to w and runs tasks, until one of them returns an error.
func (p *poller) wait(w worker) error {
	for {
		n, e := p.next()
		if e != 0 {
			return os.NewSyscallError("epoll_wait", e)
		}
		if err := p.step(n, w); err != nil {
			return err
		}
	}
}

// step handles the first n events of the batch, and gives turns. wait repeats it.
func (p *poller) step(n int, w worker) (err error) {
	for i := range n {
		if i%p.tick == 0 {
			w.tick()
		}
		if err := p.dispatch(&p.events[i], w); err != nil {
			return err
		}
	}
	p.more, err = w.takeTurns()
	return err
}

// next waits for events and returns their number. If there is more to do, it does not wait.
//
// A busy loop first waits in a system call that the Go runtime does not know of, for at most
// drowsy. Only if no event comes, it waits as usual and lets the runtime take the loop's
// processor. Otherwise the runtime's monitor would wake every 20 microseconds to watch the
// system calls, which costs a twentieth of the CPU time (see ARCHITECTURE.md). The runtime can
// still stop the loop, because its signal ends the wait. Without a spare processor the loop
// always waits as usual: other goroutines need its processor.
func (p *poller) next() (int, sock.Errno) {
	switch {
	case p.more:
		return woken(sock.EpollWait(p.epoll, p.events, 0))
	case p.spare && p.naps >= manyNaps:
		n, e := sock.EpollWait(p.epoll, p.events, int(drowsy.Milliseconds()))
		if n > 0 || e != 0 {
			return woken(n, e)
		}
		p.naps = 0
	}
	asleep := time.Now()
	n, e := sock.EpollSleep(p.epoll, p.events)
	if p.naps++; time.Since(asleep) >= drowsy {
		p.naps = 0
	}
	return woken(n, e)
}

// woken turns the result of a wait that a signal has ended into one without events.
func woken(n int, e sock.Errno) (int, sock.Errno) {
	if e == unix.EINTR {
		return 0, 0
	}
	return n, e
}

// dispatch runs the tasks if the event is for the bell. It passes other events to w.
func (p *poller) dispatch(ev *unix.EpollEvent, w worker) error {
	if int(ev.Fd) != p.bell {
		return w.event(ev.Fd, ev.Events)
	}
	for task := p.tasks.Dequeue(); task != nil; task = p.tasks.Dequeue() {
		if err := task.Exec(task.Param); err != nil {
			return err
		}
	}
	return nil
}

// tell makes the waiting goroutine run do. It may be called from any goroutine until close.
func (p *poller) tell(do func() error) {
	p.tasks.Enqueue(&queue.Task{Exec: func(any) error { return do() }})
	sock.Ring(p.bell)
}

// tokenOf makes a token. id is at most maxSession.
func tokenOf(id int32, which side, turn uint8) token {
	return token(-1<<31 | int32(turn)<<turnShift | id<<1 | int32(which))
}

func (t token) session() int32 { return int32(t) & (1<<turnShift - 1) >> 1 }
func (t token) side() side     { return side(t & 1) }
func (t token) turn() uint8    { return uint8(uint32(t) << 1 >> 1 >> turnShift) }

// interest is the set of epoll events that a session's socket is registered for.
type interest uint32

const (
	// incoming is used for every socket. It is edge-triggered.
	incoming interest = unix.EPOLLIN | unix.EPOLLPRI | unix.EPOLLRDHUP | unix.EPOLLET
	// writable is added for a socket that is full. A socket that is not full would be reported
	// at once, which is a needless event.
	writable interest = unix.EPOLLOUT
)

// watch registers a session's socket.
func (p *poller) watch(fd int, t token, what interest) error {
	return p.control(unix.EPOLL_CTL_ADD, fd, int32(t), what)
}

// rewatch changes the events that a session's socket is registered for. If one of them is
// present already, it is reported. The call needs no memory and cannot fail.
func (p *poller) rewatch(fd int, t token, what interest) {
	_ = p.control(unix.EPOLL_CTL_MOD, fd, int32(t), what)
}

func (p *poller) control(op, fd int, who int32, what interest) error {
	e := sock.EpollControl(p.epoll, op, fd, &unix.EpollEvent{Fd: who, Events: uint32(what)})
	if e != 0 {
		return e
	}
	return nil
}

// accepts registers a listening socket. It is level-triggered, so accepting may stop before the
// queue is empty, without a call that returns EAGAIN.
func (p *poller) accepts(fd int) error {
	return p.control(unix.EPOLL_CTL_ADD, fd, int32(fd), unix.EPOLLIN)
}

// rings registers a timerfd or eventfd, edge-triggered: it need not be read.
func (p *poller) rings(fd int) error {
	return p.control(unix.EPOLL_CTL_ADD, fd, int32(fd), unix.EPOLLIN|unix.EPOLLET)
}

// forget removes the registration of a listening socket.
func (p *poller) forget(fd int) {
	_ = sock.EpollControl(p.epoll, unix.EPOLL_CTL_DEL, fd, nil)
}
