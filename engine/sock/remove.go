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

// DropNew makes a listening TCP socket drop each SYN, by a classic BPF filter. Handshakes under way
// go on. A new client sends its SYN again after a second or later. Connections that the socket
// accepts from then on inherit the filter, see Unfilter. If sockets share an address by
// SO_REUSEPORT, all of them must drop SYN before the first one is closed.
func DropNew(fd int) Errno { return rawDropNew(fd) }

// Unfilter removes the filter that a connection has inherited from its listening socket. With the
// filter, the connection would not answer a client that has lost its state and connects again from
// the same port.
func Unfilter(fd int) { rawUnfilter(fd) }

// PassNew takes a listening TCP socket out of the kernel's choice for a SYN. The kernel gives new
// clients to another socket that listens on their address, for example on the wildcard address, or
// refuses them. Handshakes under way go on; only those with SYN cookies fail. PassNew binds the
// socket to an interface that does not exist. A process without privileges may do that if the
// socket is bound to no interface (Linux 5.7).
func PassNew(fd int) Errno {
	return rawOption(fd, unix.SOL_SOCKET, unix.SO_BINDTOIFINDEX, noInterface)
}

// RefuseNew makes a listening UNIX socket refuse new clients. Those in its queue can be accepted.
func RefuseNew(fd int) Errno { return rawShutdown(fd, unix.SHUT_RD) }
