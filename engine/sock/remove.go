package sock

import (
	"math"

	"golang.org/x/sys/unix"
)

// A listening socket that is closed resets the clients in its queue, and those whose handshake is
// under way. The functions of this file keep new clients away from a socket before it is closed.
// The clients that the kernel has already are accepted meanwhile.

// noInterface is an interface index that no interface has.
const noInterface = math.MaxInt32

// PassNew takes a listening TCP socket out of the kernel's choice for a SYN. New clients get another
// socket that listens on their address, even one that is bound later, or they are refused. Handshakes
// under way go on; only those with SYN cookies fail.
//
// PassNew binds the socket to an interface that does not exist. Before Linux 5.7, and if the socket
// is bound to an interface already, this needs CAP_NET_RAW.
func PassNew(fd int) Errno {
	return rawOption(fd, unix.SOL_SOCKET, unix.SO_BINDTOIFINDEX, noInterface)
}

// DropNew makes a listening TCP socket drop each SYN, by a classic BPF filter. It needs no
// privileges. Handshakes under way go on. A new client sends its SYN again after a second or later,
// until the socket is closed. If sockets share an address by SO_REUSEPORT, all of them must drop SYN
// before the first one is closed.
func DropNew(fd int) Errno { return rawDropNew(fd) }

// RefuseNew makes a listening UNIX socket refuse new clients. Those in its queue can be accepted.
func RefuseNew(fd int) Errno { return rawShutdown(fd, unix.SHUT_RD) }
