package reactor

import (
	"golang.org/x/sys/unix"

	"sluice/engine/sock"
)

// Interest is the set of epoll events that a session's socket is registered for.
type Interest uint32

const (
	// Incoming is used for every socket. It is edge-triggered.
	Incoming Interest = unix.EPOLLIN | unix.EPOLLPRI | unix.EPOLLRDHUP | unix.EPOLLET
	// Writable is added for a socket that is full. If it were added for other sockets, they would
	// be reported at once, which is a needless event.
	Writable Interest = unix.EPOLLOUT
)

// Watch registers a session's socket under its token. It fails if the kernel has no memory for
// that.
func (r *Reactor) Watch(fd int, t Token, what Interest) error {
	return r.control(unix.EPOLL_CTL_ADD, fd, t.owner(), uint32(what))
}

// Rewatch changes the events that a registered socket of a session is registered for. An event that
// is present already is reported. The call needs no memory and cannot fail.
func (r *Reactor) Rewatch(fd int, t Token, what Interest) {
	_ = r.control(unix.EPOLL_CTL_MOD, fd, t.owner(), uint32(what))
}

// WatchListener registers a listening socket under its index, from 0. The registration is
// level-triggered, so a loop may stop to accept before the queue is empty. It needs no last call
// that returns EAGAIN. WatchListener fails if the kernel has no memory for the registration.
func (r *Reactor) WatchListener(fd, index int) error {
	return r.control(unix.EPOLL_CTL_ADD, fd, listener.owner(uint32(index)), unix.EPOLLIN)
}

// MoveListener changes the index of a registered listening socket. Clients that wait already are
// reported again. The current batch may still contain an event with the former index. The call needs
// no memory and cannot fail.
func (r *Reactor) MoveListener(fd, index int) {
	_ = r.control(unix.EPOLL_CTL_MOD, fd, listener.owner(uint32(index)), unix.EPOLLIN)
}

// ForgetListener removes the registration of a listening socket.
func (r *Reactor) ForgetListener(fd int) {
	_ = sock.EpollControl(r.epoll, unix.EPOLL_CTL_DEL, fd, nil)
}

// rings registers the timerfd or the eventfd of the Reactor. The registration is edge-triggered, so
// the descriptor need not be read.
func (r *Reactor) rings(fd int, k kind) error {
	return r.control(unix.EPOLL_CTL_ADD, fd, k.owner(0), unix.EPOLLIN|unix.EPOLLET)
}

func (r *Reactor) control(op, fd int, o owner, events uint32) error {
	ev := o.event(events)
	if e := sock.EpollControl(r.epoll, op, fd, &ev); e != 0 {
		return e
	}
	return nil
}
