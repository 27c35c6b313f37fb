package engine

import (
	"sluice/engine/acl"
	"sluice/engine/relay"
	"sluice/sniff"
)

// startInspecting evaluates the rules before any byte is read. If the first rules need only
// addresses, they decide at once. A client that waits for its server to speak first then need
// not wait.
func (v *visit) startInspecting() {
	v.sniffed, v.facts.Received = sniff.Facts{}, 0
	if v.decide(nil, false) {
		return
	}
	v.enter(inspecting)
	v.stock.Assign(&v.s.flow[client], relay.ForInspection)
	v.s.flow[client].Set(relay.SourceReady)
	v.inspect()
}

// inspect reads until the rules can decide. Most clients have sent enough bytes before they are
// accepted. Then no byte is held, and the socket is not registered yet.
func (v *visit) inspect() {
	in := &v.s.flow[client]
	for {
		view, e := v.stock.Look(in, in, int(v.s.sock[client].fd), true)
		if e != 0 {
			v.end(ending{term: term('C', 'R')})
			return
		}
		if len(view.Bytes) == 0 {
			break
		}
		v.s.sock[client].seen = v.now
		if v.look(view) {
			return
		}
	}
	if in.Has(relay.SourceEnded | relay.SourceDoubtful) { // a reset came with the FIN
		v.end(ending{term: term('C', 'R')})
		return
	}
	if in.Has(relay.SourceEnded) {
		v.decideLast()
		return
	}
	if !v.watch(client) {
		v.end(ending{term: term('R', 'R')})
	}
}

// look passes v, the bytes that the client has sent, to sniff, and keeps them if bytes are missing.
// It reports whether the session has left
// the inspecting state.
func (v *visit) look(view relay.View) bool {
	in := &v.s.flow[client]
	if view.InSocket() && in.Has(relay.SourceDoubtful) { // a peek does not return the error of a reset
		v.end(ending{term: term('C', 'R')})
		return true
	}
	last := len(view.Bytes) >= sniff.MaxWire || v.stock.Full(&view) || view.InSocket() && in.Has(relay.SourceClosing)
	if v.sniff(view, last) {
		return true
	}
	v.stock.Leave(in, in, int(v.s.sock[client].fd), view)
	return false
}

// sniff parses v, the bytes that the client has sent, and evaluates the rules. last says that no
// more bytes will be examined. It reports whether the rules have decided.
func (v *visit) sniff(view relay.View, last bool) bool {
	v.scanner.Sniff(&v.s.sniff, view.Bytes, &v.sniffed)
	v.facts.Received = len(view.Bytes)
	return v.decide(view.Loose(), last)
}

// decideLast evaluates the rules on the bytes that the client has sent, possibly none. No more
// bytes will come.
func (v *visit) decideLast() { v.sniff(v.sent(), true) }

// sent returns the bytes that the client has sent. Some may be in the socket, for which no
// event comes. After a failed read the view may be shorter than before, so sniffing starts
// again.
func (v *visit) sent() relay.View {
	in, fd := &v.s.flow[client], int(v.s.sock[client].fd)
	in.Set(relay.SourceReady)
	v.s.sniff = sniff.State{}
	view, _ := v.stock.Look(in, in, fd, true)
	if len(view.Bytes) == 0 {
		view, _ = v.stock.Look(in, in, fd, false)
	}
	return view
}

// decide evaluates the rules and reports whether they have decided. early are bytes that were
// read and that no flow holds. last means that the rules get no more bytes. The reasons are
// that the client has sent FIN, that the time or memory for its bytes is used up, or that no
// rule needs bytes.
func (v *visit) decide(early []byte, last bool) bool {
	v.facts.Src = v.s.clientAddr()
	v.facts.Final = last
	v.findDestination(v.f, int(v.s.sock[client].fd))
	switch d := v.f.rules.Decide(&v.facts); d.Verdict {
	case acl.More:
		return false
	case acl.Refuse:
		v.keep(early) // `option dontlognull` must know whether the client has sent a byte
		v.countDeniedRequest()
		v.end(ending{term: term('P', 'R')})
	case acl.Route:
		v.route(d.Backend, early)
	}
	return true
}

// inspectedLongEnough is called at the deadline of the inspecting state. The rules decide on
// the bytes present if inspect-delay is configured, or if the client has sent nothing: its
// server may have to speak first. Otherwise a session whose head or TLS hello is incomplete is
// ended.
func (v *visit) inspectedLongEnough() {
	view := v.sent()
	v.scanner.Sniff(&v.s.sniff, view.Bytes, &v.sniffed)
	if len(view.Bytes) > 0 && !v.f.lenient && v.sniffed.Verdict() == sniff.More {
		v.countBadRequest()
		v.end(ending{term: term('c', 'R')})
		return
	}
	v.sniff(view, true)
}
