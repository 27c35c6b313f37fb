package kernel_test

import (
	"net/netip"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"

	"sluice/engine/kernel"
)

// slots is the number of variables of a sequence. A step names its descriptors by the slots that
// contain them, so a sequence means the same on every system, and after steps were removed.
const slots = 32

// step is one operation of a sequence. The meaning of its operands depends on the action.
type step struct {
	do    *action
	a, b  int // slots
	n     int // a size, number, family or option value
	flags int
}

// sends reports whether the step sends bytes to a socket, if its file is one.
func (s step) sends() bool { return s.do == aSend || s.do == aWrite || s.do == aSplice }

// outcome is everything that a program learns from a step.
type outcome struct {
	n      int // what the call returned
	e      kernel.Errno
	data   string         // bytes that were read
	at     kernel.Address // an address that the call returned, see world.ordinal
	events []unix.EpollEvent
	extra  int         // the second descriptor of a pipe
	info   kernel.Info // of TCP_INFO
}

// skipped is the outcome of a step whose slots are not set. That happens where steps were removed.
var skipped = outcome{n: -1000}

// world is one system during one sequence.
type world struct {
	system
	ip     netip.Addr // the address that all sockets of the sequence are bound to
	name   string     // begin of the names of its UNIX sockets
	folder string     // for those that are paths
	port   uint16     // port number 0 of aBindPort
	fds    [slots]int // -1: not set. A slot keeps its number when the descriptor is closed
	at     [slots]kernel.Address
	ports  map[uint16]uint16 // number of each port
	bound  uint16            // number of the last port
	next   int               // number of the current step; decides which bytes it sends
	// pass lets the time pass after which the timer fd expires.
	pass func(fd int, d time.Duration)
}

func newWorld(s system, ip netip.Addr, name, folder string) *world {
	w := &world{system: s, ip: ip, name: name, folder: folder, ports: map[uint16]uint16{}}
	for i := range w.fds {
		w.fds[i] = -1
	}
	return w
}

// set stores a new descriptor in a slot. A failed call leaves the slot as it was.
func (w *world) set(slot, fd int, e kernel.Errno) outcome {
	if e == 0 {
		w.fds[slot] = fd
		w.at[slot], _ = w.Local(fd)
	}
	return outcome{n: fd, e: e}
}

// ordinal replaces the port of an address by a number that means the same on both systems: ports are
// counted when a socket gets one. The kernels choose different ports.
func (w *world) ordinal(a kernel.Address) kernel.Address {
	if a.IsUnix() || !a.IP.IsValid() || a.IP.Port() == 0 {
		return a
	}
	return kernel.Address{IP: netip.AddrPortFrom(a.IP.Addr(), w.ports[a.IP.Port()])}
}

// autobind makes a call that may give the socket in a slot a port, and counts the port.
func (w *world) autobind(slot int, call func(fd int) kernel.Errno) outcome {
	fd := w.fds[slot]
	before, _ := w.Local(fd)
	e := call(fd)
	own, _ := w.Local(fd)
	if port := own.IP.Port(); before.IP.Port() == 0 && port != 0 {
		w.bound++
		w.ports[port] = w.bound
	}
	return outcome{e: e, at: own}
}

// run makes the calls of one step.
func (w *world) run(s step) outcome {
	if s.do.uses >= 1 && w.fds[s.a] < 0 || s.do.uses >= 2 && w.fds[s.b] < 0 {
		return skipped
	}
	o := s.do.run(w, s)
	o.at = w.ordinal(o.at)
	return o
}

// action is a kind of step.
type action struct {
	name string
	uses int // how many of the slots a and b must contain a descriptor
	run  func(w *world, s step) outcome
}

var (
	aSocket = &action{"socket", 0, func(w *world, s step) outcome {
		fd, e := w.Socket(s.n)
		return w.set(s.a, fd, e)
	}}
	// aBind binds to a port that the kernel chooses.
	aBind = &action{"bind", 1, func(w *world, s step) outcome {
		return w.bind(s.a, kernel.Address{IP: netip.AddrPortFrom(w.ip, 0)})
	}}
	// aBindPort binds to the IP address that is chosen by flags, and to the port number n. Port 0 is any.
	aBindPort = &action{"bind-port", 1, func(w *world, s step) outcome {
		port := uint16(0)
		if s.n > 0 {
			port = w.port + uint16(s.n)
		}
		return w.bind(s.a, kernel.Address{IP: netip.AddrPortFrom(w.ips()[s.flags], port)})
	}}
	// aBindName binds a UNIX socket to the name number n.
	aBindName = &action{"bind-name", 1, func(w *world, s step) outcome {
		return w.bind(s.a, w.named(s.n))
	}}
	// aBindLike binds to the address of slot b.
	aBindLike = &action{"bind-like", 2, func(w *world, s step) outcome {
		return w.bind(s.a, w.at[s.b])
	}}
	aListen = &action{"listen", 1, func(w *world, s step) outcome {
		o := w.autobind(s.a, func(fd int) kernel.Errno { return w.Listen(fd, s.n) })
		if o.e == 0 {
			w.at[s.a] = o.at
		}
		return o
	}}
	// aConnect connects to the address that the socket in slot b has, or had when it was open.
	aConnect = &action{"connect", 2, func(w *world, s step) outcome {
		return w.connect(s.a, w.at[s.b])
	}}
	aConnectName = &action{"connect-name", 1, func(w *world, s step) outcome {
		return w.connect(s.a, w.named(s.n))
	}}
	aAccept = &action{"accept", 1, func(w *world, s step) outcome {
		fd, peer, e := w.Accept(w.fds[s.a])
		o := w.set(s.b, fd, e)
		o.at = peer
		return o
	}}
	aSend = &action{"send", 1, func(w *world, s step) outcome {
		n, e := w.Send(w.fds[s.a], w.bytes(s.n), s.flags, kernel.Address{})
		return outcome{n: n, e: e}
	}}
	// aFastOpen connects to the address of slot b and sends bytes.
	aFastOpen = &action{"fast-open", 2, func(w *world, s step) outcome {
		if !w.at[s.b].IP.IsValid() {
			return skipped
		}
		n := 0
		o := w.autobind(s.a, func(fd int) (e kernel.Errno) {
			n, e = w.Send(fd, w.bytes(s.n), unix.MSG_FASTOPEN, w.at[s.b])
			return e
		})
		o.n = n
		return o
	}}
	aWrite = &action{"write", 1, func(w *world, s step) outcome {
		n, e := w.Write(w.fds[s.a], w.bytes(s.n))
		return outcome{n: n, e: e}
	}}
	aRead = &action{"read", 1, func(w *world, s step) outcome {
		b := make([]byte, s.n)
		n, e := w.Read(w.fds[s.a], b)
		return outcome{n: n, e: e, data: string(b[:max(n, 0)])}
	}}
	aRecv = &action{"recv", 1, func(w *world, s step) outcome {
		b := make([]byte, s.n)
		n, e := w.Recv(w.fds[s.a], b, s.flags)
		return outcome{n: n, e: e, data: string(b[:max(n, 0)])}
	}}
	aShutdown = &action{"shutdown", 1, func(w *world, s step) outcome {
		return outcome{e: w.Shutdown(w.fds[s.a], s.n)}
	}}
	aClose = &action{"close", 1, func(w *world, s step) outcome {
		return outcome{e: w.Close(w.fds[s.a])}
	}}
	aDup = &action{"dup", 1, func(w *world, s step) outcome {
		fd, e := w.Dup(w.fds[s.a])
		o := w.set(s.b, fd, e)
		w.at[s.b] = w.at[s.a]
		return o
	}}
	aLocal = &action{"local", 1, func(w *world, s step) outcome {
		at, e := w.Local(w.fds[s.a])
		return outcome{at: at, e: e}
	}}
	aPeer = &action{"peer", 1, func(w *world, s step) outcome {
		at, e := w.Peer(w.fds[s.a])
		return outcome{at: at, e: e}
	}}
	// aOption sets the option number flags to n.
	aOption = &action{"option", 1, func(w *world, s step) outcome {
		o := options[s.flags]
		return outcome{e: w.SetOption(w.fds[s.a], o.level, o.name, s.n)}
	}}
	aUnsent = &action{"unsent", 1, func(w *world, s step) outcome {
		_, e := w.Unsent(w.fds[s.a]) // the number is in the view of the socket
		return outcome{e: e}
	}}
	aInfo = &action{"info", 1, func(w *world, s step) outcome {
		info, e := w.Info(w.fds[s.a])
		return outcome{info: info, e: e}
	}}
	aEpoll = &action{"epoll", 0, func(w *world, s step) outcome {
		fd, e := w.Epoll()
		return w.set(s.a, fd, e)
	}}
	aAdd    = control("add", unix.EPOLL_CTL_ADD)
	aModify = control("mod", unix.EPOLL_CTL_MOD)
	aDelete = control("del", unix.EPOLL_CTL_DEL)
	aWait   = &action{"wait", 1, func(w *world, s step) outcome {
		events := make([]unix.EpollEvent, s.n)
		n, e := w.Wait(w.fds[s.a], events)
		return outcome{n: n, e: e, events: events[:max(n, 0)]}
	}}
	aEventfd = &action{"eventfd", 0, func(w *world, s step) outcome {
		fd, e := w.Eventfd()
		return w.set(s.a, fd, e)
	}}
	aTimerfd = &action{"timerfd", 0, func(w *world, s step) outcome {
		fd, e := w.Timerfd()
		return w.set(s.a, fd, e)
	}}
	// aTimer sets a timer to n milliseconds.
	aTimer = &action{"timer", 1, func(w *world, s step) outcome {
		return outcome{e: w.SetTimer(w.fds[s.a], time.Duration(s.n)*time.Millisecond)}
	}}
	// aExpire sets a timer to a millisecond and lets it expire.
	aExpire = &action{"expire", 1, func(w *world, s step) outcome {
		e := w.SetTimer(w.fds[s.a], time.Millisecond)
		if e == 0 {
			w.pass(w.fds[s.a], time.Millisecond)
		}
		return outcome{e: e}
	}}
	aPipe = &action{"pipe", 0, func(w *world, s step) outcome {
		r, wr, e := w.Pipe()
		o := w.set(s.a, r, e)
		o.extra = w.set(s.b, wr, e).n
		return o
	}}
	aPipeSize = &action{"pipe-size", 1, func(w *world, s step) outcome {
		n, e := w.PipeSize(w.fds[s.a], s.n)
		return outcome{n: n, e: e}
	}}
	aSplice = &action{"splice", 2, func(w *world, s step) outcome {
		n, e := w.Splice(w.fds[s.a], w.fds[s.b], s.n)
		return outcome{n: n, e: e}
	}}
	// aBlind makes the comparison not look at the events of TCP sockets after each step. To look at a full
	// one has an effect: it announces later that it has space.
	aBlind = &action{"blind", 0, func(*world, step) outcome { return outcome{} }}
	// aPoll only looks at the states, which every step is followed by.
	aPoll = &action{"poll", 1, func(w *world, s step) outcome {
		return outcome{n: int(w.Poll(w.fds[s.a]) & watched)}
	}}
)

// control returns an action that changes the registration of slot b with the epoll instance in
// slot a. The events carry the slot and the number of the step.
func control(name string, op int) *action {
	return &action{name, 2, func(w *world, s step) outcome {
		ev := unix.EpollEvent{Events: uint32(s.flags), Fd: int32(s.b), Pad: int32(s.n)}
		return outcome{e: w.Control(w.fds[s.a], op, w.fds[s.b], &ev)}
	}}
}

// options are the socket options of aOption, by number.
var options = []struct {
	text        string
	level, name int
}{
	{"SO_LINGER", unix.SOL_SOCKET, unix.SO_LINGER},
	{"SO_REUSEPORT", unix.SOL_SOCKET, unix.SO_REUSEPORT},
	{"SO_REUSEADDR", unix.SOL_SOCKET, unix.SO_REUSEADDR},
	{"SO_SNDBUF", unix.SOL_SOCKET, unix.SO_SNDBUF},
	{"SO_RCVBUF", unix.SOL_SOCKET, unix.SO_RCVBUF},
	{"SO_OOBINLINE", unix.SOL_SOCKET, unix.SO_OOBINLINE},
	{"TCP_NOTSENT_LOWAT", unix.IPPROTO_TCP, unix.TCP_NOTSENT_LOWAT},
	{"IPV6_V6ONLY", unix.IPPROTO_IPV6, unix.IPV6_V6ONLY},
	{"TCP_FASTOPEN", unix.IPPROTO_TCP, unix.TCP_FASTOPEN},
}

// The numbers of options.
const (
	oLinger = iota
	oReusePort
	oReuseAddr
	oSendBuffer
	oReceiveBuffer
	oInline
	oLowWater
	oOnly6
	oFastOpen
)

func (w *world) bind(slot int, at kernel.Address) outcome {
	if at == (kernel.Address{}) || w.mixed(slot, at) {
		return skipped
	}
	o := w.autobind(slot, func(fd int) kernel.Errno { return w.Bind(fd, at) })
	if o.e == 0 {
		w.at[slot] = o.at
	}
	return o
}

func (w *world) connect(slot int, to kernel.Address) outcome {
	if to == (kernel.Address{}) || w.mixed(slot, to) {
		return skipped
	}
	return w.autobind(slot, func(fd int) kernel.Errno { return w.Connect(fd, to) })
}

// mixed reports whether one of the address and the socket is of IPv6, and the other is not. Linux has
// several errors for that, and the model one.
func (w *world) mixed(slot int, at kernel.Address) bool {
	own, _ := w.Local(w.fds[slot])
	return own.IP.IsValid() && own.IP.Addr().Is6() != at.IP.Addr().Is6()
}

// ips are the IP addresses of aBindPort: bit 0 is a wildcard, bit 1 is IPv6.
func (w *world) ips() []netip.Addr {
	return []netip.Addr{w.ip, netip.IPv4Unspecified(), netip.IPv6Loopback(), netip.IPv6Unspecified()}
}

// named returns the address number n of a UNIX socket. Those from firstPath on are paths, the others are
// abstract.
func (w *world) named(n int) kernel.Address {
	name := w.name + string(rune('a'+n))
	if n >= firstPath {
		return kernel.Address{Path: filepath.Join(w.folder, name)}
	}
	return kernel.Address{Path: "@" + name}
}

// firstPath is the first number of the address of a UNIX socket that is a path.
const firstPath = 3

// pattern is what the sequences send. Its period is longer than any send.
var pattern = func() []byte {
	b := make([]byte, 1<<18)
	x := uint32(1)
	for i := range b {
		x = x*1664525 + 1013904223
		b[i] = byte(x >> 24)
	}
	return b
}()

// bytes returns n bytes to send. Each step sends others.
func (w *world) bytes(n int) []byte {
	from := w.next * 977 % (len(pattern) / 2)
	return pattern[from : from+n]
}
