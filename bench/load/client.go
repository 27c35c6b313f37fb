package load

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"time"

	"golang.org/x/sys/unix"
)

// client is a connection and its current exchange.
type client struct {
	fd       int           // descriptor of the connection; -1: none
	watched  uint32        // events for which the socket is registered with epoll; 0: not registered
	due      time.Duration // when the exchange should begin, counted from thread.start
	exchange *Exchange     // nil: idle
	sent     int           // bytes of the request written so far
	got      int           // bytes of the answer received so far
	timed    bool          // the latency of this exchange was recorded
}

func (c *client) connect(to *unix.SockaddrInet4) error {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("socket: %w", err)
	}
	c.fd, c.watched = fd, 0
	if err := unix.Connect(fd, to); err != nil && !errors.Is(err, unix.EINPROGRESS) {
		return fmt.Errorf("connect: %w", err)
	}
	return nil
}

func (c *client) drop() {
	if c.fd >= 0 {
		unix.Close(c.fd)
	}
	c.fd, c.watched = -1, 0
}

// watch registers the client's socket for the events that it now waits for, edge-triggered. It
// asks for write events only after a short write: otherwise such an event would come at once
// without need.
func (t *thread) watch(at int32) error {
	c := &t.clients[at]
	want := uint32(unix.EPOLLIN | unix.EPOLLRDHUP | unix.EPOLLET)
	if c.sent < len(c.exchange.Request) {
		want |= unix.EPOLLOUT
	}
	if c.watched&want == want {
		return nil
	}
	how := unix.EPOLL_CTL_MOD
	if c.watched == 0 {
		how = unix.EPOLL_CTL_ADD
	}
	c.watched = want
	if err := unix.EpollCtl(t.epoll, how, c.fd, &unix.EpollEvent{Events: want, Fd: at}); err != nil {
		return fmt.Errorf("epoll_ctl: %w", err)
	}
	return nil
}

// send writes as much of the request as the socket accepts. Directly after connect, the write
// also shows whether the connection is established.
func (c *client) send() error {
	for c.sent < len(c.exchange.Request) {
		n, err := unix.Write(c.fd, c.exchange.Request[c.sent:])
		if again(err) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("send: %w", err)
		}
		c.sent += n
	}
	return nil
}

func (c *client) answered() bool { return c.got == len(c.exchange.Answer) }

// receive reads the available bytes. finished is true when the answer is complete and, unless
// the connection is kept, the server has closed the connection after the answer.
func (c *client) receive(buffer []byte, keep bool) (finished bool, err error) {
	for {
		n, err := unix.Read(c.fd, buffer)
		if again(err) {
			return false, nil
		}
		if err != nil {
			return false, fmt.Errorf("receive after %d of %d bytes: %w", c.got, len(c.exchange.Answer), err)
		}
		if n == 0 {
			return c.ended(keep)
		}
		if err := c.compare(buffer[:n]); err != nil {
			return false, err
		}
		if keep && c.answered() {
			return true, nil
		}
	}
}

// ended handles the end of the connection. It is an error if the connection should be kept or
// the answer is incomplete.
func (c *client) ended(keep bool) (finished bool, err error) {
	if keep || !c.answered() {
		return false, fmt.Errorf("%w after %d of %d bytes", io.ErrUnexpectedEOF, c.got, len(c.exchange.Answer))
	}
	return true, nil
}

// compare checks the bytes received against the next bytes of the expected answer.
func (c *client) compare(got []byte) error {
	rest := c.exchange.Answer[c.got:]
	if len(got) > len(rest) || !bytes.Equal(got, rest[:len(got)]) {
		same := 0
		for same < min(len(got), len(rest)) && got[same] == rest[same] {
			same++
		}
		return fmt.Errorf("%w: got %.40q at byte %d of the answer, wanted %.40q", errWrong, got[same:], c.got+same, rest[same:])
	}
	c.got += len(got)
	return nil
}

func again(err error) bool { return errors.Is(err, unix.EAGAIN) || errors.Is(err, unix.EINTR) }
