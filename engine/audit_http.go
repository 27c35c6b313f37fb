package engine

import (
	"fmt"

	"sluice/engine/relay"
)

// flows returns the flows of the exchange.
func (m *modeHTTP) flows() []*relay.Flow {
	x := m.x
	return []*relay.Flow{&x.ahead[client], &x.ahead[server], &x.logPieces, &x.sent}
}

// audited checks that no mark or byte of one request remains for the next.
func (m *modeHTTP) audited() audited {
	a := audited{own: m.x.has(local), idles: m.x.has(idle), wants: [2]bool{m.wants(client), m.wants(server)}}
	if a.idles {
		a.idle = m.site.Backends[m.x.idleBackend].Server(m.x.idleServer)
	}
	unless := func(holds bool, what string, args ...any) {
		if !holds {
			a.wrong = append(a.wrong, fmt.Sprintf(what, args...))
		}
	}
	m.auditIdle(&a, unless)
	x := m.x
	switch m.s.state {
	case asking:
		unless(x.marks&(outstanding|reused|local) == 0, "marks of the last request are left: %b", x.marks)
		unless(x.logPieces.Pending() == 0, "the last request's line is left")
		unless(x.status == 0, "the last answer's status %d is left", x.status)
	case exchanging, dialing, pausing:
		unless(x.has(outstanding) || x.has(local), "no request is outstanding")
	case relaying:
		unless(x.ahead[client].Pending()+x.ahead[server].Pending() == 0, "a tunnel keeps bytes back")
	case leaving:
	default:
		unless(false, "it is in mode http and in state %d", m.s.state)
	}
	return a
}

// auditIdle: an idle connection has no bytes left, and is not in use.
func (m *modeHTTP) auditIdle(a *audited, unless func(bool, string, ...any)) {
	x, s := m.x, m.s
	if !a.idles || s.state == leaving {
		return
	}
	clean := x.ahead[server].Pending() == 0 && s.flow[client].Pending() == 0 && s.flow[server].Pending() == 0
	unless(clean || a.own, "the idle server's connection has something under way")
	unless(s.state != asking || m.unharmed(server), "the idle server's connection is about to end")
	serving := s.state == dialing || s.state == relaying || s.state == exchanging && !a.own
	unless(!serving, "the connection that is used is idle")
}

// wants reports whether bytes from one side are passed on in this state.
func (m *modeHTTP) wants(from side) bool {
	switch {
	case m.s.state == relaying:
		return !m.s.flow[from].Has(relay.SourceEnded)
	case m.x.has(local):
		return false
	case from == server && !m.x.flow.Answered():
		return true
	}
	body := m.x.body(from)
	return !body.Done() && !body.Broken()
}
