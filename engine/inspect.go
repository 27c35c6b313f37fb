package engine

import (
	"sluice/engine/acl"
	"sluice/engine/relay"
	"sluice/sniff"
)

// startInspecting evaluates the rules before any byte is read. If the first rules need only
// addresses, they decide at once. A client that waits for its server to speak first then need
// not wait.
func (m *modeTCP) startInspecting() {
	m.sniffed, m.facts.Received = sniff.Facts{}, 0
	if m.decide(nil, false) == left {
		return
	}
	m.enter(inspecting)
	m.stock.Assign(&m.s.flow[client], relay.ForInspection)
	m.s.flow[client].Set(relay.SourceReady)
	m.inspect()
}

// inspect reads until the rules can decide. Most clients have sent enough bytes before they are
// accepted. Then no byte is held, and the socket is not registered yet.
func (m *modeTCP) inspect() {
	in := &m.s.flow[client]
	for {
		view, e := m.stock.Look(in, in, int(m.s.sock[client].fd), true)
		if e != 0 {
			m.end(ending{term: m.term('C')})
			return
		}
		if len(view.Bytes) == 0 {
			break
		}
		m.s.sock[client].seen = m.now()
		if m.look(view) == left {
			return
		}
	}
	if in.Has(relay.SourceEnded | relay.SourceDoubtful) { // a reset came with the FIN
		m.end(ending{term: m.term('C')})
		return
	}
	if in.Has(relay.SourceEnded) {
		m.decideLast()
		return
	}
	if !m.watch(client) {
		m.end(ending{term: m.term('R')})
	}
}

// look passes the bytes that the client has sent to sniff, and keeps them if bytes are missing.
func (m *modeTCP) look(view relay.View) result {
	in := &m.s.flow[client]
	if view.InSocket() && in.Has(relay.SourceDoubtful) { // a peek does not return the error of a reset
		m.end(ending{term: m.term('C')})
		return left
	}
	last := len(view.Bytes) >= sniff.MaxWire || m.stock.Full(&view) || view.InSocket() && in.Has(relay.SourceClosing)
	if m.sniff(view, last) == left {
		return left
	}
	m.stock.Leave(in, in, int(m.s.sock[client].fd), view)
	return waits
}

// sniff parses the bytes that the client has sent, and evaluates the rules. last says that no more
// bytes will be examined.
func (m *modeTCP) sniff(view relay.View, last bool) result {
	m.scanner.Sniff(&m.s.sniff, view.Bytes, &m.sniffed)
	m.facts.Received = len(view.Bytes)
	return m.decide(view.Loose(), last)
}

// decideLast evaluates the rules on the bytes that the client has sent, possibly none. No more
// bytes will come.
func (m *modeTCP) decideLast() { m.sniff(m.sent(), true) }

// sent returns the bytes that the client has sent. Some may be in the socket, for which no
// event comes. After a failed read the view may be shorter than before, so sniffing starts
// again.
func (m *modeTCP) sent() relay.View {
	in, fd := &m.s.flow[client], int(m.s.sock[client].fd)
	in.Set(relay.SourceReady)
	m.s.sniff = sniff.State{}
	view, _ := m.stock.Look(in, in, fd, true)
	if len(view.Bytes) == 0 {
		view, _ = m.stock.Look(in, in, fd, false)
	}
	return view
}

// decide evaluates the rules. early are bytes that were read and that no flow holds. last means that the rules get no more bytes. The reasons are
// that the client has sent FIN, that the time or memory for its bytes is used up, or that no
// rule needs bytes.
func (m *modeTCP) decide(early []byte, last bool) result {
	m.facts.Src = m.s.clientAddr()
	m.facts.Final = last
	m.findDestination(m.f, int(m.s.sock[client].fd))
	switch d := m.f.Rules.Decide(&m.facts); d.Verdict {
	case acl.More:
		return waits
	case acl.Refuse:
		m.keep(early) // `option dontlognull` must know whether the client has sent a byte
		m.countDeniedRequest()
		m.end(ending{term: term('P', 'R')})
	case acl.Route:
		m.route(d.Backend, early)
	}
	return left
}

// inspectedLongEnough is called at the deadline of the inspecting state. The rules decide on
// the bytes present if inspect-delay is configured, or if the client has sent nothing: its
// server may have to speak first. Otherwise a session whose head or TLS hello is incomplete is
// ended.
func (m *modeTCP) inspectedLongEnough() {
	view := m.sent()
	m.scanner.Sniff(&m.s.sniff, view.Bytes, &m.sniffed)
	if len(view.Bytes) > 0 && !m.f.Lenient && m.sniffed.Verdict() == sniff.More {
		m.countBadRequest()
		m.end(ending{term: m.term('c')})
		return
	}
	m.sniff(view, true)
}
