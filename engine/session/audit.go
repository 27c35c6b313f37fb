package session

import (
	"fmt"
	"slices"

	"sluice/engine/relay"
	"sluice/pool"
)

// Audited contains the facts that a mode contributes to an audit.
type Audited struct {
	Own   bool         // this proxy answers the current request itself
	Idles bool         // a server's connection is kept for a later request
	Idle  *pool.Server // the server of that connection; nil: Idles is false
	Wants [2]bool      // by side: bytes from this side are passed on in the current state
	Wrong []string     // violations
}

// sessionCheck checks that the state of a session fits its sockets, flows and timers.
type sessionCheck struct {
	*Visit
	*Session
	mode Audited
	wrongs
}

// Audit returns the violations that it finds in the session; nil: none. Only tests call it. No work
// on another session may be under way.
func (v *Visit) Audit() []string {
	c := sessionCheck{Visit: v, Session: v.S, mode: v.Mode.Audited()}
	c.wrongs = c.mode.Wrong
	c.timer()
	c.sockets()
	if c.State == Leaving {
		c.leaves()
		return c.wrongs
	}
	c.held()
	c.choice()
	for from := range Side(2) {
		c.goesOn(from)
	}
	return c.wrongs
}

func (c *sessionCheck) is(states ...State) bool { return slices.Contains(states, c.State) }

// serving reports whether the session has a server or connects to one.
func (c *sessionCheck) serving() bool {
	return c.is(Dialing, Relaying) || c.is(Exchanging) && !c.mode.Own
}

// timer: a session with a deadline has an armed timer for this time or earlier. If the deadline is
// over, the timer fires at the next tick of the wheel. A session that waits for its turn arms the
// timer in that turn.
func (c *sessionCheck) timer() {
	if c.Sock[Client].Has(waiting) || c.Sock[Server].Has(waiting) {
		return
	}
	at := c.deadline()
	due, armed := c.Reactor.Due(c.ID)
	c.unless(at == Never || armed && due <= max(at, c.Now()+1), "its deadline is %d, its timer %d (armed: %v)", at, due, armed)
}

// sockets: the sockets that a state needs are open and registered.
func (c *sessionCheck) sockets() {
	has := [2]bool{c.Sock[Client].FD >= 0, c.Sock[Server].FD >= 0}
	if c.State == Leaving {
		c.unless(has[c.last] && !has[c.last.Other()], "it leaves with the wrong sockets: %v", has)
		return
	}
	c.unless(has[Client], "it has no client")
	c.unless(has[Server] == (c.serving() || c.mode.Idles), "a server's socket is open: %v", has[Server])
	for which := range Side(2) {
		one := &c.Sock[which]
		c.unless(!has[which] || one.Has(Watched), "the socket of side %d is not registered", which)
		c.unless(!one.Has(waiting) || c.Reactor.HasTurn(c.Session.Token(c.ID, which)), "side %d waits for a turn that never comes", which)
	}
}

// leaves: the session is notified when the last socket accepts the bytes that wait for it. If the
// kernel had no memory to register the socket, lookAgain tries again.
func (c *sessionCheck) leaves() {
	out, to := &c.Flow[c.last.Other()], &c.Sock[c.last]
	c.unless(out.Pending() == 0 || out.Has(relay.Starved) || !to.Has(Watched) || to.Has(WritableWanted), "it waits for room that nobody tells of")
}

// held: bytes are held only in states that allow it.
func (c *sessionCheck) held() {
	early := c.is(Inspecting, Dialing, Pausing, Relaying) || c.is(Exchanging)
	c.unless(early || c.Flow[Client].Pending() == 0, "it holds %d bytes for a server", c.Flow[Client].Pending())
	c.unless(c.is(Relaying, Exchanging) || c.Flow[Server].Pending() == 0, "it holds %d bytes for the client", c.Flow[Server].Pending())
	c.purposes()
	c.unless(int(c.inSYN) <= c.Flow[Client].Pending() && (c.inSYN == 0 || c.is(Dialing)), "%d bytes are in a SYN", c.inSYN)
}

// purposes: bytes count against the budget of the purpose for which they are held.
func (c *sessionCheck) purposes() {
	up, want := c.Flow[Client].Purpose(), relay.ForInspection
	if c.is(Relaying) || c.is(Exchanging) && !c.mode.Own {
		want = relay.ForReader
	}
	c.unless(up == want || !c.serving() && !c.is(Inspecting, Pausing), "bytes of the client are held for purpose %d; want %d", up, want)
	c.unless(c.Flow[Server].Purpose() == relay.ForReader, "bytes of the server are held for purpose %d", c.Flow[Server].Purpose())
}

// choice: backend and server are chosen in the states that need them, and count this session.
func (c *sessionCheck) choice() {
	chosen := c.S.Backend >= 0 && c.S.Server >= 0
	c.unless(chosen || !c.serving() && !c.is(Pausing), "no server is chosen")
	c.unless(c.Counted == c.serving(), "it is counted among the server's sessions: %v", c.Counted)
	c.unless(!c.is(Asking) || !chosen, "a server is chosen before the request is there")
}

// goesOn checks that the direction from this side does not stop. If its flow can move bytes, the
// session must wait for a turn. If its target is full, the target's socket must be registered for
// writing.
func (c *sessionCheck) goesOn(from Side) {
	to := from.Other()
	f, target := &c.Flow[from], &c.Sock[to]
	if !c.is(Relaying, Exchanging) || target.FD < 0 || target.Has(Finished|Broken) {
		return
	}
	turn := c.Sock[Client].Has(waiting) || c.Sock[Server].Has(waiting)
	switch {
	case f.Pending() > 0 && f.Has(relay.TargetReady):
		c.unless(turn, "side %d has %d bytes for a target that takes them, and no turn", from, f.Pending())
	case !f.Has(relay.TargetReady):
		c.unless(target.Has(WritableWanted) || !c.mode.Wants[from] && f.Pending() == 0, "side %d waits for room that nobody tells of", from)
	case c.mode.Wants[from] && f.Has(relay.SourceReady):
		c.unless(turn, "side %d can be read, and has no turn", from)
	}
}

// Dump describes the session, for messages of tests.
func (v *Visit) Dump() string {
	return fmt.Sprintf("session %d on loop %d at %d: %+v", v.ID, v.Number, v.Now(), *v.S)
}

// References returns the servers to which the session holds a reference. Only tests call it.
func (v *Visit) References() (all []*pool.Server) {
	if v.S.Server >= 0 {
		all = append(all, v.Server())
	}
	if srv := v.Mode.Audited().Idle; srv != nil {
		all = append(all, srv)
	}
	return all
}
