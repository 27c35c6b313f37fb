package exchange

import (
	"fmt"

	"sluice/engine/relay"
	"sluice/engine/session"
)

// Flows returns the flows of the exchange, in which bytes may be held.
func (m *modeHTTP) Flows() []*relay.Flow {
	x := m.x
	return []*relay.Flow{&x.ahead[client], &x.ahead[server], &x.logPieces, &x.sent}
}

// Audited returns the facts of the exchange for an audit. It also checks that no mark or byte of
// one request remains for the next.
func (m *modeHTTP) Audited() session.Audited {
	a := session.Audited{Own: m.x.has(local), Idles: m.x.has(idle), Wants: [2]bool{m.wants(client), m.wants(server)}}
	if a.Idles {
		a.Idle = m.Site.Backends[m.x.idleBackend].Server(m.x.idleServer)
	}
	unless := func(holds bool, what string, args ...any) {
		if !holds {
			a.Wrong = append(a.Wrong, fmt.Sprintf(what, args...))
		}
	}
	m.auditIdle(&a, unless)
	x := m.x
	switch m.S.State {
	case session.Asking:
		unless(x.marks&(outstanding|reused|local) == 0, "marks of the last request are left: %b", x.marks)
		unless(x.logPieces.Pending() == 0, "the last request's line is left")
		unless(x.has(begun) || !m.Stale() || !m.Lasts(), "no request has begun, and the site is an old one")
		unless(x.status == 0, "the last answer's status %d is left", x.status)
	case session.Exchanging, session.Dialing, session.Pausing:
		unless(x.has(outstanding) || x.has(local), "no request is outstanding")
	case session.Relaying:
		unless(x.ahead[client].Pending()+x.ahead[server].Pending() == 0, "a tunnel keeps bytes back")
	case session.Leaving:
	default:
		unless(false, "it is in mode http and in state %d", m.S.State)
	}
	return a
}

// auditIdle: an idle connection has no bytes left, and is not in use.
func (m *modeHTTP) auditIdle(a *session.Audited, unless func(bool, string, ...any)) {
	x, s := m.x, m.S
	if !a.Idles || s.State == session.Leaving {
		return
	}
	clean := x.ahead[server].Pending() == 0 && s.Flow[client].Pending() == 0 && s.Flow[server].Pending() == 0
	unless(clean || a.Own, "the idle server's connection has something under way")
	unless(s.State != session.Asking || m.Unharmed(server), "the idle server's connection is about to end")
	serving := s.State == session.Dialing || s.State == session.Relaying || s.State == session.Exchanging && !a.Own
	unless(!serving, "the connection that is used is idle")
}

// wants reports whether bytes from one side are passed on in this state.
func (m *modeHTTP) wants(from side) bool {
	switch {
	case m.S.State == session.Relaying:
		return !m.S.Flow[from].Has(relay.SourceEnded)
	case m.x.has(local):
		return false
	case from == server && !m.x.flow.Answered():
		return true
	}
	body := m.x.body(from)
	return !body.Done() && !body.Broken()
}
