package engine

import (
	"sluice/engine/acl"
	"sluice/engine/relay"
	"sluice/sniff"
)

// sourceOfUnix is the flag for UNIX sockets, on which a short read does not prove that the
// socket is empty.
const sourceOfUnix = relay.SourceExact

// startInspecting evaluates the rules before any byte is read. If the first rules need only
// addresses, they decide at once. A client that waits for its server to speak first then need
// not wait.
func (l *loop) startInspecting(id int32, s *session) {
	l.sniffed, l.facts.Received = sniff.Facts{}, 0
	if l.decide(id, s, nil, false) {
		return
	}
	l.enter(id, s, inspecting)
	l.stock.Assign(&s.flow[client], relay.ForInspection)
	s.flow[client].Set(relay.SourceReady)
	l.inspect(id, s)
}

// inspect reads until the rules can decide. Most clients have sent enough bytes before they are
// accepted. Then no byte is held, and the socket is not registered yet.
func (l *loop) inspect(id int32, s *session) {
	in := &s.flow[client]
	for {
		v, e := l.stock.Look(in, in, int(s.sock[client].fd), true)
		if e != 0 {
			l.end(id, s, ending{term: term('C', 'R')})
			return
		}
		if len(v.Bytes) == 0 {
			break
		}
		s.sock[client].seen = l.now
		if l.look(id, s, v) {
			return
		}
	}
	if in.Has(relay.SourceEnded | relay.SourceDoubtful) { // a reset came with the FIN
		l.end(id, s, ending{term: term('C', 'R')})
		return
	}
	if in.Has(relay.SourceEnded) {
		l.decideLast(id, s)
		return
	}
	if !l.watch(id, s, client) {
		l.end(id, s, ending{term: term('R', 'R')})
	}
}

// look passes v, the bytes that the client has sent, to sniff, and keeps them if bytes are missing.
// It reports whether the session has left
// the inspecting state.
func (l *loop) look(id int32, s *session, v relay.View) bool {
	in := &s.flow[client]
	if v.InSocket() && in.Has(relay.SourceDoubtful) { // a peek does not return the error of a reset
		l.end(id, s, ending{term: term('C', 'R')})
		return true
	}
	last := len(v.Bytes) >= sniff.MaxWire || l.stock.Full(&v) || v.InSocket() && in.Has(relay.SourceClosing)
	if l.sniff(id, s, v, last) {
		return true
	}
	l.stock.Leave(in, in, int(s.sock[client].fd), v)
	return false
}

// sniff parses v, the bytes that the client has sent, and evaluates the rules. last says that no
// more bytes will be examined. It reports whether the rules have decided.
func (l *loop) sniff(id int32, s *session, v relay.View, last bool) bool {
	l.scanner.Sniff(&s.sniff, v.Bytes, &l.sniffed)
	l.facts.Received = len(v.Bytes)
	return l.decide(id, s, v.Loose(), last)
}

// decideLast evaluates the rules on the bytes that the client has sent, possibly none. No more
// bytes will come.
func (l *loop) decideLast(id int32, s *session) { l.sniff(id, s, l.sent(s), true) }

// sent returns the bytes that the client has sent. Some may be in the socket, for which no
// event comes. After a failed read the view may be shorter than before, so sniffing starts
// again.
func (l *loop) sent(s *session) relay.View {
	in, fd := &s.flow[client], int(s.sock[client].fd)
	in.Set(relay.SourceReady)
	s.sniff = sniff.State{}
	v, _ := l.stock.Look(in, in, fd, true)
	if len(v.Bytes) == 0 {
		v, _ = l.stock.Look(in, in, fd, false)
	}
	return v
}

// decide evaluates the rules and reports whether they have decided. early are bytes that were
// read and that no flow holds. last means that the rules get no more bytes. The reasons are
// that the client has sent FIN, that the time or memory for its bytes is used up, or that no
// rule needs bytes.
func (l *loop) decide(id int32, s *session, early []byte, last bool) bool {
	f := l.listeners[s.line].frontend
	l.facts.Src = s.clientAddr()
	l.facts.Final = last
	l.findDestination(f, int(s.sock[client].fd))
	switch d := f.rules.Decide(&l.facts); d.Verdict {
	case acl.More:
		return false
	case acl.Refuse:
		l.keep(s, early) // `option dontlognull` must know whether the client has sent a byte
		l.countDeniedRequest(s)
		l.end(id, s, ending{term: term('P', 'R')})
	case acl.Route:
		l.route(id, s, d.Backend, early)
	}
	return true
}

// inspectedLongEnough is called at the deadline of the inspecting state. The rules decide on
// the bytes present if inspect-delay is configured, or if the client has sent nothing: its
// server may have to speak first. Otherwise a session whose head or TLS hello is incomplete is
// ended.
func (l *loop) inspectedLongEnough(id int32, s *session) {
	f, v := l.listeners[s.line].frontend, l.sent(s)
	l.scanner.Sniff(&s.sniff, v.Bytes, &l.sniffed)
	if len(v.Bytes) > 0 && !f.lenient && l.sniffed.Verdict() == sniff.More {
		l.countBadRequest(f)
		l.end(id, s, ending{term: term('c', 'R')})
		return
	}
	l.sniff(id, s, v, true)
}
