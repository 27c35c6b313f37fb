package engine

// stateRow describes a state of a session: the functions that do its work. A function that is nil does
// nothing.
type stateRow struct {
	letter   byte                                   // second letter of the termination state, as in HAProxy's log; in an exchange, see modeHTTP.phase
	event    func(v *visit, from side, failed bool) // handles an event or a turn of a socket; failed: the socket has failed
	deadline func(v *visit) int64                   // returns the latest end of the state, in ms of stat.Now; or never
	overdue  func(v *visit)                         // is called at the deadline
	lost     func(v *visit)                         // is called if the client's connection has failed, and event has not ended the session
}

// stateTable has a row for each state.
type stateTable [leaving + 1]stateRow

// commonStates returns the rows of the states that both modes have.
func commonStates() stateTable {
	return stateTable{
		free: {letter: '-'},
		dialing: {
			letter:   'C',
			event:    func(v *visit, from side, _ bool) { v.tendDial(from) },
			deadline: (*visit).dialEnds,
			overdue:  (*visit).dialedTooLong,
			lost:     (*visit).lostWhileDialing,
		},
		pausing: {
			letter:   'C',
			deadline: func(v *visit) int64 { return v.s.since + int64(v.s.wait) },
			overdue:  func(v *visit) { v.retry(v.s.pickAgain) },
			lost:     (*visit).lostWhileDialing,
		},
		relaying: {
			letter:   'D',
			event:    (*visit).relayOn,
			deadline: func(v *visit) int64 { return min(v.quiet(client), v.quiet(server)) },
			overdue:  (*visit).relayedTooQuietly,
			lost:     (*visit).lostWhileRelaying,
		},
		leaving: {
			letter:   '-',
			event:    func(v *visit, _ side, failed bool) { v.leaveOn(failed) },
			deadline: func(v *visit) int64 { return min(v.now()+int64(v.s.wait), v.s.since+v.grace()) },
		},
	}
}

// row returns the row of the session's state.
func (v *visit) row() *stateRow { return v.mode.row(v.s.state) }

// term returns the termination state of a session that ends now. who is the first letter.
func (v *visit) term(who byte) [2]byte {
	return term(who, v.row().letter)
}

// deadline returns the latest end of the session's state, in ms of stat.Now; or never.
func (v *visit) deadline() int64 {
	if ends := v.row().deadline; ends != nil {
		return ends(v)
	}
	return never
}

// wake handles an event of one of the session's sockets. events 0 means that it is the socket's turn
// after yield.
func (v *visit) wake(from side, events uint32) {
	v.meet(from, events)
	if events == 0 {
		v.s.sock[from].flags &^= waiting
	}
	failed := v.note(from, events)
	if events != 0 && !failed && v.s.moves() {
		v.yield(client)
		return
	}
	if event := v.row().event; event != nil {
		event(v, from, failed)
	}
	if lost := v.row().lost; lost != nil && failed && from == client {
		lost(v) // nobody receives an answer
	}
	v.settle()
}

// expired is called when the session's entry of the wheel fires. If the deadline has moved since the
// entry was armed, expired arms the entry again.
func (v *visit) expired() {
	v.retryStarved()
	if v.s.state == leaving { // its entry fires at intervals
		v.lookAgain()
		return
	}
	if at := v.deadline(); at > v.now() {
		if at != never {
			v.reactor.Arm(v.id, at)
		}
		return
	}
	v.meet(client, metTimeout)
	v.row().overdue(v)
	v.settle() // the next state has armed its own deadline
}
