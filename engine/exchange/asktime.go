package exchange

import "sluice/engine/session"

// askingEnds returns the deadline of the asking state, in ms of stat.Now; or Never. The head of the
// first request, and of any request that has begun, must be complete within timeout http-request.
// The first byte of a later request must come within timeout http-keep-alive.
func (m *modeHTTP) askingEnds() int64 {
	if m.x.has(begun) || m.x.asked == 0 {
		return session.After(m.S.Since, m.Frontend.RequestTimeout)
	}
	return session.After(m.S.Since, m.Frontend.KeepAliveTimeout)
}

// askedTooLate ends a session at the deadline of the asking state, with status 408 unless unasked
// allows silence.
func (m *modeHTTP) askedTooLate() {
	if m.unasked() {
		m.End(session.Ending{Term: term('-', '-')})
		return
	}
	m.CountBadHead()
	m.refuse(408, term('c', 'R'))
}

// exchangeEnds returns the deadline of the exchanging state, in ms of stat.Now; or Never.
func (m *modeHTTP) exchangeEnds() int64 {
	return min(m.exchangeQuiet(client), m.exchangeQuiet(server))
}

// exchangeQuiet returns the time when the timeout of a side expires, in ms of stat.Now; or Never.
// The timeout of the client runs while bytes wait for the client. It also runs while a part of its
// request is missing and would be read at once. The timeout of the server runs under the same
// conditions, with the answer in place of the request. If this proxy answers itself, only the
// timeout of the client runs, and only while bytes wait for the client.
func (m *modeHTTP) exchangeQuiet(which side) int64 {
	takes := m.S.Blocked(which.Other())
	if m.x.has(local) { // the request may have no backend
		if which == server || !takes {
			return session.Never
		}
		return session.After(m.S.Sock[client].Seen, m.Frontend.ClientTimeout)
	}
	owes := !m.x.body(which).Done() || which == server && !m.x.flow.Answered()
	if !takes && (!owes || m.S.Blocked(which)) {
		return session.Never
	}
	return session.After(m.S.Sock[which].Seen, m.SideTimeout(which))
}

// exchangeOverdue ends a session after the timeout of one side has expired. It answers with status
// 408 for the client or 504 for the server. If the head of the final answer has come already, it
// cuts off that answer.
func (m *modeHTTP) exchangeOverdue() {
	status, t := 504, term('s', m.phase())
	if m.exchangeQuiet(client) < m.exchangeQuiet(server) {
		status, t = 408, term('c', m.phase())
	}
	if m.x.flow.Answered() {
		m.cutAnswer(t)
		return
	}
	if status == 504 {
		m.CountBadAnswer()
	}
	m.refuse(status, t)
}
