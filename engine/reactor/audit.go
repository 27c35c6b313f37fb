package reactor

import "slices"

// Due reports whether the timer with number id is armed. at is the time for which it is armed, in
// ms of stat.Now. at is valid only if armed is true. Only tests call Due.
func (r *Reactor) Due(id int32) (at int64, armed bool) { return r.clock.wheel.Due(id) }

// Timers returns the number of timers that are armed. Only tests call it.
func (r *Reactor) Timers() int { return r.clock.wheel.Armed() }

// Turns returns the number of sockets that have called Yield and not been served yet. Only tests
// call it.
func (r *Reactor) Turns() int { return len(r.turns) }

// HasTurn reports whether a socket has called Yield and not been served yet. Only tests call it.
func (r *Reactor) HasTurn(t Token) bool { return slices.Contains(r.turns, t) }
