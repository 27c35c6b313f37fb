package engine

// stateRow describes a state of a session: the functions that do its work. A function that is nil does
// nothing.
type stateRow struct {
	letter   byte                                   // second letter of the termination state, as in HAProxy's log; 0: see modeHTTP.phase
	event    func(v *visit, from side, failed bool) // handles an event or a turn of a socket; failed: the socket has failed
	deadline func(v *visit) int64                   // returns the latest end of the state, in ms of stat.Now; or never
	overdue  func(v *visit)                         // is called at the deadline
	lost     func(v *visit)                         // is called if the client's connection has failed, and event has not ended the session
}

// states has a row for each state. It is filled by init: its functions read it themselves.
var states [leaving + 1]stateRow

func init() {
	states = [leaving + 1]stateRow{
		free: {letter: '-'},
		inspecting: {
			letter:   'R',
			event:    func(v *visit, _ side, _ bool) { v.tcp.inspect() },
			deadline: func(v *visit) int64 { return v.s.since + v.f.InspectTimeout },
			overdue:  func(v *visit) { v.tcp.inspectedLongEnough() },
		},
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
		asking: {
			letter:   'R',
			event:    func(v *visit, from side, _ bool) { v.http.askOn(from) },
			deadline: func(v *visit) int64 { return v.http.askingEnds() },
			overdue:  func(v *visit) { v.http.askedTooLate() },
			lost:     func(v *visit) { v.http.endAsking() },
		},
		exchanging: {
			event:    func(v *visit, from side, failed bool) { v.http.exchangeOn(from, failed) },
			deadline: func(v *visit) int64 { return min(v.http.exchangeQuiet(client), v.http.exchangeQuiet(server)) },
			overdue:  func(v *visit) { v.http.exchangeOverdue() },
			lost:     func(v *visit) { v.http.lostClient() },
		},
		leaving: {
			letter:   '-',
			event:    func(v *visit, _ side, failed bool) { v.leaveOn(failed) },
			deadline: func(v *visit) int64 { return min(v.now+int64(v.s.wait), v.s.since+v.grace()) },
		},
	}
}

// row returns the row of the session's state.
func (v *visit) row() *stateRow { return &states[v.s.state] }

// term returns the termination state of a session that ends now. who is the first letter.
func (v *visit) term(who byte) [2]byte {
	if letter := v.row().letter; letter != 0 {
		return term(who, letter)
	}
	return term(who, v.http.phase())
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
	if at := v.deadline(); at > v.now {
		if at != never {
			v.clock.arm(v.id, at, v.now)
		}
		return
	}
	v.meet(client, metTimeout)
	v.row().overdue(v)
	v.settle() // the next state has armed its own deadline
}
