package engine

import (
	"sluice/engine/acl"
	"sluice/engine/relay"
	"sluice/sniff"
)

// sourceOfUnix: a short read from a UNIX socket does not prove that it is
// empty.
const sourceOfUnix = relay.SourceExact

// startInspecting asks the rules before a byte was read: those that come first
// may look at addresses only, and then nobody waits for a client who waits for
// the server.
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

// inspect reads until the rules can decide. Most clients have sent all that is
// needed by the time they are accepted: then nothing is kept, and the socket
// is not even registered yet.
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
	if in.Has(relay.SourceEnded) {
		l.decideLast(id, s)
		return
	}
	if !l.watch(id, s, client) {
		l.end(id, s, ending{term: term('R', 'R')})
	}
}

// look sniffs all that the client has sent and reports whether the session has
// left the inspecting state.
func (l *loop) look(id int32, s *session, v relay.View) bool {
	in := &s.flow[client]
	if v.InSocket() && in.Has(relay.SourceDoubtful) { // no read will tell of its reset
		l.end(id, s, ending{term: term('C', 'R')})
		return true
	}
	last := len(v.Bytes) >= sniff.MaxWire || v.Full() || v.InSocket() && in.Has(relay.SourceClosing)
	if l.sniff(id, s, v, last) {
		return true
	}
	l.stock.Leave(in, in, int(s.sock[client].fd), v)
	return false
}

// sniff asks the rules about all that the client has sent.
func (l *loop) sniff(id int32, s *session, v relay.View, last bool) bool {
	l.scanner.Sniff(&s.sniff, v.Bytes, &l.sniffed)
	l.facts.Received = len(v.Bytes)
	return l.decide(id, s, v.Loose(), last)
}

// decideLast decides on what the client has sent, if it sent anything.
func (l *loop) decideLast(id int32, s *session) { l.sniff(id, s, l.sent(s), true) }

// sent shows what the client has sent. Some of it may be in the socket, and no
// event tell of it. A read may fail, and then it shows less than was sniffed
// before: so the sniffing starts over.
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

// decide asks the rules where the session goes, and reports whether they knew.
// early are bytes read and not held. last says that no more will be looked at:
// the client has ended, its time or its room is used up, or no rule asks for
// any.
func (l *loop) decide(id int32, s *session, early []byte, last bool) bool {
	f := l.listeners[s.line].frontend
	l.facts.Src = s.clientAddr()
	l.facts.Final = last
	l.findDestination(f, int(s.sock[client].fd))
	switch d := f.rules.Decide(&l.facts); d.Verdict {
	case acl.More:
		return false
	case acl.Refuse:
		l.keep(s, early) // the log asks whether the client has sent anything
		l.countDeniedRequest(s)
		l.end(id, s, ending{term: term('P', 'R')})
	case acl.Route:
		l.route(id, s, d.Backend, early)
	}
	return true
}

// inspectedLongEnough is called when the client's time is up. What it has sent
// decides if inspect-delay says so or if it sent nothing, as where the server
// speaks first; a head or hello that was begun and not finished is cut off.
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
