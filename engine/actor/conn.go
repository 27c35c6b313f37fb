package actor

import (
	"errors"
	"io"
	"os"
	"strconv"
	"time"

	"golang.org/x/sys/unix"

	"sluice/engine/kernel"
)

// socket is a descriptor on which actors wait.
type socket struct {
	cast     *Cast
	process  *kernel.Process
	fd       int
	unix     bool // a UNIX socket; false: TCP
	closed   bool
	deadline time.Duration // on the clock of the kernel; 0: none
}

// The events that end a wait.
const (
	readable = unix.EPOLLIN | unix.EPOLLRDHUP | unix.EPOLLHUP | unix.EPOLLERR
	writable = unix.EPOLLOUT | unix.EPOLLHUP | unix.EPOLLERR
)

// has reports whether one of the events is present. It also returns true for a closed or overdue
// socket, where no event can come.
func (s *socket) has(events uint32) bool {
	return s.closed || s.overdue() || s.process.Poll(s.fd)&events != 0
}

func (s *socket) overdue() bool { return s.deadline > 0 && s.cast.Kernel.Now() >= s.deadline }

// await makes the running actor wait for one of the events. It returns os.ErrClosed if the socket
// is closed, and os.ErrDeadlineExceeded if it is overdue.
func (s *socket) await(what string, events uint32) error {
	if !s.closed && !s.overdue() {
		s.cast.running.block(wait{what: what, socket: s, events: events})
	}
	switch {
	case s.closed:
		return os.ErrClosed
	case s.overdue():
		return os.ErrDeadlineExceeded
	}
	return nil
}

// again is called after a call that failed with e. It returns nil if the caller must repeat the
// call: after EINTR at once, after EAGAIN when one of the events is present. Otherwise it returns
// the error.
func (s *socket) again(e kernel.Errno, what string, events uint32) error {
	switch e {
	case unix.EINTR:
		return nil
	case unix.EAGAIN:
		return s.await(what, events)
	}
	return e
}

// Deadline sets a time on the clock of the kernel. From then on, calls that would wait fail with
// [os.ErrDeadlineExceeded]. 0: no deadline.
func (s *socket) Deadline(at time.Duration) {
	s.deadline = at
	if at > 0 {
		s.cast.Kernel.After(at-s.cast.Kernel.Now(), func() {}) // a timer, so that the clock does not skip this time
	}
}

// Fd returns the descriptor.
func (s *socket) Fd() int { return s.fd }

// Local returns the address of this end.
func (s *socket) Local() kernel.Address {
	a, _ := s.process.Local(s.fd)
	return a
}

// Close closes the descriptor. Coroutines that wait for it get [os.ErrClosed].
func (s *socket) Close() error {
	if s.closed {
		return os.ErrClosed
	}
	s.cast.logf("closes")
	s.closed = true
	return failure(s.process.Close(s.fd))
}

// refused traces a call that failed. It traces nothing if this side has closed the socket, because
// the failure is a consequence of that.
func (s *socket) refused(what string, err error) {
	if !s.closed {
		s.cast.logf("%s %v", what, err)
	}
}

// failure returns e as an error; nil for 0.
func failure(e kernel.Errno) error {
	if e != 0 {
		return e
	}
	return nil
}

// logf writes a line about the running actor to the trace.
func (c *Cast) logf(format string, args ...any) {
	if c.Trace != nil && c.running != nil {
		c.running.Logf(format, args...)
	}
}

// Conn is a connection. Its methods wait instead of returning EAGAIN. Errors are those of the
// kernel (a [kernel.Errno]), [io.EOF] for FIN, [os.ErrClosed] and [os.ErrDeadlineExceeded].
// Several coroutines of one process may use a Conn.
type Conn struct {
	socket
	urged bool // see urge
}

// Dial connects to an address, from the local address From, and waits until the connection is
// established.
func (a *Actor) Dial(to kernel.Address) (*Conn, error) {
	return a.DialFrom(a.From, to)
}

// DialFrom connects to an address, from the local address from, and waits until the connection is
// established. The zero Address means any local address.
func (a *Actor) DialFrom(from, to kernel.Address) (*Conn, error) {
	fd, e := a.Process.Socket(family(to))
	if e != 0 {
		return nil, e
	}
	if from != (kernel.Address{}) {
		e = a.Process.Bind(fd, from)
	}
	c := a.conn(fd, to.IsUnix())
	a.Logf("connects to %v", to)
	err := failure(e)
	if err == nil {
		_, err = c.connect(a, to)
	}
	if err != nil {
		a.Logf("cannot connect: %v", err)
		a.Process.Close(fd)
		return nil, err
	}
	return c, nil
}

func (a *Actor) conn(fd int, unix bool) *Conn {
	return &Conn{socket: socket{cast: a.Cast, process: a.Process, fd: fd, unix: unix}}
}

// family returns the address family of a.
func family(a kernel.Address) int {
	switch {
	case a.IsUnix():
		return unix.AF_UNIX
	case a.IP.Addr().Is4():
		return unix.AF_INET
	}
	return unix.AF_INET6
}

// A client whose server has a full backlog tries again, at most backlogTries times. A TCP client
// tries again when its connection has timed out. A UNIX client pauses before each new try; the
// pause doubles from backlogPause to mostBacklogPause.
const (
	backlogPause     = time.Millisecond
	mostBacklogPause = time.Second
	backlogTries     = 2000
)

// connect connects the new socket. again means that a first connection has timed out.
func (c *Conn) connect(a *Actor, to kernel.Address) (again bool, err error) {
	pause := backlogPause
	for range backlogTries {
		switch e := c.process.Connect(c.fd, to); e {
		case 0, unix.EISCONN:
			return again, nil
		case unix.EINTR, unix.EINPROGRESS, unix.EALREADY:
			if err := c.await("connects", writable); err != nil {
				return again, err
			}
		case unix.ETIMEDOUT:
			again = true
		case unix.EAGAIN:
			a.Pause(pause)
			pause = min(2*pause, mostBacklogPause)
		default:
			return again, e
		}
	}
	return again, unix.EAGAIN
}

// DialWith connects like Dial, but with TCP Fast Open: the SYN carries bytes of b if the client
// knows the server's cookie. The result sent is the number of bytes that need not be sent again.
// With an error, the server may have received them.
func (a *Actor) DialWith(to kernel.Address, b []byte) (c *Conn, sent int, err error) {
	fd, e := a.Process.Socket(family(to))
	if e != 0 {
		return nil, 0, e
	}
	c = a.conn(fd, false)
	if a.From != (kernel.Address{}) {
		e = a.Process.Bind(fd, a.From)
	}
	if e == 0 {
		sent, e = a.Process.Send(fd, b, unix.MSG_FASTOPEN, to)
	}
	sent = max(sent, 0)
	a.Logf("connects to %v with %d bytes", to, sent)
	lost := false
	if err = failure(e); e == 0 || e == unix.EINPROGRESS || e == unix.EOPNOTSUPP {
		lost, err = c.connect(a, to)
	}
	if err != nil {
		a.Logf("cannot connect: %v", err)
		a.Process.Close(fd)
		return nil, sent, err
	}
	if lost {
		sent = 0
	}
	return c, sent, nil
}

// Peer returns the address of the other end.
func (c *Conn) Peer() kernel.Address {
	a, _ := c.process.Peer(c.fd)
	return a
}

// Read waits for bytes and reads the available ones, at most len(b) bytes. [io.EOF] means FIN.
func (c *Conn) Read(b []byte) (int, error) {
	for !c.closed {
		n, e := c.process.Recv(c.fd, b, 0)
		if e == 0 {
			return c.got(b, n)
		}
		if err := c.again(e, "reads", readable); err != nil {
			c.refused("gets", err)
			return 0, err
		}
	}
	return 0, os.ErrClosed
}

// got returns the result of a read that succeeded: io.EOF for 0 bytes.
func (c *Conn) got(b []byte, n int) (int, error) {
	if n == 0 && len(b) > 0 {
		c.cast.logf("gets FIN")
		return 0, io.EOF
	}
	if c.cast.Trace != nil {
		c.cast.logf("reads %d bytes%s", n, excerpt(b[:n]))
	}
	return n, nil
}

// Write writes all bytes. After an error it returns the number of bytes that were written.
func (c *Conn) Write(b []byte) (int, error) {
	written := 0
	for {
		n, err := c.Some(b[written:])
		written += n
		if err != nil || written == len(b) {
			return written, err
		}
	}
}

// Some waits until the socket takes bytes. It writes as many of b as the socket takes, and returns
// their number.
func (c *Conn) Some(b []byte) (int, error) { return c.send(b, 0) }

func (c *Conn) send(b []byte, flags int) (int, error) {
	for !c.closed {
		n, e := c.offer(b, flags)
		if e == 0 {
			return n, nil
		}
		if err := c.again(e, "sends", writable); err != nil {
			c.refused("cannot send:", err)
			return 0, err
		}
	}
	return 0, os.ErrClosed
}

// offer sends as many bytes as the socket takes now, without waiting.
func (c *Conn) offer(b []byte, flags int) (int, kernel.Errno) {
	n, e := c.process.Send(c.fd, b, flags, kernel.Address{})
	if e != 0 {
		return 0, e
	}
	if c.cast.Trace != nil {
		c.cast.logf("sends %d bytes%s", n, excerpt(b[:n]))
	}
	return n, 0
}

// Urgent sends one byte of urgent data.
func (c *Conn) Urgent(b byte) error {
	c.cast.logf("sends an urgent byte")
	_, err := c.send([]byte{b}, unix.MSG_OOB)
	return err
}

// urge sends an urgent byte, at most one on a connection: a second one would make the first one an
// ordinary byte of the stream. UNIX sockets may refuse it, which is no error. The only error is a
// reset, because the socket reports it once.
func (c *Conn) urge() error {
	if c.urged {
		return nil
	}
	c.urged = true
	if err := c.Urgent('!'); errors.Is(err, unix.ECONNRESET) {
		return err
	}
	return nil
}

// CloseWrite sends FIN after the bytes that were written.
func (c *Conn) CloseWrite() error {
	if c.closed {
		return os.ErrClosed
	}
	c.cast.logf("sends FIN")
	return failure(c.process.Shutdown(c.fd, unix.SHUT_WR))
}

// Reset sends RST and closes the descriptor. Bytes that were not delivered are lost. UNIX sockets
// have no RST: there, Reset is Close.
func (c *Conn) Reset() error {
	if c.closed {
		return os.ErrClosed
	}
	c.cast.logf("resets")
	if e := c.process.SetOption(c.fd, unix.SOL_SOCKET, unix.SO_LINGER, 0); e != 0 {
		return e
	}
	c.closed = true
	return failure(c.process.Close(c.fd))
}

// excerpt returns the start of a message for the trace, if it is text: ": GET / HTTP/1.1...".
func excerpt(b []byte) string {
	const most = 32
	n := 0
	for n < len(b) && n < most && b[n] >= ' ' && b[n] < 0x7f {
		n++
	}
	switch {
	case n == 0:
		return ""
	case n == len(b):
		return ": " + string(b)
	case n == most || b[n] == '\r' || b[n] == '\n':
		return ": " + string(b[:n]) + "..."
	}
	return ", first " + strconv.Quote(string(b[:min(n, 8)]))
}
