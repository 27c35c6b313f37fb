package session

// Probe observes the loops. Only tests set a Probe, to check the loops and record events.
type Probe interface {
	// Meets is called before a session handles an event, a deadline, a drain or a stop. events are
	// epoll events on the socket of side from, 0 for its turn after Yield, or one of the Met bits.
	Meets(l *Loop, id int32, from Side, events uint32)
	// Opens is called with a new socket to a server, before it is connected.
	Opens(fd int)
	// Settled is called after each piece of work, when the state of the loop must be
	// consistent.
	Settled(l *Loop)
}

// Values of events for Probe.Meets that are not epoll events: a deadline, a drain, a stop. epoll
// does not use these bits.
const (
	MetTimeout = 1 << (16 + iota)
	MetDrain
	MetStop
)

// meet reports to the probe the events that the session handles next.
func (v *Visit) meet(from Side, events uint32) {
	if v.probe != nil {
		v.probe.Meets(v.Loop, v.ID, from, events)
	}
}
