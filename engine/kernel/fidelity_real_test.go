package kernel_test

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"runtime"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"sluice/engine/kernel"
)

// system is the part of a kernel that the comparison uses. [kernel.Process] is one, and real is
// the other.
type system interface {
	Socket(family int) (int, kernel.Errno)
	Bind(fd int, at kernel.Address) kernel.Errno
	Listen(fd, backlog int) kernel.Errno
	Accept(fd int) (int, kernel.Address, kernel.Errno)
	Connect(fd int, to kernel.Address) kernel.Errno
	Read(fd int, b []byte) (int, kernel.Errno)
	Recv(fd int, b []byte, flags int) (int, kernel.Errno)
	Send(fd int, b []byte, flags int, to kernel.Address) (int, kernel.Errno)
	Write(fd int, b []byte) (int, kernel.Errno)
	Shutdown(fd, how int) kernel.Errno
	Close(fd int) kernel.Errno
	Dup(fd int) (int, kernel.Errno)
	Local(fd int) (kernel.Address, kernel.Errno)
	Peer(fd int) (kernel.Address, kernel.Errno)
	SetOption(fd, level, name, value int) kernel.Errno
	Unsent(fd int) (int, kernel.Errno)
	Info(fd int) (kernel.Info, kernel.Errno)
	Epoll() (int, kernel.Errno)
	Control(ep, op, fd int, ev *unix.EpollEvent) kernel.Errno
	Wait(ep int, events []unix.EpollEvent) (int, kernel.Errno)
	Eventfd() (int, kernel.Errno)
	Timerfd() (int, kernel.Errno)
	SetTimer(fd int, in time.Duration) kernel.Errno
	Pipe() (r, w int, e kernel.Errno)
	PipeSize(fd, size int) (int, kernel.Errno)
	Splice(from, to, n int) (int, kernel.Errno)
	Poll(fd int) uint32
}

var (
	_ system = (*kernel.Process)(nil)
	_ system = (*real)(nil)
)

// firstDescriptor is the lowest descriptor that a process of the model gets.
const firstDescriptor = 3

// real makes its calls on the kernel of this machine. Its descriptors are numbered from
// firstDescriptor, as those of the model are.
type real struct {
	base    int  // number of the first descriptor for the kernel
	windows bool // TCP_INFO contains the window of the receiver
}

var errNotIsolated = errors.New("no network of its own")

// newReal returns the real kernel for the calling goroutine, which it locks to its thread. The
// thread gets a table of descriptors of its own, so that no other part of the test opens or closes
// a descriptor in it; with alone, it gets a network of its own, too. The goroutine must end while it is locked: then the runtime ends the thread.
func newReal(alone bool) (*real, error) {
	startNetpoll()
	runtime.LockOSThread()
	if err := unix.Unshare(unix.CLONE_FILES); err != nil {
		return nil, fmt.Errorf("unshare: %w", err)
	}
	if alone {
		if err := isolate(); err != nil {
			return nil, fmt.Errorf("%w: %w", errNotIsolated, err)
		}
	}
	null, err := unix.Open("/dev/null", unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("open /dev/null: %w", err)
	}
	highest, err := highestDescriptor()
	for err == nil && null <= highest { // fills the free numbers below
		null, err = unix.Dup(null)
	}
	if err != nil {
		return nil, err
	}
	return &real{base: null + 1}, nil
}

// isolate gives the thread a network of its own, in which all ports are free, and allows TCP Fast Open
// there. It needs privileges.
func isolate() error {
	if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
		return fmt.Errorf("unshare: %w", err)
	}
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	loopback, err := unix.NewIfreq("lo")
	if err != nil {
		return err
	}
	loopback.SetUint16(unix.IFF_UP)
	if err := unix.IoctlIfreq(fd, unix.SIOCSIFFLAGS, loopback); err != nil {
		return fmt.Errorf("device lo: %w", err)
	}
	return os.WriteFile("/proc/sys/net/ipv4/tcp_fastopen", []byte("3"), 0)
}

// startNetpoll makes the runtime open the descriptors of its network poller. They must exist
// before a thread gets a table of its own, because the runtime uses them on every thread.
func startNetpoll() {
	r, w, err := os.Pipe()
	if err != nil {
		return
	}
	_ = r.Close()
	_ = w.Close()
}

func highestDescriptor() (int, error) {
	entries, err := os.ReadDir("/proc/thread-self/fd")
	highest := 0
	for _, e := range entries {
		var fd int
		if _, err := fmt.Sscan(e.Name(), &fd); err == nil {
			highest = max(highest, fd)
		}
	}
	return highest, err
}

func (r *real) out(fd int) int { return fd - firstDescriptor + r.base }

// made returns the number and the error of a call that returns a new descriptor.
func (r *real) made(fd int, err error) (int, kernel.Errno) {
	if err != nil {
		return -1, errnoOf(err)
	}
	return fd - r.base + firstDescriptor, 0
}

// errnoOf returns the error of a call of package unix as a number.
func errnoOf(err error) kernel.Errno {
	if err == nil {
		return 0
	}
	return err.(kernel.Errno) //nolint:errorlint,forcetypeassert // package unix returns the bare number
}

// sockaddr returns an address as package unix has it.
func sockaddr(a kernel.Address) unix.Sockaddr {
	switch ip := a.IP.Addr(); {
	case a.IsUnix():
		return &unix.SockaddrUnix{Name: a.Path}
	case ip.Is4():
		return &unix.SockaddrInet4{Addr: ip.As4(), Port: int(a.IP.Port())}
	case ip.Is6():
		return &unix.SockaddrInet6{Addr: ip.As16(), Port: int(a.IP.Port())}
	}
	return nil
}

// unnamed is the name that package unix gives to a UNIX socket without an address.
const unnamed = "@"

// addressOf is the reverse of sockaddr.
func addressOf(sa unix.Sockaddr) kernel.Address {
	switch sa := sa.(type) {
	case *unix.SockaddrInet4:
		return kernel.Address{IP: netip.AddrPortFrom(netip.AddrFrom4(sa.Addr), uint16(sa.Port))}
	case *unix.SockaddrInet6:
		return kernel.Address{IP: netip.AddrPortFrom(netip.AddrFrom16(sa.Addr).Unmap(), uint16(sa.Port))}
	case *unix.SockaddrUnix:
		if sa.Name != unnamed {
			return kernel.Address{Path: sa.Name}
		}
	}
	return kernel.Address{}
}

const nonBlocking = unix.SOCK_NONBLOCK | unix.SOCK_CLOEXEC

// Socket opens a socket. Nagle's algorithm is off: it delays bytes until the peer acknowledges
// others, and the model does not have it.
func (r *real) Socket(family int) (int, kernel.Errno) {
	fd, err := unix.Socket(family, unix.SOCK_STREAM|nonBlocking, 0)
	if err == nil && family != unix.AF_UNIX {
		err = unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1)
		hasten(fd)
	}
	return r.made(fd, err)
}

// hasten shortens the time for which the kernel delays an acknowledgement, where it can (Linux 6.15).
// The least time is two ticks of its clock.
func hasten(fd int) {
	for _, ms := range []int{2, 8, 20} {
		if unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_DELACK_MAX_US, 1000*ms) == nil {
			return
		}
	}
}

func (r *real) Bind(fd int, at kernel.Address) kernel.Errno {
	return errnoOf(unix.Bind(r.out(fd), sockaddr(at)))
}

func (r *real) Listen(fd, backlog int) kernel.Errno {
	return errnoOf(unix.Listen(r.out(fd), backlog))
}

func (r *real) Accept(fd int) (int, kernel.Address, kernel.Errno) {
	made, sa, err := unix.Accept4(r.out(fd), nonBlocking)
	if err == nil {
		hasten(made)
	}
	n, e := r.made(made, err)
	return n, addressOf(sa), e
}

func (r *real) Connect(fd int, to kernel.Address) kernel.Errno {
	return errnoOf(unix.Connect(r.out(fd), sockaddr(to)))
}

func (r *real) Read(fd int, b []byte) (int, kernel.Errno) {
	return counted(unix.Read(r.out(fd), b))
}

func (r *real) Recv(fd int, b []byte, flags int) (int, kernel.Errno) {
	n, _, err := unix.Recvfrom(r.out(fd), b, flags)
	return counted(n, err)
}

func (r *real) Send(fd int, b []byte, flags int, to kernel.Address) (int, kernel.Errno) {
	return counted(unix.SendmsgN(r.out(fd), b, nil, sockaddr(to), flags|unix.MSG_NOSIGNAL))
}

func (r *real) Write(fd int, b []byte) (int, kernel.Errno) {
	return counted(unix.Write(r.out(fd), b))
}

func counted(n int, err error) (int, kernel.Errno) {
	if err != nil {
		return -1, errnoOf(err)
	}
	return n, 0
}

func (r *real) Shutdown(fd, how int) kernel.Errno { return errnoOf(unix.Shutdown(r.out(fd), how)) }

func (r *real) Close(fd int) kernel.Errno { return errnoOf(unix.Close(r.out(fd))) }

func (r *real) Dup(fd int) (int, kernel.Errno) {
	made, err := unix.Dup(r.out(fd))
	return r.made(made, err)
}

func (r *real) Local(fd int) (kernel.Address, kernel.Errno) {
	sa, err := unix.Getsockname(r.out(fd))
	return addressOf(sa), errnoOf(err)
}

func (r *real) Peer(fd int) (kernel.Address, kernel.Errno) {
	sa, err := unix.Getpeername(r.out(fd))
	return addressOf(sa), errnoOf(err)
}

func (r *real) SetOption(fd, level, name, value int) kernel.Errno {
	if level == unix.SOL_SOCKET && name == unix.SO_LINGER {
		l := &unix.Linger{Onoff: 1, Linger: int32(value)}
		if value < 0 {
			*l = unix.Linger{}
		}
		return errnoOf(unix.SetsockoptLinger(r.out(fd), level, name, l))
	}
	return errnoOf(unix.SetsockoptInt(r.out(fd), level, name, value))
}

func (r *real) Unsent(fd int) (int, kernel.Errno) {
	return counted(unix.IoctlGetInt(r.out(fd), unix.SIOCOUTQ))
}

// unread returns the number of bytes that a read would return at most (FIONREAD).
func (r *real) unread(fd int) int {
	n, _ := unix.IoctlGetInt(r.out(fd), unix.SIOCINQ)
	return n
}

func (r *real) Info(fd int) (kernel.Info, kernel.Errno) {
	info, err := unix.GetsockoptTCPInfo(r.out(fd), unix.IPPROTO_TCP, unix.TCP_INFO)
	if err != nil {
		return kernel.Info{}, errnoOf(err)
	}
	i := kernel.Info{
		Received:    info.Bytes_received,
		Handshaking: info.State == synSent || info.State == synReceived,
	}
	if info.State == listening {
		i.Queued = info.Unacked
	}
	return i, 0
}

// connects reports whether a TCP socket waits for the answer to its SYN.
func (r *real) connects(fd int) bool {
	info, err := unix.GetsockoptTCPInfo(r.out(fd), unix.IPPROTO_TCP, unix.TCP_INFO)
	return err == nil && info.State == synSent
}

// closedWindow reports whether a TCP socket lets its peer send nothing, because of what it has not read.
// Before Linux 6.2 it does not find out.
func (r *real) closedWindow(fd int) bool {
	info, err := unix.GetsockoptTCPInfo(r.out(fd), unix.IPPROTO_TCP, unix.TCP_INFO)
	r.windows = r.windows || err == nil && info.Rcv_wnd > 0
	return r.windows && err == nil && info.State != listening && info.Rcv_wnd == 0 && r.unread(fd) > 0
}

// isDisconnected reports whether a TCP socket has no connection and has sent nothing since it lost the
// last one.
func (r *real) isDisconnected(fd int) bool {
	info, err := unix.GetsockoptTCPInfo(r.out(fd), unix.IPPROTO_TCP, unix.TCP_INFO)
	return err == nil && info.State == unconnected && info.Bytes_sent == 0
}

// synSent is the state of a socket that has sent a SYN in TCP_INFO.
const synSent = 2

// synReceived is the state of a socket that waits for the last packet of the handshake in TCP_INFO.
const synReceived = 3

// listening is the state of a listening socket in TCP_INFO.
const listening = 10

// unconnected is the state of a socket without a connection in TCP_INFO.
const unconnected = 7

// isFull reports whether poll would not return EPOLLOUT for a TCP socket that may be written to. It has no
// effect on the socket: a poll makes the kernel announce space later.
func (r *real) isFull(fd int) bool {
	const sendBuffer, queued, values = 3, 5, 9 // SK_MEMINFO_SNDBUF, SK_MEMINFO_WMEM_QUEUED, SK_MEMINFO_VARS
	var memory [values]uint32
	size := uint32(unsafe.Sizeof(memory))
	_, _, e := unix.Syscall6(unix.SYS_GETSOCKOPT, uintptr(r.out(fd)), unix.SOL_SOCKET, unix.SO_MEMINFO,
		uintptr(unsafe.Pointer(&memory)), uintptr(unsafe.Pointer(&size)), 0)
	lowWater, err := unix.GetsockoptInt(r.out(fd), unix.IPPROTO_TCP, unix.TCP_NOTSENT_LOWAT)
	if e != 0 || err != nil {
		return false
	}
	free := int(memory[sendBuffer]) - int(memory[queued])
	return free <= 0 || free < int(memory[queued])/2 || lowWater > 0 && 2*r.held(fd) >= lowWater
}

// isClosed reports whether a TCP socket has no connection.
func (r *real) isClosed(fd int) bool {
	info, err := unix.GetsockoptTCPInfo(r.out(fd), unix.IPPROTO_TCP, unix.TCP_INFO)
	return err == nil && info.State == unconnected
}

// held returns how many bytes a connection has not sent yet.
func (r *real) held(fd int) int {
	info, err := unix.GetsockoptTCPInfo(r.out(fd), unix.IPPROTO_TCP, unix.TCP_INFO)
	if err != nil || info.State == listening {
		return 0
	}
	return int(info.Notsent_bytes)
}

// underWay reports whether sent bytes of a connection are not acknowledged, and whether bytes wait for
// the peer's window to open.
func (r *real) underWay(fd int) (unacked, waiting bool) {
	info, err := unix.GetsockoptTCPInfo(r.out(fd), unix.IPPROTO_TCP, unix.TCP_INFO)
	if err != nil || info.State == unconnected || info.State == listening || info.State == synSent {
		return false, false
	}
	return info.Unacked > 0, info.Notsent_bytes > info.Snd_wnd
}

// acknowledge makes a TCP socket send an acknowledgement that the kernel has delayed.
func (r *real) acknowledge(fd int) {
	_ = unix.SetsockoptInt(r.out(fd), unix.IPPROTO_TCP, unix.TCP_QUICKACK, 1)
}
