//go:build simulation

package reactor

import (
	"io"
	"os"

	"sluice/engine/sock"
)

// modelled is the descriptor of an epoll instance in the model of the kernel.
type modelled int

// Close closes the epoll instance.
func (m modelled) Close() error {
	sock.Close(int(m))
	return nil
}

func openEpoll() (epoll int, gnet io.Closer, err error) {
	epoll, e := sock.Epoll()
	if e != 0 {
		return -1, nil, os.NewSyscallError("epoll_create", e)
	}
	return epoll, modelled(epoll), nil
}

// Step handles the events that are present, without waiting. worked is false if there was nothing
// to do. After an error, Step must not be called again: the loop has ended.
func (r *Reactor) Step() (worked bool, err error) {
	n, e := woken(sock.EpollWait(r.epoll, r.events, 0))
	if e != 0 {
		return false, os.NewSyscallError("epoll_wait", e)
	}
	worked = n > 0 || r.more
	return worked, r.step(n)
}

// Epoll returns the descriptor of the epoll instance. Only tests call it.
func (r *Reactor) Epoll() int { return r.epoll }

// More reports whether Step has something to do although no event is present: the turns of sockets
// that called Yield again. Only tests call it.
func (r *Reactor) More() bool { return r.more }
