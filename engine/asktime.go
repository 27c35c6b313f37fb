package engine

// askingEnds returns the deadline of the asking state. The head of the first request, and of
// any request that has begun, must be complete within timeout http-request. The first byte of a
// later request must come within timeout http-keep-alive.
func (l *loop) askingEnds(id int32, s *session) int64 {
	f, x := l.listeners[s.line].frontend, l.exchanges.at(id)
	if x.has(begun) || x.asked == 0 {
		return after(s.since, f.request)
	}
	return after(s.since, f.between)
}

// askedTooLate ends a session at the deadline of the asking state.
func (l *loop) askedTooLate(id int32, s *session) {
	x := l.exchanges.at(id)
	if l.unasked(id, s) {
		l.end(id, s, ending{term: term('-', '-')})
		return
	}
	l.countUnasked(l.listeners[s.line].frontend)
	l.refuse(id, s, x, 408, term('c', 'R'))
}

// exchangeQuiet returns when the timeout of a side expires. The timeout of the client runs
// while bytes wait for it, or while the rest of its request is missing and would be read at
// once. The timeout of the server does the same with the answer. If this proxy answers itself,
// only the timeout of a client for which bytes wait runs.
func (l *loop) exchangeQuiet(id int32, s *session, which side) int64 {
	x := l.exchanges.at(id)
	takes := s.blocked(which.other())
	if x.has(local) { // the request may have no backend
		if which == server || !takes {
			return never
		}
		return after(s.sock[client].seen, l.listeners[s.line].frontend.client)
	}
	owes := !x.body(which).Done() || which == server && !x.flow.Answered()
	if !takes && (!owes || s.blocked(which)) {
		return never
	}
	return after(s.sock[which].seen, l.sideTimeout(s, which))
}

// exchangeOverdue ends a session after the timeout of one side has expired.
func (l *loop) exchangeOverdue(id int32, s *session) {
	x := l.exchanges.at(id)
	status, t := 504, term('s', l.phase(id))
	if l.exchangeQuiet(id, s, client) < l.exchangeQuiet(id, s, server) {
		status, t = 408, term('c', l.phase(id))
	}
	if x.flow.Answered() {
		l.cutAnswer(id, s, x, t)
		return
	}
	if status == 504 {
		l.countBadAnswer(s)
	}
	l.refuse(id, s, x, status, t)
}
