package engine

import (
	"errors"
	"os"
	"reflect"

	"github.com/panjf2000/gnet/v2/pkg/netpoll"
	"github.com/panjf2000/gnet/v2/pkg/queue"
	"golang.org/x/sys/unix"
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
}

// token names a session's socket: negative, so that it is no descriptor, with
// the session's number, the side, and a turn that is counted up whenever this
// place gets another socket.
type token int32

const (
	turnShift  = 23
	maxSession = 1<<(turnShift-1) - 1
	mostEvents = 256 // of one batch
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

// wait hands events to handle and runs tasks, until one of them returns an
// error.
func (p *poller) wait(handle netpoll.PollEventHandler) error {
	events := make([]unix.EpollEvent, mostEvents)
	for {
		n, err := unix.EpollWait(p.epoll, events, -1)
		if err != nil && !errors.Is(err, unix.EINTR) {
			return os.NewSyscallError("epoll_wait", err)
		}
		for i := range max(n, 0) {
			if err := p.dispatch(&events[i], handle); err != nil {
				return err
			}
		}
	}
}

func (p *poller) dispatch(ev *unix.EpollEvent, handle netpoll.PollEventHandler) error {
	if int(ev.Fd) != p.bell {
		return handle(int(ev.Fd), ev.Events, 0)
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

const sessionEvents = unix.EPOLLIN | unix.EPOLLPRI | unix.EPOLLOUT | unix.EPOLLRDHUP | unix.EPOLLET

// watch registers a session's socket for everything, edge-triggered.
func (p *poller) watch(fd int, t token) error {
	return p.control(unix.EPOLL_CTL_ADD, fd, t)
}

// again makes the poller report a session's socket anew if it is ready.
func (p *poller) again(fd int, t token) error {
	return p.control(unix.EPOLL_CTL_MOD, fd, t)
}

func (p *poller) control(op, fd int, t token) error {
	return unix.EpollCtl(p.epoll, op, fd, &unix.EpollEvent{Fd: int32(t), Events: sessionEvents})
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
