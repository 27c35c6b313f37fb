package sock

import "net/netip"

// Listening is a TCP socket that listens, of any process in the network namespace of this one.
type Listening struct {
	Addr   netip.AddrPort // without zone
	V6Only bool           // the socket has the wildcard address of IPv6 and does not accept IPv4
	Inode  uint64         // see Inode
}

// ListeningOn returns the TCP sockets that listen on a port. The error says that the kernel does
// not tell.
func ListeningOn(port uint16) ([]Listening, error) { return rawListeningOn(port) }

// Inode returns a number that only this open socket has. ok is false if fd is not open.
func Inode(fd int) (inode uint64, ok bool) { return rawInode(fd) }
