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
	for in.Has(relay.SourceReady) && !in.Has(relay.SourceEnded) {
		fresh, e := l.stock.Read(in, int(s.sock[client].fd))
		if e != 0 {
			l.end(id, s, ending{term: term('C', 'R')})
			return
		}
		if len(fresh) == 0 {
			break
		}
		s.sock[client].seen = l.now
		if l.look(id, s, fresh) {
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

// look sniffs with the fresh bytes and reports whether the session has left
// the inspecting state.
func (l *loop) look(id int32, s *session, fresh []byte) bool {
	in := &s.flow[client]
	all := fresh
	if in.Pending() > 0 {
		l.stock.Hold(in, fresh)
		all, fresh = l.stock.Held(in), nil
	}
	l.scanner.Sniff(&s.sniff, all, &l.sniffed)
	l.facts.Received = len(all)
	if l.decide(id, s, fresh, len(all) >= sniff.MaxWire) {
		return true
	}
	if !l.stock.Room(in, len(all)) {
		l.end(id, s, ending{term: term('P', 'R')})
		return true
	}
	l.stock.Hold(in, fresh)
	return false
}

// decideLast decides on what the client has sent, if it sent anything.
func (l *loop) decideLast(id int32, s *session) {
	sent := l.stock.Held(&s.flow[client])
	l.scanner.Sniff(&s.sniff, sent, &l.sniffed)
	l.facts.Received = len(sent)
	l.decide(id, s, nil, true)
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
		f.stat.DeniedReq.Inc()
		l.end(id, s, ending{term: term('P', 'R')})
	case acl.Route:
		l.stock.Assign(&s.flow[client], relay.ForReader)
		l.route(id, s, d.Backend, early)
	}
	return true
}

// inspectedLongEnough is called when the client's time is up. What it has sent
// decides if inspect-delay says so or if it sent nothing, as where the server
// speaks first; a head or hello that was begun and not finished is cut off.
func (l *loop) inspectedLongEnough(id int32, s *session) {
	f := l.listeners[s.line].frontend
	if s.flow[client].Pending() > 0 && !f.lenient && l.unfinished(s) {
		f.stat.FailedReq.Inc()
		l.end(id, s, ending{term: term('c', 'R')})
		return
	}
	l.decideLast(id, s)
}

// unfinished reports whether a head or a hello was begun and may still become
// whole.
func (l *loop) unfinished(s *session) bool {
	l.scanner.Sniff(&s.sniff, l.stock.Held(&s.flow[client]), &l.sniffed)
	return l.sniffed.Verdict() == sniff.More
}
