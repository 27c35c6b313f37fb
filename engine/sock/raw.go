package sock

import "golang.org/x/sys/unix"

// Errno is the error of a raw system call; 0 means success.
type Errno = unix.Errno

// Read reads the bytes that are available, up to len(b). 0 without an error is the end of the
// stream. EAGAIN means that there are no bytes now.
//
// If a signal interrupts the call (EINTR), Read repeats it, because no event would announce that
// the call can be repeated. Most functions of this file do the same.
func Read(fd int, b []byte) (int, Errno) {
	for {
		if n, e := rawRead(fd, b); e != unix.EINTR {
			return n, e
		}
	}
}

// Peek is Read, but the bytes stay in the socket.
func Peek(fd int, b []byte) (int, Errno) {
	for {
		if n, e := rawReceive(fd, b, unix.MSG_PEEK); e != unix.EINTR {
			return n, e
		}
	}
}

// Write sends as many bytes of b as the socket accepts, and returns the number. EAGAIN means
// none. If the peer has closed the connection, Write returns EPIPE and causes no signal.
func Write(fd int, b []byte) (int, Errno) {
	return send(fd, b, unix.MSG_NOSIGNAL)
}

// WriteLast is Write for bytes that a FIN follows at once. The kernel keeps back the last of
// them until the FIN, and sends both in one segment.
func WriteLast(fd int, b []byte) (int, Errno) {
	return send(fd, b, unix.MSG_NOSIGNAL|unix.MSG_MORE)
}

func send(fd int, b []byte, flags int) (int, Errno) {
	for {
		if n, e := rawSend(fd, b, flags, nil); e != unix.EINTR {
			return n, e
		}
	}
}

// Splice moves up to n bytes between a socket and a pipe inside the kernel. It returns the
// number of bytes moved; 0 without an error is the end of the stream.
func Splice(from, to, n int) (int, Errno) {
	for {
		if moved, e := rawSplice(from, to, n); e != unix.EINTR {
			return moved, e
		}
	}
}

// Accept takes one connection from the queue and stores the peer's address in peer. It returns the
// descriptor of the connection, which is non-blocking and close-on-exec. EAGAIN means that the
// queue is empty. Accept does not repeat the call after EINTR.
func Accept(fd int, peer *Addr) (int, Errno) { return rawAccept(fd, peer) }

// Stream opens a non-blocking stream socket of the address family of to.
func Stream(to *Addr) (int, Errno) { return rawSocket(int(to.raw.Addr.Family)) }

// Connect starts a connection, or returns the state of one that was started before. EINPROGRESS and
// EALREADY mean that the connection is not established yet. 0 and EISCONN mean that the connection
// is established.
func Connect(fd int, to *Addr) Errno {
	for {
		if e := rawConnect(fd, to); e != unix.EINTR {
			return e
		}
	}
}

// ConnectWith starts a connection and passes its first bytes to the kernel, which sends them
// with the SYN (TCP Fast Open, RFC 7413). It returns the number of bytes taken. The kernel
// drops them if the connection fails.
//
// EINPROGRESS means that the connection was started and no bytes were taken, because the kernel
// does not have the server's cookie yet. EOPNOTSUPP means that no connection was started.
func ConnectWith(fd int, to *Addr, b []byte) (int, Errno) {
	for {
		if n, e := rawSend(fd, b, unix.MSG_FASTOPEN|unix.MSG_NOSIGNAL, to); e != unix.EINTR {
			return n, e
		}
	}
}

// Local stores the socket's own address in own.
func Local(fd int, own *Addr) Errno { return rawLocal(fd, own) }

// ShutdownWrite sends FIN after the bytes that are queued in the socket.
func ShutdownWrite(fd int) Errno {
	for {
		if e := rawShutdown(fd, unix.SHUT_WR); e != unix.EINTR {
			return e
		}
	}
}

// Close closes fd.
func Close(fd int) { rawClose(fd) }

// Reset closes fd with RST. Bytes that are not sent yet are discarded.
func Reset(fd int) {
	rawAbrupt(fd)
	rawClose(fd)
}

// Unsent returns how many bytes of the send queue the peer has not acknowledged (SIOCOUTQ). An
// error gives 0.
func Unsent(fd int) int {
	for {
		n, e := rawUnsent(fd)
		switch e {
		case 0:
			return n
		case unix.EINTR:
		default:
			return 0
		}
	}
}

// RoomWhenSent lets a TCP socket report that it is writable (EPOLLOUT) only when the kernel has
// sent all bytes written so far. At that time, the peer has acknowledged all bytes except those
// still on the network. It sets TCP_NOTSENT_LOWAT to 1.
func RoomWhenSent(fd int) { _ = rawOption(fd, unix.IPPROTO_TCP, unix.TCP_NOTSENT_LOWAT, 1) }

// Received returns how many bytes a TCP socket has received from its peer. A FIN counts as one
// byte. The second result is false for other sockets.
func Received(fd int) (uint64, bool) {
	received, _, ok := rawInfo(fd)
	return received, ok
}

// Queued returns the number of connections in the accept queue of fd, a listening socket. The second
// result is false if fd is not a TCP socket. A connected TCP socket gives a number of another meaning.
func Queued(fd int) (int, bool) {
	_, queued, ok := rawInfo(fd)
	return queued, ok
}

// Waiting is Queued for listening TCP sockets and UNIX sockets. The second result is false if the
// kernel does not tell the number. For UNIX sockets it can be built without that (CONFIG_UNIX_DIAG),
// and the process can be denied netlink sockets.
func Waiting(fd int) (int, bool) {
	if n, tcp := Queued(fd); tcp {
		return n, true
	}
	return rawUnixQueue(fd)
}

// DelayACK lets the kernel delay the next ACK by up to 40 ms, to send the ACK together with
// data.
func DelayACK(fd int) { setDelayACK(fd, true) }

func setDelayACK(fd int, delay bool) {
	quick := 1
	if delay {
		quick = 0
	}
	_ = rawOption(fd, unix.IPPROTO_TCP, unix.TCP_QUICKACK, quick)
}

// Duplicate returns another descriptor of the same socket, which is close-on-exec.
func Duplicate(fd int) (int, Errno) { return rawDuplicate(fd) }

// CloseOnExec makes the kernel close fd when the process executes another program.
func CloseOnExec(fd int) { rawCloseOnExec(fd) }
