package session

import (
	"net/netip"

	"sluice/engine/acl"
	"sluice/engine/relay"
	"sluice/sniff"
)

// startInspecting evaluates the rules before any byte is read. If the first rules need only
// addresses, they decide at once. Then a client that expects the server to send first is connected
// without delay.
func (m *modeTCP) startInspecting() {
	m.Sniffed, m.Facts.Received = sniff.Facts{}, 0
	if m.decide(nil, false) == Left {
		return
	}
	m.Enter(Inspecting)
	m.Stock.Assign(&m.S.Flow[Client], relay.ForInspection)
	m.S.Flow[Client].Set(relay.SourceReady)
	m.inspect()
}

// inspect reads until the rules can decide. Most clients have sent enough bytes before they are
// accepted. In that case no byte is held, and the socket is not registered before the decision.
func (m *modeTCP) inspect() {
	in := &m.S.Flow[Client]
	for {
		view, e := m.Stock.Look(in, in, int(m.S.Sock[Client].FD), true)
		if e != 0 {
			m.abandoned('C')
			return
		}
		if len(view.Bytes) == 0 {
			break
		}
		m.S.Sock[Client].Seen = m.Now()
		if m.look(view) == Left {
			return
		}
	}
	if in.Has(relay.SourceEnded | relay.SourceDoubtful) { // a reset came with the FIN
		m.abandoned('C')
		return
	}
	if in.Has(relay.SourceEnded) {
		m.decideLast()
		return
	}
	if !m.Watch(Client) {
		m.End(Ending{Term: m.term('R')})
	}
}

// look passes the bytes that the client has sent to sniff, and holds them if the rules need more
// bytes.
func (m *modeTCP) look(view relay.View) Result {
	in := &m.S.Flow[Client]
	if view.InSocket() && in.Has(relay.SourceDoubtful) { // a peek does not return the error of a reset
		m.abandoned('C')
		return Left
	}
	last := len(view.Bytes) >= sniff.MaxWire || m.Stock.Full(&view) || view.InSocket() && in.Has(relay.SourceClosing)
	if m.sniff(view, last) == Left {
		return Left
	}
	m.Stock.Leave(in, in, int(m.S.Sock[Client].FD), view)
	return Waits
}

// sniff parses the bytes that the client has sent, and evaluates the rules. If last is true, no
// more bytes will be examined.
func (m *modeTCP) sniff(view relay.View, last bool) Result {
	m.Scanner.Sniff(&m.S.Sniff, view.Bytes, &m.Sniffed)
	m.Facts.Received = len(view.Bytes)
	return m.decide(view.Loose(), last)
}

// decideLast evaluates the rules on the bytes that the client has sent, possibly none. No more
// bytes will come.
func (m *modeTCP) decideLast() { m.sniff(m.sent(), true) }

// abandoned ends the session of a client that has failed, or whose timeout has expired. who is the
// first letter of the termination state. As in HAProxy, the rules still decide on the bytes that the
// client has sent. A rule may reject the client. Otherwise the session counts as a bad request, and
// for the backend that the rules choose.
func (m *modeTCP) abandoned(who byte) {
	view := m.sent()
	m.Scanner.Sniff(&m.S.Sniff, view.Bytes, &m.Sniffed)
	m.Facts.Received = len(view.Bytes)
	m.tellFacts(true)
	d := m.Frontend.Rules.Decide(&m.Facts)
	m.keep(view.Loose())
	if d.Verdict == acl.Refuse {
		m.reject()
		return
	}
	if d.Backend >= 0 {
		m.UseBackend(int32(d.Backend))
		m.countRouted()
	}
	m.CountBadRequest()
	m.End(Ending{Term: m.term(who)})
}

// sent returns the bytes that the client has sent. It also reads bytes in the socket that no event
// has announced. After a failed read the view may be shorter than before, so the parsing starts
// again.
func (m *modeTCP) sent() relay.View {
	in, fd := &m.S.Flow[Client], int(m.S.Sock[Client].FD)
	in.Set(relay.SourceReady)
	m.S.Sniff = sniff.State{}
	view, _ := m.Stock.Look(in, in, fd, true)
	if len(view.Bytes) == 0 {
		view, _ = m.Stock.Look(in, in, fd, false)
	}
	return view
}

// decide evaluates the rules. It returns Waits if they need more bytes, otherwise Left. early are
// bytes that were read and that no flow holds. If last is true, the rules get no more bytes: the
// client has sent FIN, the time or memory for its bytes is used up, or no rule needs bytes.
func (m *modeTCP) decide(early []byte, last bool) Result {
	m.tellFacts(last)
	switch d := m.Frontend.Rules.Decide(&m.Facts); d.Verdict {
	case acl.More:
		return Waits
	case acl.Refuse:
		m.keep(early) // `option dontlognull` must know whether the client has sent a byte
		m.reject()
	case acl.Route:
		m.route(d.Backend, early)
	}
	return Left
}

// tellFacts sets the facts that rules read, except the client's bytes. last means that no more bytes
// will be examined.
func (m *modeTCP) tellFacts(last bool) {
	m.Facts.Src = m.S.ClientAddr()
	m.Facts.Final = last
	if m.Facts.Dst = (netip.AddrPort{}); m.Frontend.Needs.Dst {
		m.Facts.Dst = LocalAddr(int(m.S.Sock[Client].FD))
	}
}

// reject ends the session of a client that a tcp-request content rule rejects.
func (m *modeTCP) reject() {
	m.CountDeniedRequest()
	m.End(Ending{Term: Term('P', 'R')})
}

// inspectingEnds returns the deadline of the inspecting state. With inspect-delay, timeout client
// ends the session if it expires first, as in HAProxy. Without inspect-delay, InspectTimeout is never
// longer than timeout client.
func (m *modeTCP) inspectingEnds() int64 {
	return min(m.S.Since+m.Frontend.InspectTimeout, m.clientEnds())
}

// clientEnds returns the time when timeout client expires in the inspecting state with inspect-delay;
// otherwise Never.
func (m *modeTCP) clientEnds() int64 {
	if !m.Frontend.Lenient {
		return Never
	}
	return m.ClientDeadline()
}

// inspectedLongEnough is called at the deadline of the inspecting state. It ends a session whose
// HTTP head or TLS hello is incomplete. There are two exceptions: inspect-delay is configured, or
// the client has sent nothing, because the server may have to send first. The rules then decide on
// the bytes present.
func (m *modeTCP) inspectedLongEnough() {
	if m.clientEnds() <= m.Now() && m.Now() < m.S.Since+m.Frontend.InspectTimeout {
		m.abandoned('c')
		return
	}
	view := m.sent()
	m.Scanner.Sniff(&m.S.Sniff, view.Bytes, &m.Sniffed)
	if len(view.Bytes) > 0 && !m.Frontend.Lenient && m.Sniffed.Verdict() == sniff.More {
		m.abandoned('c')
		return
	}
	if !m.Frontend.Lenient {
		m.S.Sock[Client].Seen = m.Now() // nobody has configured this wait, so it does not count against timeout client
	}
	m.sniff(view, true)
}
