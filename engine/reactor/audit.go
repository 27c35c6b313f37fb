package reactor

import "slices"

// Armed reports whether the timer is armed. Only tests call it.
func (r *Reactor) Armed(id int32) bool {
	_, armed := r.clock.wheel.Due(id)
	return armed
}

// Timers returns the number of timers that are armed. Only tests call it.
func (r *Reactor) Timers() int { return r.clock.wheel.Armed() }

// Turns returns the number of sockets that have called Yield and not been served yet. Only tests
// call it.
func (r *Reactor) Turns() int { return len(r.turns) }

// HasTurn reports whether a socket has called Yield and not been served yet. Only tests call it.
func (r *Reactor) HasTurn(t Token) bool { return slices.Contains(r.turns, t) }
