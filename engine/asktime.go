package engine

// askingEnds returns the deadline of the asking state. The head of the first request, and of
// any request that has begun, must be complete within timeout http-request. The first byte of a
// later request must come within timeout http-keep-alive.
func (v *visit) askingEnds() int64 {
	if v.x.has(begun) || v.x.asked == 0 {
		return after(v.s.since, v.f.request)
	}
	return after(v.s.since, v.f.between)
}

// askedTooLate ends a session at the deadline of the asking state.
func (v *visit) askedTooLate() {
	if v.unasked() {
		v.end(ending{term: term('-', '-')})
		return
	}
	v.countUnasked()
	v.refuse(408, term('c', 'R'))
}

// exchangeQuiet returns when the timeout of a side expires. The timeout of the client runs
// while bytes wait for it, or while the rest of its request is missing and would be read at
// once. The timeout of the server does the same with the answer. If this proxy answers itself,
// only the timeout of a client for which bytes wait runs.
func (v *visit) exchangeQuiet(which side) int64 {
	takes := v.s.blocked(which.other())
	if v.x.has(local) { // the request may have no backend
		if which == server || !takes {
			return never
		}
		return after(v.s.sock[client].seen, v.f.client)
	}
	owes := !v.x.body(which).Done() || which == server && !v.x.flow.Answered()
	if !takes && (!owes || v.s.blocked(which)) {
		return never
	}
	return after(v.s.sock[which].seen, v.sideTimeout(which))
}

// exchangeOverdue ends a session after the timeout of one side has expired.
func (v *visit) exchangeOverdue() {
	status, t := 504, term('s', v.phase())
	if v.exchangeQuiet(client) < v.exchangeQuiet(server) {
		status, t = 408, term('c', v.phase())
	}
	if v.x.flow.Answered() {
		v.cutAnswer(t)
		return
	}
	if status == 504 {
		v.countBadAnswer()
	}
	v.refuse(status, t)
}
