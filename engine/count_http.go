package engine

import (
	"sluice/conf"
	"sluice/engine/acl"
)

// This file counts requests, as count.go counts sessions.

// countAsked counts a request whose head is complete.
func (m *modeHTTP) countAsked() {
	m.f.Stat.Requests.Request(m.now())
	m.process.stat.Requests.Request(m.now())
}

// countUnasked counts a request whose head never became complete or was malformed. It counts as
// a request and as a bad request.
func (m *modeHTTP) countUnasked() {
	m.countAsked()
	m.f.Stat.FailedReq.Inc()
}

// countRequested counts that a request was given to its backend.
func (m *modeHTTP) countRequested() {
	m.countRouted()
	m.b.Stat.Requests.Request(m.now())
}

// countRule counts a rule that answers in place of a server.
func (m *modeHTTP) countRule(r *acl.HTTPRule) {
	switch {
	case r.Action != conf.Deny && m.facts.Response == nil:
		m.countIntercepted()
	case r.Action != conf.Deny:
	case m.facts.Response != nil:
		m.countDeniedAnswer()
	default:
		m.countDeniedRequest()
	}
}

// countExchanged counts the end of a request and its bytes. The request may have no backend.
func (m *modeHTTP) countExchanged() {
	in, out := m.exchangedBytes()

	m.f.Stat.Requests.Response(int(m.x.status))
	m.f.Stat.Move(in, out)
	m.process.stat.Move(in, out)
	if m.b == nil {
		return
	}

	m.b.Stat.Requests.Response(int(m.x.status))
	m.countTimes(int64(m.s.queued-m.x.headDone), int64(m.x.answer-m.s.connected), m.x.answer >= 0)
	m.countAborts()
	m.b.Stat.Close(in, out)
	m.countServed(in, out)
}

// exchangedBytes returns the bytes of an exchange. For a request that was not sent to a server,
// in is the size of its head. As in HAProxy, the answer to an incomplete head counts as 0
// bytes.
func (m *modeHTTP) exchangedBytes() (in, out int64) {
	in, out = int64(m.uploaded()), int64(m.downloaded())
	if in == 0 {
		in = int64(m.x.head)
	}
	if m.x.headDone < 0 {
		out = 0
	}
	return in, out
}
