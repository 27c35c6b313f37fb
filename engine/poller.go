package engine

import (
	"errors"
	"reflect"

	"github.com/panjf2000/gnet/v2/pkg/netpoll"
	"golang.org/x/sys/unix"
)

// poller is gnet's, with one thing added. gnet registers a socket under its
// descriptor, so the event of a socket that was closed earlier in the same
// batch reaches whoever got the same descriptor since: seen as ERR and HUP on
// healthy new connections. Sessions' sockets are therefore registered under a
// token, which the poller hands to its callback in the descriptor's place.
type poller struct {
	*netpoll.Poller
	epoll int
}

// token names a session's socket: negative, so that it is no descriptor, with
// the session's number, the side, and a turn that is counted up whenever this
// place gets another socket.
type token int32

const (
	turnShift  = 23
	maxSession = 1<<(turnShift-1) - 1
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
	return poller{Poller: p, epoll: int(field.Int())}, nil
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
