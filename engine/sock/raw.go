package sock

import (
	"os"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Errno is the error of a raw call; zero is success.
type Errno = unix.Errno

// Read reads what is there. 0 without an error is the end of the stream.
func Read(fd int, b []byte) (int, Errno) {
	return transfer(unix.SYS_READ, fd, b, 0)
}

// Peek reads what is there and leaves it in the socket.
func Peek(fd int, b []byte) (int, Errno) {
	return transfer(unix.SYS_RECVFROM, fd, b, unix.MSG_PEEK)
}

// Write sends as much of b as the socket takes. A peer that is gone gives
// EPIPE and raises no signal.
func Write(fd int, b []byte) (int, Errno) {
	return transfer(unix.SYS_SENDTO, fd, b, unix.MSG_NOSIGNAL)
}

// WriteLast is Write for bytes that a FIN is to follow at once: the kernel keeps
// the last of them back until the FIN is there, and sends both in one segment.
func WriteLast(fd int, b []byte) (int, Errno) {
	return transfer(unix.SYS_SENDTO, fd, b, unix.MSG_NOSIGNAL|unix.MSG_MORE)
}

// Splice moves up to n bytes between a socket and a pipe inside the kernel.
func Splice(from, to, n int) (int, Errno) {
	for {
		moved, e := result(unix.RawSyscall6(unix.SYS_SPLICE, uintptr(from), 0, uintptr(to), 0,
			uintptr(n), unix.SPLICE_F_NONBLOCK|unix.SPLICE_F_MOVE))
		if e != unix.EINTR {
			return moved, e
		}
	}
}

// Accept takes one connection off the queue, non-blocking and close-on-exec,
// and stores the peer's address.
func Accept(fd int, peer *Addr) (int, Errno) {
	peer.len = uint32(unsafe.Sizeof(peer.raw))
	return result(unix.RawSyscall6(unix.SYS_ACCEPT4, uintptr(fd), uintptr(unsafe.Pointer(&peer.raw)),
		uintptr(unsafe.Pointer(&peer.len)), unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0, 0))
}

// EpollWait waits for events, ms milliseconds at most. The Go runtime does not
// know that it waits, so ms is to be small.
func EpollWait(epoll int, events []unix.EpollEvent, ms int) (int, Errno) {
	return result(unix.RawSyscall6(unix.SYS_EPOLL_PWAIT, uintptr(epoll), uintptr(unsafe.Pointer(unsafe.SliceData(events))),
		uintptr(len(events)), uintptr(ms), 0, 0))
}

// Stream opens a non-blocking stream socket of the address's family.
func Stream(to *Addr) (int, Errno) {
	return result(unix.RawSyscall(unix.SYS_SOCKET, uintptr(to.raw.Addr.Family),
		unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0))
}

// Connect starts a connection, or asks how one that was started is doing:
// EINPROGRESS and EALREADY say that it is under way, EISCONN that it stands.
func Connect(fd int, to *Addr) Errno {
	for {
		_, _, e := unix.RawSyscall(unix.SYS_CONNECT, uintptr(fd), uintptr(unsafe.Pointer(&to.raw)), uintptr(to.len))
		if e != unix.EINTR {
			return e
		}
	}
}

// ConnectWith starts a connection and hands the kernel its first bytes, which
// leave with the SYN (TCP Fast Open). It returns how many were taken; the kernel
// drops them if the connection fails. EINPROGRESS: none, the server's cookie is
// not known yet. EOPNOTSUPP: nothing was started.
func ConnectWith(fd int, to *Addr, b []byte) (int, Errno) {
	for {
		n, e := result(unix.RawSyscall6(unix.SYS_SENDTO, uintptr(fd), uintptr(unsafe.Pointer(unsafe.SliceData(b))), uintptr(len(b)),
			unix.MSG_FASTOPEN|unix.MSG_NOSIGNAL, uintptr(unsafe.Pointer(&to.raw)), uintptr(to.len)))
		if e != unix.EINTR {
			return n, e
		}
	}
}

// Local stores the socket's own address.
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

// ShutdownWrite sends FIN after what is queued.
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

// Reset closes fd with RST, and throws away what it has not sent yet.
func Reset(fd int) {
	linger := unix.Linger{Onoff: 1, Linger: 0}
	setsockopt(fd, unix.SOL_SOCKET, unix.SO_LINGER, unsafe.Pointer(&linger), unsafe.Sizeof(linger))
	Close(fd)
}

// Unsent tells how many bytes the peer has not acknowledged (SIOCOUTQ).
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

// RoomWhenSent has a TCP socket report room only when nothing is left to be sent:
// its peer has acknowledged everything then, but for what is on its way.
func RoomWhenSent(fd int) {
	one := int32(1)
	setsockopt(fd, unix.IPPROTO_TCP, unix.TCP_NOTSENT_LOWAT, unsafe.Pointer(&one), unsafe.Sizeof(one))
}

// Received tells how many bytes a TCP socket has received from its peer, FIN
// counted as one. It is false for other sockets.
func Received(fd int) (uint64, bool) {
	info, err := unix.GetsockoptTCPInfo(fd, unix.IPPROTO_TCP, unix.TCP_INFO)
	if err != nil {
		return 0, false
	}
	return info.Bytes_received, true
}

// NoDelay turns Nagle's algorithm off.
func NoDelay(fd int) {
	one := int32(1)
	setsockopt(fd, unix.IPPROTO_TCP, unix.TCP_NODELAY, unsafe.Pointer(&one), unsafe.Sizeof(one))
}

// DelayACK has the ACK of what comes next wait for bytes that take it along, up
// to 40 ms.
func DelayACK(fd int) {
	zero := int32(0)
	setsockopt(fd, unix.IPPROTO_TCP, unix.TCP_QUICKACK, unsafe.Pointer(&zero), unsafe.Sizeof(zero))
}

func setsockopt(fd, level, name int, value unsafe.Pointer, size uintptr) {
	_, _, _ = unix.RawSyscall6(unix.SYS_SETSOCKOPT, uintptr(fd), uintptr(level), uintptr(name), uintptr(value), size, 0)
}

// transfer makes a call that moves up to len(b) bytes, again if a signal
// interrupts it: no event would tell that it can be made.
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
