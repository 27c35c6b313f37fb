package engine

// probe observes the loops. Only tests set one: it checks the loops and records events.
type probe interface {
	// meets is called before a session handles something. events are epoll events on the socket
	// of side from, 0 for its turn after yield, or one of the bits below.
	meets(l *loop, id int32, from side, events uint32)
	// opens is called with a new socket to a server, before it is connected.
	opens(fd int)
	// settled is called after each piece of work, when the state of the loop must be
	// consistent.
	settled(l *loop)
}

// Bits for meets that are no events of a socket: a deadline, a drain, a stop. epoll does not use these
// bits.
const (
	metTimeout = 1 << (16 + iota)
	metDrain
	metStop
)

// meet reports to the probe what a session is about to handle.
func (v *visit) meet(from side, events uint32) {
	if v.probe != nil {
		v.probe.meets(v.loop, v.id, from, events)
	}
}
