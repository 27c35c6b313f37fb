package engine

import (
	"errors"
	"os"
	"reflect"
	"time"

	"github.com/panjf2000/gnet/v2/pkg/netpoll"
	"github.com/panjf2000/gnet/v2/pkg/queue"
	"golang.org/x/sys/unix"

	"sluice/engine/sock"
)

// poller is gnet's, with two things changed.
//
// gnet registers a socket under its descriptor, so the event of a socket that
// was closed earlier in the same batch reaches whoever got the same descriptor
// since: seen as ERR and HUP on healthy new connections. Sessions' sockets are
// therefore registered under a token, which stands in the event in the
// descriptor's place.
//
// gnet's Polling asks for events without waiting after each batch, yields, and
// asks again. With a processor to spare the yield hands the loop to another
// thread, and without one the runtime's monitor takes the loop's processor away
// every 20 microseconds. Waiting at once costs neither (see ARCHITECTURE.md).
type poller struct {
	*netpoll.Poller
	epoll int
	bell  int // eventfd: there are tasks
	tasks queue.AsyncTaskQueue
	spare bool // there are more processors than loops
	naps  int  // short waits in a row
}

// token names a session's socket: negative, so that it is no descriptor, with
// the session's number, the side, and a turn that is counted up whenever this
// place gets another socket.
type token int32

const (
	turnShift  = 23
	maxSession = 1<<(turnShift-1) - 1
	mostEvents = 256 // of one batch
	fewEvents  = 16  // are handled within a millisecond or two

	forEver = -1
)

// A loop is busy after many short waits in a row, until a wait is not short.
const (
	manyNaps = 32
	drowsy   = 5 * time.Millisecond
)

var errNoEpoll = errors.New("gnet's poller has no epoll descriptor in its field fd any more")

func openPoller() (poller, error) {
	p, err := netpoll.OpenPoller()
	if err != nil {
		return poller{}, err
	}
	field := reflect.ValueOf(p).Elem().FieldByName("fd")
	if !field.IsValid() || !field.CanInt() {
		_ = p.Close()
		return poller{}, errNoEpoll
	}
	bell, err := unix.Eventfd(0, unix.EFD_NONBLOCK|unix.EFD_CLOEXEC)
	if err != nil {
		_ = p.Close()
		return poller{}, os.NewSyscallError("eventfd", err)
	}
	made := poller{Poller: p, epoll: int(field.Int()), bell: bell, tasks: queue.NewLockFreeQueue()}
	return made, made.rings(bell)
}

func (p *poller) close() {
	_ = unix.Close(p.bell)
	_ = p.Close()
}

// worker is who waits.
type worker interface {
	// tick is called first, and whenever time may have passed.
	tick()
	// event is called for each event. who is a session's token, or the
	// descriptor of what is not a session's.
	event(who int32, events uint32) error
	// takeTurns is called after a batch of events. It reports whether there is more
	// to do, so that there is no time to sleep.
	takeTurns() (more bool, err error)
}

// wait hands out events and runs tasks, until one of them returns an error.
func (p *poller) wait(w worker) error {
	events := make([]unix.EpollEvent, mostEvents)
	more := false
	for {
		n, err := p.next(events, more)
		if err != nil {
			return os.NewSyscallError("epoll_wait", err)
		}
		for i := range n {
			if i%fewEvents == 0 {
				w.tick()
			}
			if err := p.dispatch(&events[i], w); err != nil {
				return err
			}
		}
		if more, err = w.takeTurns(); err != nil {
			return err
		}
	}
}

// next waits for events, or only asks for them if there is more to do.
//
// A busy loop waits unknown to the Go runtime first, and only when nothing
// came for a while in a way that lets the runtime give the loop's processor
// away. Else its monitor, which watches goroutines in system calls every 20
// microseconds for as long as that has led to anything, takes a twentieth of
// the CPU time (see ARCHITECTURE.md). The runtime can still stop the loop: its
// signal ends the wait. Without a processor to spare, others would have to wait
// for the loop's.
func (p *poller) next(events []unix.EpollEvent, more bool) (int, error) {
	switch {
	case more:
		return woken(sock.EpollWait(p.epoll, events, 0))
	case p.spare && p.naps >= manyNaps:
		n, e := sock.EpollWait(p.epoll, events, int(drowsy.Milliseconds()))
		if n > 0 || e != 0 {
			return woken(n, e)
		}
		p.naps = 0
	}
	asleep := time.Now()
	n, err := unix.EpollWait(p.epoll, events, forEver)
	if p.naps++; time.Since(asleep) >= drowsy {
		p.naps = 0
	}
	if errors.Is(err, unix.EINTR) {
		return 0, nil
	}
	return n, err
}

// woken takes a signal for no events.
func woken(n int, e sock.Errno) (int, error) {
	switch e {
	case 0:
		return n, nil
	case unix.EINTR:
		return 0, nil
	}
	return 0, e
}

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

// tell has the waiting goroutine run do. It may be called from any goroutine
// until close.
func (p *poller) tell(do func() error) {
	p.tasks.Enqueue(&queue.Task{Exec: func(any) error { return do() }})
	one := [8]byte{1}
	_, _ = unix.Write(p.bell, one[:])
}

func tokenOf(id int32, which side, turn uint8) token {
	return token(-1<<31 | int32(turn)<<turnShift | id<<1 | int32(which))
}

func (t token) session() int32 { return int32(t) & (1<<turnShift - 1) >> 1 }
func (t token) side() side     { return side(t & 1) }
func (t token) turn() uint8    { return uint8(uint32(t) << 1 >> 1 >> turnShift) }

// interest is what a session's socket is registered for, edge-triggered.
type interest uint32

const (
	incoming interest = unix.EPOLLIN | unix.EPOLLPRI | unix.EPOLLRDHUP | unix.EPOLLET
	// writable is added for a socket that can't be written to: one that can would
	// be reported for it at once, which is one event more for each.
	writable interest = unix.EPOLLOUT
)

// watch registers a session's socket.
func (p *poller) watch(fd int, t token, what interest) error {
	return p.control(unix.EPOLL_CTL_ADD, fd, t, what)
}

// rewatch changes what a session's socket is registered for. If it is ready for
// that, it is reported. It needs no memory and can't fail.
func (p *poller) rewatch(fd int, t token, what interest) {
	_ = p.control(unix.EPOLL_CTL_MOD, fd, t, what)
}

func (p *poller) control(op, fd int, t token, what interest) error {
	return unix.EpollCtl(p.epoll, op, fd, &unix.EpollEvent{Fd: int32(t), Events: uint32(what)})
}

// accepts registers a listening socket. It is level-triggered, so that no
// accept call has to find out that nobody is left.
func (p *poller) accepts(fd int) error {
	return p.AddRead(&netpoll.PollAttachment{FD: fd}, false)
}

// rings registers a timer.
func (p *poller) rings(fd int) error {
	return p.AddRead(&netpoll.PollAttachment{FD: fd}, true)
}
