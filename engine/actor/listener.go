package actor

import (
	"os"
	"time"

	"golang.org/x/sys/unix"

	"sluice/engine/kernel"
)

// Listener is a listening socket.
type Listener struct {
	socket
	Rest time.Duration // pause before each Accept; 0: none
}

// Listen opens a listening socket. The accept queue takes backlog+1 connections. Errors are those
// of the kernel.
func (a *Actor) Listen(at kernel.Address, backlog int) (*Listener, error) {
	fd, e := a.Process.Socket(family(at))
	if e != 0 {
		return nil, e
	}
	e = a.Process.SetOption(fd, unix.SOL_SOCKET, unix.SO_REUSEADDR, 1)
	if e == 0 {
		e = a.Process.Bind(fd, at)
	}
	if e == 0 {
		e = a.Process.Listen(fd, backlog)
	}
	if e != 0 {
		a.Process.Close(fd)
		return nil, e
	}
	a.Logf("listens on %v", at)
	return &Listener{socket: socket{cast: a.Cast, process: a.Process, fd: fd, unix: at.IsUnix()}}, nil
}

// Accept waits for a connection. [os.ErrClosed] means that the listener is closed; other errors are
// those of the kernel.
func (l *Listener) Accept() (*Conn, error) {
	if l.Rest > 0 {
		l.cast.running.Pause(l.Rest)
	}
	for !l.closed {
		fd, _, e := l.process.Accept(l.fd)
		if e == 0 {
			l.cast.logf("accepts")
			return l.cast.running.conn(fd, l.unix), nil
		}
		if err := l.again(e, "accepts", readable); err != nil {
			return nil, err
		}
	}
	return nil, os.ErrClosed
}
