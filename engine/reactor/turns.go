package reactor

// Yield puts a session's socket into the list of sockets to serve again. OnSocket is called for it,
// with events 0, after the current batch of events. The caller must not call Yield again for a
// socket that is in the list.
func (r *Reactor) Yield(t Token) { r.turns = append(r.turns, t) }

// takeTurns serves the sockets in the list. It reports whether the list has sockets again.
func (r *Reactor) takeTurns() (more bool, err error) {
	if len(r.turns) == 0 {
		return false, nil
	}
	r.readClock()
	turns := r.turns
	r.turns, r.spareTurns = r.spareTurns[:0], turns
	for _, t := range turns {
		r.handler.OnSocket(t, 0)
	}
	return len(r.turns) > 0, r.handler.Ended()
}
