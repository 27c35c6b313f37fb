package sock

import (
	"os"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Errno is the error of a raw system call; 0 means success.
type Errno = unix.Errno

// Read reads the bytes that are available, up to len(b). 0 without an error is the end of the
// stream. EAGAIN means that there are no bytes now.
func Read(fd int, b []byte) (int, Errno) {
	return transfer(unix.SYS_READ, fd, b, 0)
}

// Peek is Read, but leaves the bytes in the socket.
func Peek(fd int, b []byte) (int, Errno) {
	return transfer(unix.SYS_RECVFROM, fd, b, unix.MSG_PEEK)
}

// Write sends as many bytes of b as the socket accepts, and returns the number. EAGAIN means
// none. If the peer has closed the connection, Write returns EPIPE and causes no signal.
func Write(fd int, b []byte) (int, Errno) {
	return transfer(unix.SYS_SENDTO, fd, b, unix.MSG_NOSIGNAL)
}

// WriteLast is Write for bytes that a FIN follows at once. The kernel keeps back the last of
// them until the FIN, and sends both in one segment.
func WriteLast(fd int, b []byte) (int, Errno) {
	return transfer(unix.SYS_SENDTO, fd, b, unix.MSG_NOSIGNAL|unix.MSG_MORE)
}

// Splice moves up to n bytes between a socket and a pipe inside the kernel. It returns the
// number of bytes moved; 0 without an error is the end of the stream.
func Splice(from, to, n int) (int, Errno) {
	for {
		moved, e := result(unix.RawSyscall6(unix.SYS_SPLICE, uintptr(from), 0, uintptr(to), 0,
			uintptr(n), unix.SPLICE_F_NONBLOCK|unix.SPLICE_F_MOVE))
		if e != unix.EINTR {
			return moved, e
		}
	}
}

// Accept takes one connection from the queue and stores the peer's address in peer. It returns
// the descriptor of the connection, which is non-blocking and close-on-exec.
func Accept(fd int, peer *Addr) (int, Errno) {
	peer.len = uint32(unsafe.Sizeof(peer.raw))
	return result(unix.RawSyscall6(unix.SYS_ACCEPT4, uintptr(fd), uintptr(unsafe.Pointer(&peer.raw)),
		uintptr(unsafe.Pointer(&peer.len)), unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0, 0))
}

// EpollWait waits for events, at most ms milliseconds. The Go scheduler does not know that the
// thread is blocked, so ms must be small.
func EpollWait(epoll int, events []unix.EpollEvent, ms int) (int, Errno) {
	return result(unix.RawSyscall6(unix.SYS_EPOLL_PWAIT, uintptr(epoll), uintptr(unsafe.Pointer(unsafe.SliceData(events))),
		uintptr(len(events)), uintptr(ms), 0, 0))
}

// Stream opens a non-blocking stream socket of the address family of to.
func Stream(to *Addr) (int, Errno) {
	return result(unix.RawSyscall(unix.SYS_SOCKET, uintptr(to.raw.Addr.Family),
		unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0))
}

// Connect starts a connection, or returns the state of one that was started before. EINPROGRESS
// and EALREADY mean that connecting is in progress. 0 and EISCONN mean that the connection is
// established.
func Connect(fd int, to *Addr) Errno {
	for {
		_, _, e := unix.RawSyscall(unix.SYS_CONNECT, uintptr(fd), uintptr(unsafe.Pointer(&to.raw)), uintptr(to.len))
		if e != unix.EINTR {
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
		n, e := result(unix.RawSyscall6(unix.SYS_SENDTO, uintptr(fd), uintptr(unsafe.Pointer(unsafe.SliceData(b))), uintptr(len(b)),
			unix.MSG_FASTOPEN|unix.MSG_NOSIGNAL, uintptr(unsafe.Pointer(&to.raw)), uintptr(to.len)))
		if e != unix.EINTR {
			return n, e
		}
	}
}

// Local stores the socket's own address in own.
func Local(fd int, own *Addr) Errno {
	own.len = uint32(unsafe.Sizeof(own.raw))
	_, _, e := unix.RawSyscall(unix.SYS_GETSOCKNAME, uintptr(fd), uintptr(unsafe.Pointer(&own.raw)),
		uintptr(unsafe.Pointer(&own.len)))
	return e
}

func bindRaw(fd int, own *Addr) error {
	_, _, e := unix.RawSyscall(unix.SYS_BIND, uintptr(fd), uintptr(unsafe.Pointer(&own.raw)), uintptr(own.len))
	if e != 0 {
		return os.NewSyscallError("bind", e)
	}
	return nil
}

// ShutdownWrite sends FIN after the bytes that are queued in the socket.
func ShutdownWrite(fd int) Errno {
	for {
		_, _, e := unix.RawSyscall(unix.SYS_SHUTDOWN, uintptr(fd), unix.SHUT_WR, 0)
		if e != unix.EINTR {
			return e
		}
	}
}

// Close closes fd.
func Close(fd int) { _, _, _ = unix.RawSyscall(unix.SYS_CLOSE, uintptr(fd), 0, 0) }

// Reset closes fd with RST. Bytes that are not sent yet are discarded.
func Reset(fd int) {
	linger := unix.Linger{Onoff: 1, Linger: 0}
	setsockopt(fd, unix.SOL_SOCKET, unix.SO_LINGER, unsafe.Pointer(&linger), unsafe.Sizeof(linger))
	Close(fd)
}

// Unsent returns how many bytes of the send queue the peer has not acknowledged (SIOCOUTQ), 0
// on an error.
func Unsent(fd int) int {
	var n int32
	for {
		_, _, e := unix.RawSyscall(unix.SYS_IOCTL, uintptr(fd), unix.SIOCOUTQ, uintptr(unsafe.Pointer(&n)))
		switch e {
		case 0:
			return int(n)
		case unix.EINTR:
		default:
			return 0
		}
	}
}

// RoomWhenSent lets a TCP socket report that it is writable (EPOLLOUT) only when the kernel has
// sent all bytes written so far. At that time, the peer has acknowledged all bytes except those
// still on the network. It sets TCP_NOTSENT_LOWAT to 1.
func RoomWhenSent(fd int) {
	one := int32(1)
	setsockopt(fd, unix.IPPROTO_TCP, unix.TCP_NOTSENT_LOWAT, unsafe.Pointer(&one), unsafe.Sizeof(one))
}

// Received returns how many bytes a TCP socket has received from its peer. A FIN counts as one
// byte. The second result is false for other sockets.
func Received(fd int) (uint64, bool) {
	info, err := unix.GetsockoptTCPInfo(fd, unix.IPPROTO_TCP, unix.TCP_INFO)
	if err != nil {
		return 0, false
	}
	return info.Bytes_received, true
}

// DelayACK lets the kernel delay the next ACK by up to 40 ms, to send the ACK together with
// data.
func DelayACK(fd int) {
	zero := int32(0)
	setsockopt(fd, unix.IPPROTO_TCP, unix.TCP_QUICKACK, unsafe.Pointer(&zero), unsafe.Sizeof(zero))
}

func setsockopt(fd, level, name int, value unsafe.Pointer, size uintptr) {
	_, _, _ = unix.RawSyscall6(unix.SYS_SETSOCKOPT, uintptr(fd), uintptr(level), uintptr(name), uintptr(value), size, 0)
}

// transfer makes a system call that moves up to len(b) bytes. It repeats the call after a
// signal (EINTR), because no event would follow to announce that the call can be repeated.
func transfer(trap uintptr, fd int, b []byte, flags int) (int, Errno) {
	for {
		n, e := result(unix.RawSyscall6(trap, uintptr(fd), uintptr(unsafe.Pointer(unsafe.SliceData(b))), uintptr(len(b)), uintptr(flags), 0, 0))
		if e != unix.EINTR {
			return n, e
		}
	}
}

func result(r, _ uintptr, e Errno) (int, Errno) {
	if e != 0 {
		return -1, e
	}
	return int(r), 0
}
