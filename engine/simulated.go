//go:build simulation

package engine

import (
	"io"
	"os"

	"sluice/engine/sock"
)

// modelled is the descriptor of a poller's epoll instance on the model of the kernel.
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

// start makes the loop accept connections. In builds without the tag simulation, run does this.
func (l *loop) start() { l.resumeAll() }

// step handles the events that are present, without waiting. worked is false if there was nothing
// to do. over means that the loop has ended, with err if that is not nil.
func (l *loop) step() (worked, over bool, err error) {
	n, e := woken(sock.EpollWait(l.poller.epoll, l.poller.events, 0))
	if e != 0 {
		return false, true, l.finished(os.NewSyscallError("epoll_wait", e))
	}
	worked = n > 0 || l.poller.more
	if err := l.poller.step(n, l); err != nil {
		return worked, true, l.finished(err)
	}
	return worked, false, nil
}
