package session

import (
	"sync/atomic"

	"sluice/engine/sock"
)

// Inherited is the socket of a bind line with an address fd@N. All listeners of the bind line share
// it, one on each loop. The socket belongs to other processes, too, for example to systemd. So no
// filter can keep new clients away from it, and closing our descriptors resets no client.
//
// If the bind line is removed, only the clients are accepted that are in the queue when the last loop
// removes its listener. Later clients wait in the queue for the next user of the socket.
type Inherited struct {
	inode uint64       // see sock.Inode
	open  atomic.Int32 // listeners that are not removed
}

// NewInherited returns the socket to which all these descriptors refer. Each one is for a listener.
func NewInherited(fds []int) *Inherited {
	i := &Inherited{}
	i.inode, _ = sock.Inode(fds[0])
	i.open.Store(int32(len(fds)))
	return i
}

// isIn reports whether one of the listeners has the same socket. i may be nil.
func (i *Inherited) isIn(all []*Listener) bool {
	if i == nil {
		return false
	}
	for _, ln := range all {
		if ln.Shared != nil && ln.Shared.inode == i.inode {
			return true
		}
	}
	return false
}

// lastClients are the clients that a removed listener of an inherited socket still accepts.
type lastClients struct {
	left    int  // their number
	guessed bool // the kernel does not tell how many clients are in the queue; left is an upper limit
}

// retireInherited is retire for an inherited socket. The last loop accepts the clients in the queue.
// The other loops close their descriptors.
func (l *Loop) retireInherited(ln *Listener) {
	if ln.Shared.open.Add(-1) == 0 {
		ln.last.left, ln.last.guessed = queuedNow(ln.FD)
	}
	if ln.last.left == 0 {
		l.endListener(ln)
		return
	}
	l.Reactor.Arm(OwnTimer, ln.closes)
}

// queuedNow returns the number of clients in the queue of an inherited socket.
func queuedNow(fd int) (n int, guessed bool) {
	if n, known := sock.Waiting(fd); known {
		return n, false
	}
	return mostQueued, true
}

// acceptLast accepts clients of a removed inherited socket. It reports whether the listener accepts no
// more clients. If the number of its clients is a guess, a reached limit is the end, too: new clients
// could otherwise keep the removed listener in use.
func (l *Loop) acceptLast(ln *Listener) (over bool) {
	ln.Burst = min(ln.Burst, ln.last.left)
	taken, empty := l.acceptBurst(ln)
	ln.last.left -= taken
	return empty || ln.last.left == 0 || ln.last.guessed && !ln.Watched
}
