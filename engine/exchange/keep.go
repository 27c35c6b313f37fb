package exchange

import (
	"sluice/engine/relay"
	"sluice/engine/session"
)

// This file holds the predicates that decide whether an exchange is over, a connection is kept or
// reused, and a request is repeated. Each of them lists all conditions that must hold.

// requestWritten reports whether the whole request is written to the server's socket.
func (m *modeHTTP) requestWritten() bool {
	return m.x.flow.Request.Done() && m.S.Flow[client].Pending() == 0
}

// answerWritten reports whether the whole final answer is written to the client's socket.
func (m *modeHTTP) answerWritten() bool {
	return m.x.flow.Answered() && m.x.flow.Response.Done() && m.S.Flow[server].Pending() == 0
}

// exchangeOver lists all conditions under which an exchange ends in the regular way: the answer is
// written, and so is the request. The request need not be written if this proxy answers it, or if
// its server has failed, because no server reads the rest.
func (m *modeHTTP) exchangeOver() bool {
	return m.answerWritten() && (m.x.has(local) || m.requestWritten() || m.S.Sock[server].Has(session.Broken))
}

// keepsServer lists all conditions under which the server's connection is kept for another
// request.
func (m *modeHTTP) keepsServer() bool {
	return !m.x.has(local) && m.x.flow.KeepServer() &&
		m.requestWritten() && m.answerWritten() &&
		m.x.ahead[server].Pending() == 0 && m.Unharmed(server)
}

// keepsClient lists all conditions under which the client may send another request on its
// connection.
func (m *modeHTTP) keepsClient() bool {
	return m.x.flow.KeepClient() && m.x.flow.Request.Done() && m.answerWritten() && !m.S.Sock[client].Has(session.Finished|session.Broken)
}

// leaves lists the conditions under which the request under way is the last one of its client's
// connection: the process stops, or the newest site has not the session's frontend.
func (m *modeHTTP) leaves() bool { return m.Draining || m.Stale() && !m.Lasts() }

// idleFits lists all conditions under which a request may use the idle connection of a server. If
// the kernel had no memory for a read, bytes after the last answer may be in the socket. If the
// server's address has changed, the connection leads to the former address.
func (m *modeHTTP) idleFits() bool {
	return m.x.has(idle) && m.Unharmed(server) && !m.S.Flow[server].Has(relay.Starved) &&
		m.x.idleBackend == m.S.Backend && (m.x.claim.Server < 0 || m.x.claim.Server == m.x.idleServer) &&
		m.Backend.Server(m.x.idleServer).Usable() && m.Backend.Server(m.x.idleServer).Moves() == m.S.ServerMoves
}

// idleLasts lists all conditions under which the idle connection of a server is kept for the newest
// site. The server is found by its slot, which is the same for all sites.
func (m *modeHTTP) idleLasts() bool {
	was := m.Site.Backends[m.x.idleBackend]
	is := m.Newest().Backend(was.Name)
	return is != nil && is.Backend == was.Backend && !is.ClosesServer &&
		is.Server(m.x.idleServer).Usable() && is.Server(m.x.idleServer).Moves() == m.S.ServerMoves
}

// mayRepeat lists all conditions under which a request is sent again on a new connection:
//   - It was sent on a connection that had served another request. The server may have closed
//     that connection at this moment (RFC 9112 9.3.1).
//   - No byte of an answer has come.
//   - The request was not sent a second time before.
//   - A copy of all bytes sent is held. Only requests with an idempotent method are copied
//     (RFC 9110 9.2.2).
func (m *modeHTTP) mayRepeat() bool {
	return m.x.has(reused) && !m.x.has(heard) && !m.x.has(resent) && m.x.sent.Pending() > 0
}
