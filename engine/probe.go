package engine

// probe sees what loops do. Tests set one that checks them and records the
// events that sessions have met; elsewhere there is none.
type probe interface {
	// meets is called before something that a session meets is handled: events of
	// epoll on the socket of side from, 0 for its turn, or a bit of those below.
	meets(l *loop, id int32, from side, events uint32)
	// opens is called with a new socket to a server, before it is connected.
	opens(fd int)
	// settled is called after each piece of work, when all that a loop holds must
	// agree.
	settled(l *loop)
}

// What a session meets beside the events of its sockets, in bits that epoll does
// not use.
const (
	metTimeout = 1 << (16 + iota)
	metDrain
	metStop
)

// meet tells the probe what a session meets.
func (l *loop) meet(id int32, from side, events uint32) {
	if l.probe != nil {
		l.probe.meets(l, id, from, events)
	}
}
