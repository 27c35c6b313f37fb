package kernel

import "golang.org/x/sys/unix"

// spliceable is a stream socket, as far as Splice needs it.
type spliceable interface {
	// spliceOut removes up to n bytes from what the socket has received, as a read does. It returns
	// them as Linux's fragments, at most slots of them and each of at most a page: each takes one slot
	// of a pipe. The pipe keeps the pieces, so nobody else may write to them. EAGAIN means that there
	// are no bytes now; no pieces without an error are the end of the stream.
	spliceOut(n, slots int) (pieces [][]byte, e Errno)
	// spliceIn sends b as send does, and returns how many bytes the socket has taken.
	spliceIn(b []byte) (int, Errno)
}

// Splice moves up to n bytes from a socket into a pipe, or from a pipe into a socket (splice(2)
// with SPLICE_F_NONBLOCK).
func (p *Process) Splice(from, to, n int) (int, Errno) { return -1, unix.ENOSYS }
