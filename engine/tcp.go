package engine

import (
	"fmt"

	"sluice/engine/access"
	"sluice/engine/relay"
	"sluice/engine/sock"
	"sluice/pool"
)

// modeTCP relays the two directions of a connection. The first bytes decide on the backend.
type modeTCP struct {
	*visit
	record access.HTTPRecord     // for log lines; contains no request
	own    reserve[[2]sock.Addr] // local addresses of ending sessions, by session and side
}

// newModeTCP reserves memory for the addresses of that many sessions.
func newModeTCP(v *visit, sessions int) (mode, error) {
	m := &modeTCP{visit: v}
	var err error
	if m.own, err = newReserve[[2]sock.Addr](sessions + 1); err != nil {
		return m, fmt.Errorf("memory for %d sessions' addresses: %w", sessions, err)
	}
	return m, nil
}

// tcpStates are the functions of mode tcp for each state. It is filled by init: its functions read it.
var tcpStates stateTable

func init() {
	tcpStates = commonStates()
	tcpStates[inspecting] = stateRow{
		letter:   'R',
		event:    func(v *visit, _ side, _ bool) { v.mode.(*modeTCP).inspect() },
		deadline: func(v *visit) int64 { return v.s.since + v.f.InspectTimeout },
		overdue:  func(v *visit) { v.mode.(*modeTCP).inspectedLongEnough() },
	}
}

func (m *modeTCP) row(s state) *stateRow { return &tcpStates[s] }

func (m *modeTCP) resume() {}

func (m *modeTCP) close() { m.own.close() }

// begin reads the first bytes if a rule needs some. Otherwise the rules decide at once.
func (m *modeTCP) begin() {
	if m.f.Needs.Bytes {
		m.startInspecting()
		return
	}
	m.decide(nil, true)
}

// claimed returns nil: only requests name servers.
func (m *modeTCP) claimed(*pool.Server) *pool.Server { return nil }

// connected starts relaying.
func (m *modeTCP) connected() {
	m.enter(relaying)
	m.relay()
}

// refused closes the client's connection.
func (m *modeTCP) refused(t [2]byte) {
	m.hearLast() // closing a socket with unread bytes would send RST
	m.end(ending{term: t})
}

// clientDeadline returns the end of timeout client.
func (m *modeTCP) clientDeadline() int64 { return after(m.s.sock[client].seen, m.f.ClientTimeout) }

// drain does nothing: a relayed connection ends when its client or server ends it.
func (m *modeTCP) drain() {}

// cuts reports false: the end of an answer is not known.
func (m *modeTCP) cuts() bool { return false }

func (m *modeTCP) verbatim() bool { return true }

// over asks for the local addresses, because the log line is written after the sockets are closed.
func (m *modeTCP) over([2]byte) {
	if m.f.Line.AsksAddresses() {
		askOwn(m.s, m.own.at(m.id))
	}
}

// log writes the log line of a session.
func (m *modeTCP) log() {
	if !m.logs() {
		return
	}
	opt := &m.f.Conf.Log
	normal := m.s.term[0] == '-' && m.s.tries == 0
	if opt.DontLogNull && m.s.received == 0 || opt.DontLogNormal && normal {
		return
	}
	r := &m.record
	r.Record = m.recordOf()
	r.Bytes, r.Uploaded = m.s.flow[server].Bytes, uint64(m.s.received)
	if m.f.Line.AsksAddresses() {
		tellOwn(m.s, &r.Record, m.own.at(m.id))
	}
	m.sendLine(m.f, r, normal)
}

// uncounted returns all bytes of the session.
func (m *modeTCP) uncounted() (in, out int64) { return m.s.received, int64(m.s.flow[server].Bytes) }

func (m *modeTCP) flows() []*relay.Flow { return nil }

func (m *modeTCP) audited() audited {
	var a audited
	for from := range side(2) {
		a.wants[from] = !m.s.flow[from].Has(relay.SourceEnded)
	}
	return a
}
