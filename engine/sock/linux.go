//go:build !simulation

package sock

import (
	"math"
	"os"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// The functions of this file are the system calls of the engine. The file simulated.go replaces
// all of them in a build with the tag simulation. They use RawSyscall where a call cannot block.

func rawRead(fd int, b []byte) (int, Errno) {
	return result(unix.RawSyscall(unix.SYS_READ, uintptr(fd), uintptr(unsafe.Pointer(unsafe.SliceData(b))), uintptr(len(b))))
}

func rawReceive(fd int, b []byte, flags int) (int, Errno) {
	return result(unix.RawSyscall6(unix.SYS_RECVFROM, uintptr(fd), uintptr(unsafe.Pointer(unsafe.SliceData(b))), uintptr(len(b)),
		uintptr(flags), 0, 0))
}

// rawSend sends to the peer of a connected socket if to is nil.
func rawSend(fd int, b []byte, flags int, to *Addr) (int, Errno) {
	if to == nil {
		return result(unix.RawSyscall6(unix.SYS_SENDTO, uintptr(fd), uintptr(unsafe.Pointer(unsafe.SliceData(b))), uintptr(len(b)),
			uintptr(flags), 0, 0))
	}
	return result(unix.RawSyscall6(unix.SYS_SENDTO, uintptr(fd), uintptr(unsafe.Pointer(unsafe.SliceData(b))), uintptr(len(b)),
		uintptr(flags), uintptr(unsafe.Pointer(&to.raw)), uintptr(to.len)))
}

func rawSplice(from, to, n int) (int, Errno) {
	return result(unix.RawSyscall6(unix.SYS_SPLICE, uintptr(from), 0, uintptr(to), 0,
		uintptr(n), unix.SPLICE_F_NONBLOCK|unix.SPLICE_F_MOVE))
}

func rawSocket(family int) (int, Errno) {
	return result(unix.RawSyscall(unix.SYS_SOCKET, uintptr(family), unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0))
}

func rawBind(fd int, own *Addr) Errno {
	_, _, e := unix.RawSyscall(unix.SYS_BIND, uintptr(fd), uintptr(unsafe.Pointer(&own.raw)), uintptr(own.len))
	return e
}

func rawListen(fd, backlog int) Errno {
	_, _, e := unix.RawSyscall(unix.SYS_LISTEN, uintptr(fd), uintptr(backlog), 0)
	return e
}

func rawAccept(fd int, peer *Addr) (int, Errno) {
	peer.len = uint32(unsafe.Sizeof(peer.raw))
	return result(unix.RawSyscall6(unix.SYS_ACCEPT4, uintptr(fd), uintptr(unsafe.Pointer(&peer.raw)),
		uintptr(unsafe.Pointer(&peer.len)), unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0, 0))
}

func rawConnect(fd int, to *Addr) Errno {
	_, _, e := unix.RawSyscall(unix.SYS_CONNECT, uintptr(fd), uintptr(unsafe.Pointer(&to.raw)), uintptr(to.len))
	return e
}

func rawLocal(fd int, own *Addr) Errno {
	own.len = uint32(unsafe.Sizeof(own.raw))
	_, _, e := unix.RawSyscall(unix.SYS_GETSOCKNAME, uintptr(fd), uintptr(unsafe.Pointer(&own.raw)),
		uintptr(unsafe.Pointer(&own.len)))
	return e
}

func rawShutdown(fd, how int) Errno {
	_, _, e := unix.RawSyscall(unix.SYS_SHUTDOWN, uintptr(fd), uintptr(how), 0)
	return e
}

func rawClose(fd int) { _, _, _ = unix.RawSyscall(unix.SYS_CLOSE, uintptr(fd), 0, 0) }

func rawDuplicate(fd int) (int, Errno) {
	return result(unix.RawSyscall(unix.SYS_FCNTL, uintptr(fd), unix.F_DUPFD_CLOEXEC, 0))
}

func rawUnblock(fd int) error { return unix.SetNonblock(fd, true) }

func rawCloseOnExec(fd int) { unix.CloseOnExec(fd) }

func rawUnsent(fd int) (int, Errno) {
	var n int32
	_, _, e := unix.RawSyscall(unix.SYS_IOCTL, uintptr(fd), unix.SIOCOUTQ, uintptr(unsafe.Pointer(&n)))
	return int(n), e
}

func rawOption(fd, level, name, value int) Errno {
	v := int32(value)
	_, _, e := unix.RawSyscall6(unix.SYS_SETSOCKOPT, uintptr(fd), uintptr(level), uintptr(name), uintptr(unsafe.Pointer(&v)), unsafe.Sizeof(v), 0)
	return e
}

// rawDropNew attaches a filter that drops each segment with SYN and without ACK. The kernel gives the
// filter the TCP header.
func rawDropNew(fd int) Errno {
	const flags, syn, ack = 13, 0x02, 0x10 // offset of the flags in the header, and two flags
	drop := [...]unix.SockFilter{
		{Code: unix.BPF_LD | unix.BPF_B | unix.BPF_ABS, K: flags},
		{Code: unix.BPF_ALU | unix.BPF_AND | unix.BPF_K, K: syn | ack},
		{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, Jf: 1, K: syn},
		{Code: unix.BPF_RET | unix.BPF_K, K: 0},
		{Code: unix.BPF_RET | unix.BPF_K, K: math.MaxUint32},
	}
	program := unix.SockFprog{Len: uint16(len(drop)), Filter: &drop[0]}
	_, _, e := unix.RawSyscall6(unix.SYS_SETSOCKOPT, uintptr(fd), unix.SOL_SOCKET, unix.SO_ATTACH_FILTER, uintptr(unsafe.Pointer(&program)), unsafe.Sizeof(program), 0)
	return e
}

// rawInode returns the inode number of an open file; false: fd is not open.
func rawInode(fd int) (uint64, bool) {
	var s unix.Stat_t
	err := unix.Fstat(fd, &s)
	return s.Ino, err == nil
}

func rawIsAt(path string, f File) bool {
	now := FileAt(path)
	return f.info != nil && now.info != nil && os.SameFile(f.info, now.info)
}

func rawUnlink(path string, f File) error {
	if !rawIsAt(path, f) {
		return nil
	}
	return os.Remove(path)
}

// rawAbrupt makes a later close of the socket send RST.
func rawAbrupt(fd int) {
	linger := unix.Linger{Onoff: 1, Linger: 0}
	_, _, _ = unix.RawSyscall6(unix.SYS_SETSOCKOPT, uintptr(fd), unix.SOL_SOCKET, unix.SO_LINGER, uintptr(unsafe.Pointer(&linger)), unsafe.Sizeof(linger), 0)
}

// rawInfo returns two values of TCP_INFO: the bytes that a connected TCP socket has received, and
// the length of a listening socket's accept queue. ok is false for other sockets.
func rawInfo(fd int) (received uint64, queued int, ok bool) {
	info, err := unix.GetsockoptTCPInfo(fd, unix.IPPROTO_TCP, unix.TCP_INFO)
	if err != nil {
		return 0, 0, false
	}
	return info.Bytes_received, int(info.Unacked), true
}

func rawPipe() (r, w int, e Errno) {
	var fds [2]int32
	_, _, e = unix.RawSyscall(unix.SYS_PIPE2, uintptr(unsafe.Pointer(&fds)), unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	return int(fds[0]), int(fds[1]), e
}

func rawPipeSize(fd int) (int, Errno) {
	return result(unix.RawSyscall(unix.SYS_FCNTL, uintptr(fd), unix.F_GETPIPE_SZ, 0))
}

func rawResizePipe(fd, size int) (int, Errno) {
	return result(unix.RawSyscall(unix.SYS_FCNTL, uintptr(fd), unix.F_SETPIPE_SZ, uintptr(size)))
}

func rawControl(epoll, op, fd int, ev *unix.EpollEvent) Errno {
	_, _, e := unix.RawSyscall6(unix.SYS_EPOLL_CTL, uintptr(epoll), uintptr(op), uintptr(fd), uintptr(unsafe.Pointer(ev)), 0, 0)
	return e
}

func rawWait(epoll int, events []unix.EpollEvent, ms int) (int, Errno) {
	return result(unix.RawSyscall6(unix.SYS_EPOLL_PWAIT, uintptr(epoll), uintptr(unsafe.Pointer(unsafe.SliceData(events))),
		uintptr(len(events)), uintptr(ms), 0, 0))
}

// rawSleep uses Syscall, so that the Go scheduler knows that the thread is blocked.
func rawSleep(epoll int, events []unix.EpollEvent) (int, Errno) {
	const forEver = ^uintptr(0)
	return result(unix.Syscall6(unix.SYS_EPOLL_PWAIT, uintptr(epoll), uintptr(unsafe.Pointer(unsafe.SliceData(events))),
		uintptr(len(events)), forEver, 0, 0))
}

func rawBell() (int, Errno) {
	return result(unix.RawSyscall(unix.SYS_EVENTFD2, 0, unix.EFD_NONBLOCK|unix.EFD_CLOEXEC, 0))
}

func rawRing(bell int) {
	one := [8]byte{1}
	_, _ = unix.Write(bell, one[:])
}

func rawTimer() (int, Errno) {
	return result(unix.RawSyscall(unix.SYS_TIMERFD_CREATE, unix.CLOCK_MONOTONIC, unix.TFD_NONBLOCK|unix.TFD_CLOEXEC, 0))
}

func rawSetTimer(fd int, in time.Duration) {
	spec := unix.ItimerSpec{Value: unix.NsecToTimespec(in.Nanoseconds())}
	_ = unix.TimerfdSettime(fd, 0, &spec, nil)
}

func result(r, _ uintptr, e Errno) (int, Errno) {
	if e != 0 {
		return -1, e
	}
	return int(r), 0
}
