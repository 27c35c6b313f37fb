package session

import (
	"fmt"

	"sluice/engine/access"
	"sluice/engine/relay"
	"sluice/engine/reserve"
	"sluice/engine/sock"
	"sluice/pool"
)

// modeTCP relays the two directions of a connection. The first bytes decide on the backend.
type modeTCP struct {
	*Visit
	record access.HTTPRecord           // for log lines; contains no request
	own    reserve.Array[[2]sock.Addr] // local addresses of sessions that end, by session and side
}

// newModeTCP makes mode tcp. It reserves memory for the local addresses of the maximum number of
// sessions.
func newModeTCP(v *Visit, sessions int) (Mode, error) {
	m := &modeTCP{Visit: v}
	var err error
	if m.own, err = reserve.New[[2]sock.Addr](sessions + 1); err != nil {
		return m, fmt.Errorf("memory for %d sessions' addresses: %w", sessions, err)
	}
	return m, nil
}

// tcpStates are the functions of mode tcp for each state. init fills the table, because its
// functions refer to it.
var tcpStates StateTable

func init() {
	tcpStates = CommonStates()
	tcpStates[Inspecting] = StateRow{
		Letter:   'R',
		Event:    func(v *Visit, _ Side, _ bool) { v.Mode.(*modeTCP).inspect() },
		Deadline: func(v *Visit) int64 { return v.Mode.(*modeTCP).inspectingEnds() },
		Overdue:  func(v *Visit) { v.Mode.(*modeTCP).inspectedLongEnough() },
	}
}

// Row returns the functions of mode tcp for a state.
func (m *modeTCP) Row(s State) *StateRow { return &tcpStates[s] }

// Resume does nothing: mode tcp has no state for one session.
func (m *modeTCP) Resume() {}

// Close frees the memory for addresses.
func (m *modeTCP) Close() { m.own.Close() }

// Begin reads the first bytes if a rule needs some. Otherwise the rules decide at once.
func (m *modeTCP) Begin() {
	if m.Frontend.Needs.Bytes {
		m.startInspecting()
		return
	}
	m.decide(nil, true)
}

// Claimed returns nil: only HTTP requests name servers.
func (m *modeTCP) Claimed(*pool.Server) *pool.Server { return nil }

// Connected starts relaying. The timeout of the client starts again: until now this proxy has waited
// for first bytes, or for the server.
func (m *modeTCP) Connected() {
	m.S.Sock[Client].Seen = m.Now()
	m.Enter(Relaying)
	m.Relay()
}

// Refused closes the client's connection.
func (m *modeTCP) Refused(t [2]byte) {
	m.hearLast() // closing a socket with unread bytes would send RST
	m.End(Ending{Term: t})
}

// ClientDeadline returns the end of timeout client.
func (m *modeTCP) ClientDeadline() int64 {
	return After(m.S.Sock[Client].Seen, m.Frontend.ClientTimeout)
}

// Drain does nothing: a relayed connection ends when its client or server ends it.
func (m *modeTCP) Drain() {}

// Follow does nothing: a session keeps the site with which it began.
func (m *modeTCP) Follow() {}

// Cuts reports false, because mode tcp does not know whether an answer is complete.
func (m *modeTCP) Cuts() bool { return false }

// Verbatim reports true: mode tcp changes no byte.
func (m *modeTCP) Verbatim() bool { return true }

// Over reads the local addresses of the sockets if the log line contains them, because the log line
// is written after the sockets are closed.
func (m *modeTCP) Over([2]byte) {
	if m.Frontend.Line.AsksAddresses() {
		AskOwn(m.S, m.own.At(m.ID))
	}
}

// Log writes the log line of a session.
func (m *modeTCP) Log() {
	if !m.logs() {
		return
	}
	opt := &m.Frontend.Conf.Log
	normal := m.Normal(0)
	if opt.DontLogNull && m.S.received == 0 || opt.DontLogNormal && normal {
		return
	}
	r := &m.record
	r.Record = m.RecordOf()
	r.Bytes, r.Uploaded = m.S.Flow[Server].Bytes, uint64(m.S.received)
	if m.Frontend.Line.AsksAddresses() {
		TellOwn(m.S, &r.Record, m.own.At(m.ID))
	}
	m.SendLine(m.Frontend, r, normal)
}

// Uncounted returns all bytes of the session.
func (m *modeTCP) Uncounted() (in, out int64) { return m.S.received, int64(m.S.Flow[Server].Bytes) }

// Flows returns nil: mode tcp has no flows of its own.
func (m *modeTCP) Flows() []*relay.Flow { return nil }

// Audited reports that bytes from each side are passed on until its stream has ended.
func (m *modeTCP) Audited() Audited {
	var a Audited
	for from := range Side(2) {
		a.Wants[from] = !m.S.Flow[from].Has(relay.SourceEnded)
	}
	return a
}
