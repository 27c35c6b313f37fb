package engine

// askingEnds returns when a client must have sent its next request: its head,
// once begun or if it is the first, within timeout http-request; the next one
// begun within timeout http-keep-alive.
func (l *loop) askingEnds(id int32, s *session) int64 {
	f, x := l.listeners[s.line].frontend, l.exchanges.at(id)
	if x.has(begun) || x.asked == 0 {
		return after(s.since, f.request)
	}
	return after(s.since, f.between)
}

// askedTooLate is called when that time is up.
func (l *loop) askedTooLate(id int32, s *session) {
	x := l.exchanges.at(id)
	if l.unasked(id, s) {
		l.end(id, s, ending{term: term('-', '-')})
		return
	}
	l.countUnasked(l.listeners[s.line].frontend)
	l.refuse(id, s, x, 408, term('c', 'R'))
}

// exchangeQuiet returns when a side will have been quiet for too long: the
// client while it owes the rest of its request or has bytes to take, the server
// while it owes the rest of its answer or has bytes to take.
func (l *loop) exchangeQuiet(id int32, s *session, which side) int64 {
	x := l.exchanges.at(id)
	takes := s.blocked(which.other())
	if x.has(local) { // maybe without a backend
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

// exchangeOverdue is called when one of them has been.
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
