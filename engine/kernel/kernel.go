package kernel

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"time"

	"golang.org/x/sys/unix"
)

// Errno is the error of a system call; 0 means success.
type Errno = unix.Errno

// Address is the address of a socket. The zero value is no address.
type Address struct {
	IP   netip.AddrPort // address of a TCP socket
	Path string         // address of a UNIX socket: a path, or "@" and an abstract name
}

// IsUnix reports whether a is the address of a UNIX socket.
func (a Address) IsUnix() bool { return a.Path != "" }

// String returns the IP address and port, or the path or abstract name. For the zero value, it
// returns "invalid AddrPort".
func (a Address) String() string {
	if a.IsUnix() {
		return a.Path
	}
	return a.IP.String()
}

// Options are the properties of a kernel. The zero value is a kernel with usual sizes that
// delivers everything at once.
type Options struct {
	// Seed is the start of the random source.
	Seed uint64
	// Delayed makes bytes wait in the network for Step. Without it, each call delivers what it
	// caused before it returns, as on a loopback device without load.
	Delayed bool
	// Buffers returns the sizes of a new socket's buffers in bytes. nil: 64 KiB each.
	Buffers func() (send, receive int)
	// Ports are the first and the last port of the range for sockets that do not ask for a certain
	// port. If the last port is 0, the range is Linux's default, 32768 to 60999.
	Ports [2]uint16
	// FastOpen allows TCP Fast Open, as net.ipv4.tcp_fastopen does: bit 0 for clients, bit 1 for
	// servers.
	FastOpen int
	// Spurious is a probability in 1/1000; 0: never. With this probability Wait reports an
	// edge-triggered event once more. With the same probability Wait stops after an event although
	// other items are ready.
	Spurious int
	// ShortSplice is a probability in 1/1000; 0: never. With this probability a signal ends a
	// Splice after a fragment. With the same probability the network does a step in the middle of a
	// Splice into a socket.
	ShortSplice int
	// Trace is called once for each traced call of a process, with its text such as "close 7 = 0".
	// nil: no trace.
	Trace func(p *Process, text string)
	// Delivered is called when something from the network reaches a TCP socket: "17 bytes", "FIN",
	// "RST" or "SYN-ACK". It is also called for a SYN that is lost or refused. from is the address
	// of the sender. nil: no trace.
	Delivered func(from, to netip.AddrPort, what string)
}

// Kernel is one machine with its network.
type Kernel struct {
	Options
	Rand *rand.Rand // source of all random choices; starts from Seed
	// Progress grows whenever bytes move, a connection changes its state, or a timer fires.
	Progress uint64
	// Expelled is the number of connections that a client had established and not ended, and that were
	// reset because their listening socket was closed before they were accepted.
	Expelled int

	now        time.Duration // time since the machine was started
	violations []string      // texts recorded by Violate
	net        network
	timers     timers
	items      []*item // unused items, for newItem
	inodes     uint64  // number of the file opened last, see Process.Inode
}

// boot is the wall-clock time at which the clock of a kernel is 0.
var boot = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// New returns a kernel without processes.
func New(o Options) *Kernel {
	return &Kernel{Options: o, Rand: rand.New(rand.NewPCG(o.Seed, 0x5eed))}
}

// Now returns the time since the start of the machine.
func (k *Kernel) Now() time.Duration { return k.now }

// Wall returns the time of day: the start of 2026 in UTC plus Now.
func (k *Kernel) Wall() time.Time { return boot.Add(k.now) }

// chance returns true with a probability in 1/1000; 0: never.
func (k *Kernel) chance(probability int) bool {
	return probability > 0 && k.Rand.IntN(1000) < probability
}

// Violate records an error of a program, such as a call on a closed descriptor. The text is
// formatted as by fmt.Sprintf.
func (k *Kernel) Violate(format string, args ...any) {
	k.violations = append(k.violations, fmt.Sprintf(format, args...))
}

// Violations returns the texts that Violate has recorded, oldest first.
func (k *Kernel) Violations() []string { return k.violations }
