package session

// StateRow describes a state of a session: the functions that do its work. Event and Lost do nothing
// if they are nil. If Deadline is nil, the state has no deadline and needs no Overdue.
type StateRow struct {
	// Letter is the usual second letter of the termination state, as in HAProxy's log. Package
	// exchange uses other letters, too, which depend on the answer.
	Letter byte
	// Event handles an event or a turn of a socket. failed: the socket has failed.
	Event func(v *Visit, from Side, failed bool)
	// Deadline returns the latest end of the state, in ms of stat.Now; or Never.
	Deadline func(v *Visit) int64
	// Overdue is called at the deadline. The leaving state has none, see expired.
	Overdue func(v *Visit)
	// Lost is called after Event if the client's connection has failed. If Event has changed the
	// state, Lost of the new state is called.
	Lost func(v *Visit)
}

// StateTable has a row for each state.
type StateTable [Leaving + 1]StateRow

// CommonStates returns the rows of the states that both modes have. The other rows are empty.
func CommonStates() StateTable {
	return StateTable{
		Free: {Letter: '-'},
		Dialing: {
			Letter:   'C',
			Event:    func(v *Visit, from Side, _ bool) { v.tendDial(from) },
			Deadline: (*Visit).dialEnds,
			Overdue:  (*Visit).dialedTooLong,
			Lost:     (*Visit).lostWhileDialing,
		},
		Pausing: {
			Letter:   'C',
			Deadline: func(v *Visit) int64 { return v.S.Since + int64(v.S.wait) },
			Overdue:  func(v *Visit) { v.retry(v.S.pickAgain) },
			Lost:     (*Visit).lostWhileDialing,
		},
		Relaying: {
			Letter:   'D',
			Event:    (*Visit).relayOn,
			Deadline: func(v *Visit) int64 { return min(v.quiet(Client), v.quiet(Server)) },
			Overdue:  (*Visit).relayedTooQuietly,
			Lost:     (*Visit).lostWhileRelaying,
		},
		Leaving: {
			Letter:   '-',
			Event:    func(v *Visit, _ Side, failed bool) { v.leaveOn(failed) },
			Deadline: func(v *Visit) int64 { return min(v.Now()+int64(v.S.wait), v.S.Since+v.grace()) },
		},
	}
}

// row returns the row of the session's state.
func (v *Visit) row() *StateRow { return v.Mode.Row(v.S.State) }

// term returns the termination state of a session that ends now. who is the first letter.
func (v *Visit) term(who byte) [2]byte {
	return Term(who, v.row().Letter)
}

// deadline returns the latest end of the session's state, in ms of stat.Now; or Never.
func (v *Visit) deadline() int64 {
	if ends := v.row().Deadline; ends != nil {
		return ends(v)
	}
	return Never
}

// wake handles an event of one of the session's sockets. events 0 means that it is the socket's
// turn after Yield.
func (v *Visit) wake(from Side, events uint32) {
	v.meet(from, events)
	if events == 0 {
		v.S.Sock[from].flags &^= waiting
	}
	failed := v.note(from, events)
	if events != 0 && !failed && v.S.moves() {
		v.Yield(Client)
		return
	}
	if event := v.row().Event; event != nil {
		event(v, from, failed)
	}
	if lost := v.row().Lost; lost != nil && failed && from == Client {
		lost(v) // no client receives an answer any more
	}
	v.Settle()
}

// expired is called when the session's timer fires. If the deadline is later than when the timer
// was armed, expired arms the timer again.
func (v *Visit) expired() {
	v.retryStarved()
	if v.S.State == Leaving { // its timer fires at intervals
		v.lookAgain()
		return
	}
	if at := v.deadline(); at > v.Now() {
		if at != Never {
			v.Reactor.Arm(v.ID, at)
		}
		return
	}
	v.meet(Client, MetTimeout)
	v.row().Overdue(v)
	v.Settle() // the next state has armed its own deadline
}
