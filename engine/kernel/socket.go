package kernel

import "golang.org/x/sys/unix"

// socket is a stream socket of one family. Its methods are the system calls, without faults.
type socket interface {
	file
	reader
	writer
	spliceable
	bind(at Address) Errno
	listen(backlog int) Errno
	accept() (socket, Address, Errno)
	connect(to Address) Errno
	recv(b []byte, flags int) (int, Errno)
	send(b []byte, flags int, to Address) (int, Errno)
	shutdown(how int) Errno
	localName() Address
	peerName() (Address, Errno)
	setOption(level, name, value int) Errno
	unsent() (int, Errno)
	info() (Info, Errno)
	// mayFail reports whether a fault may give the error e to call c in the present state. It also
	// makes the changes of state that come with this failure.
	mayFail(c Call, e Errno) bool
}

// Info is the part of TCP_INFO that the model keeps.
type Info struct {
	// Received is the number of bytes that arrived (tcpi_bytes_received). A FIN counts as one.
	Received uint64
	// Queued is the length of the accept queue (tcpi_unacked of a listening socket).
	Queued uint32
	// Handshaking: the connection is not established yet (tcpi_state is TCP_SYN_SENT or
	// TCP_SYN_RECV). Unsent is 0 then, whatever was sent.
	Handshaking bool
}

// Socket opens a non-blocking stream socket of the family AF_INET, AF_INET6 or AF_UNIX. Another
// family gives EAFNOSUPPORT; EMFILE means that the process has no free descriptor.
func (p *Process) Socket(family int) (int, Errno) {
	switch family {
	case unix.AF_INET, unix.AF_INET6:
		return p.open(CallSocket, p.kernel.newTCP(family == unix.AF_INET6))
	case unix.AF_UNIX:
		return p.open(CallSocket, p.kernel.newUnix())
	}
	return -1, unix.EAFNOSUPPORT
}

// socket returns the socket of a descriptor, unless a fault of the call prevents it.
func (p *Process) socket(c Call, fd int) (socket, Errno) {
	f, e := p.get(c, fd)
	if e != 0 {
		return nil, e
	}
	s, ok := f.(socket)
	if !ok {
		return nil, unix.ENOTSOCK
	}
	if e = p.faultOn(c, s, announced(c)); e != 0 && !s.mayFail(c, e) {
		e = 0
	}
	return s, e
}

// announced returns the events that faultOn announces after a fault of a call.
func announced(c Call) uint32 {
	if c == CallWrite {
		return unix.EPOLLOUT
	}
	return unix.EPOLLIN
}

// Bind gives a socket its own address (bind(2)). Port 0 takes any free port. EADDRINUSE means that
// another socket has the address, or a path exists.
func (p *Process) Bind(fd int, at Address) Errno {
	s, e := p.socket(CallBind, fd)
	if e == 0 {
		e = s.bind(at)
	}
	p.named(CallBind, fd, at, e)
	return e
}

// Listen makes a socket accept connections. On a socket that listens already it changes the backlog.
// The accept queue takes backlog+1 connections, as on Linux.
func (p *Process) Listen(fd, backlog int) Errno {
	s, e := p.socket(CallListen, fd)
	if e == 0 {
		e = s.listen(backlog)
	}
	p.done(CallListen, fd, 0, e)
	return e
}

// Accept takes the oldest connection out of the accept queue. It returns its descriptor and the
// address of the client, which is the zero value for a UNIX socket. The client may have closed or
// reset the connection already. EAGAIN means that the queue is empty.
func (p *Process) Accept(fd int) (int, Address, Errno) {
	conn, from, e := p.accept(fd)
	p.tell(Result{Call: CallAccept, Fd: fd, N: conn, At: from, Errno: e})
	if p.traced() {
		p.trace("%s %d = %s", CallAccept, fd, outcome(conn, e))
	}
	return conn, from, e
}

func (p *Process) accept(fd int) (int, Address, Errno) {
	s, e := p.socket(CallAccept, fd)
	if e != 0 {
		return -1, Address{}, e
	}
	if !p.room(1) {
		return -1, Address{}, unix.EMFILE
	}
	conn, from, e := s.accept()
	if e != 0 {
		return -1, Address{}, e
	}
	child, e := p.install(conn)
	return child, from, e
}

// Connect starts a connection or returns the state of one that was started before (connect(2)).
// For TCP it returns EINPROGRESS first, then EALREADY, once 0, and EISCONN from then on.
// A connection that failed gives ECONNREFUSED or ETIMEDOUT once; ECONNABORTED if another call has
// returned that error already. Then the socket can connect again. For UNIX sockets it returns 0,
// EAGAIN (the accept queue is full), ECONNREFUSED (nobody listens) or ENOENT (there is no such path).
func (p *Process) Connect(fd int, to Address) Errno {
	s, e := p.socket(CallConnect, fd)
	if e == 0 {
		e = s.connect(to)
		p.kernel.settle()
	}
	p.named(CallConnect, fd, to, e)
	return e
}

// Recv reads from a socket (recv(2)). MSG_PEEK leaves the bytes there, MSG_OOB reads the urgent byte.
func (p *Process) Recv(fd int, b []byte, flags int) (int, Errno) {
	c := CallRead
	if flags&unix.MSG_PEEK != 0 {
		c = CallPeek
	}
	s, e := p.socket(c, fd)
	n := -1
	if e == 0 {
		n, e = s.recv(b, flags)
		p.kernel.settle()
	}
	p.report(c, fd, len(b), n, e)
	return n, e
}

// Send writes to a socket (sendto(2)). MSG_MORE keeps the bytes back until more follow. MSG_OOB makes
// the last byte urgent. MSG_FASTOPEN connects to an address and sends bytes with the SYN; EINPROGRESS
// means that it took no bytes, EOPNOTSUPP that FastOpen does not allow it. Without MSG_FASTOPEN the
// address must be zero.
func (p *Process) Send(fd int, b []byte, flags int, to Address) (int, Errno) {
	c := CallWrite
	if flags&unix.MSG_FASTOPEN != 0 {
		c = CallConnect
	}
	s, e := p.socket(c, fd)
	n := -1
	if e == 0 {
		n, e = s.send(b, flags, to)
		p.kernel.settle()
	}
	p.tell(Result{Call: c, Fd: fd, N: n, At: to, Errno: e})
	p.traceMove(CallWrite, fd, len(b), n, e)
	return n, e
}

// Shutdown ends one or both directions of a connection (shutdown(2)): SHUT_RD, SHUT_WR, SHUT_RDWR.
func (p *Process) Shutdown(fd, how int) Errno {
	s, e := p.socket(CallShutdown, fd)
	if e == 0 {
		e = s.shutdown(how)
		p.kernel.settle()
	}
	p.done(CallShutdown, fd, how, e)
	return e
}

// named reports a call with an address to Seen and to the trace, such as "connect 7 127.0.0.1:80 =
// EINPROGRESS".
func (p *Process) named(c Call, fd int, a Address, e Errno) {
	p.tell(Result{Call: c, Fd: fd, At: a, Errno: e})
	if p.traced() {
		p.trace("%s %d %s = %s", c, fd, a, outcome(0, e))
	}
}

// Local returns a socket's own address (getsockname(2)).
func (p *Process) Local(fd int) (Address, Errno) {
	s, e := p.socket(CallName, fd)
	if e != 0 {
		return Address{}, e
	}
	return s.localName(), 0
}

// Peer returns the address of the other end (getpeername(2)), or ENOTCONN.
func (p *Process) Peer(fd int) (Address, Errno) {
	s, e := p.socket(CallName, fd)
	if e != 0 {
		return Address{}, e
	}
	return s.peerName()
}

// SetOption sets an option of a socket (setsockopt(2)): SO_REUSEADDR, SO_REUSEPORT, SO_LINGER (in
// seconds; -1: off), SO_SNDBUF and SO_RCVBUF (in bytes, exactly), SO_OOBINLINE, IPV6_V6ONLY,
// TCP_FASTOPEN and TCP_NOTSENT_LOWAT. On a listening socket, SO_ATTACH_FILTER makes it drop each SYN,
// and SO_BINDTOIFINDEX with any interface takes it out of the choice for a SYN. Other options have no
// effect. UNIX sockets have no options of TCP: EOPNOTSUPP.
func (p *Process) SetOption(fd, level, name, value int) Errno {
	s, e := p.socket(CallOption, fd)
	if e == 0 {
		e = s.setOption(level, name, value)
		p.kernel.settle()
	}
	p.done(CallOption, fd, value, e)
	return e
}

// Unsent returns how many written bytes the peer has not acknowledged (SIOCOUTQ); a FIN counts as
// one. For a UNIX socket it returns the used bytes of the send buffer. EINVAL: a listening TCP
// socket; ENOTTY: another file. The number never decreases after a reset.
func (p *Process) Unsent(fd int) (int, Errno) {
	s, e := p.socket(CallUnsent, fd)
	n := 0
	if e == unix.ENOTSOCK {
		e = unix.ENOTTY
	}
	if e == 0 {
		n, e = s.unsent()
	}
	p.done(CallUnsent, fd, n, e)
	return n, e
}

// Info returns a part of TCP_INFO (getsockopt(2)); EOPNOTSUPP for a UNIX socket.
func (p *Process) Info(fd int) (Info, Errno) {
	s, e := p.socket(CallInfo, fd)
	if e != 0 {
		return Info{}, e
	}
	return s.info()
}
