package engine

import (
	"fmt"
	"slices"

	"sluice/engine/relay"
	"sluice/pool"
)

// audited is the part of an audit that a mode knows.
type audited struct {
	own   bool         // this proxy answers the current request itself
	idles bool         // a server's connection is kept for a later request
	idle  *pool.Server // the server of that connection
	wants [2]bool      // bytes from this side are passed on in the current state
	wrong []string     // violations
}

// sessionCheck checks that the state of a session fits its sockets, flows and timers.
type sessionCheck struct {
	*visit
	*session
	mode audited
	wrongs
}

// audit returns what is wrong with the session. It is for tests. No work on another session may be
// under way.
func (v *visit) audit() []string {
	c := sessionCheck{visit: v, session: v.s, mode: v.mode.audited()}
	c.wrongs = c.mode.wrong
	c.timer()
	c.sockets()
	if c.state == leaving {
		c.leaves()
		return c.wrongs
	}
	c.held()
	c.choice()
	for from := range side(2) {
		c.goesOn(from)
	}
	return c.wrongs
}

func (c *sessionCheck) is(states ...state) bool { return slices.Contains(states, c.state) }

// serving reports whether the session has a server or connects to one.
func (c *sessionCheck) serving() bool {
	return c.is(dialing, relaying) || c.is(exchanging) && !c.mode.own
}

// timer: a session with a deadline has an armed timer for this time or earlier. A session that waits
// for its turn arms it then.
func (c *sessionCheck) timer() {
	if c.sock[client].has(waiting) || c.sock[server].has(waiting) {
		return
	}
	at := c.deadline()
	due, armed := c.reactor.Due(c.id)
	c.unless(at == never || armed && due <= max(at, c.now()), "its deadline is %d, its timer %d (armed: %v)", at, due, armed)
}

// sockets: the sockets that a state needs are open and registered.
func (c *sessionCheck) sockets() {
	has := [2]bool{c.sock[client].fd >= 0, c.sock[server].fd >= 0}
	if c.state == leaving {
		c.unless(has[c.last] && !has[c.last.other()], "it leaves with the wrong sockets: %v", has)
		return
	}
	c.unless(has[client], "it has no client")
	c.unless(has[server] == (c.serving() || c.mode.idles), "a server's socket is open: %v", has[server])
	for which := range side(2) {
		one := &c.sock[which]
		c.unless(!has[which] || one.has(watched), "the socket of side %d is not registered", which)
		c.unless(!one.has(waiting) || c.reactor.HasTurn(c.session.token(c.id, which)), "side %d waits for a turn that never comes", which)
	}
}

// leaves: bytes that wait for the last socket are written when it accepts them. If the kernel had no
// memory to register the socket, lookAgain tries again.
func (c *sessionCheck) leaves() {
	out, to := &c.flow[c.last.other()], &c.sock[c.last]
	c.unless(out.Pending() == 0 || out.Has(relay.Starved) || !to.has(watched) || to.has(writableWanted), "it waits for room that nobody tells of")
}

// held: bytes are held only in states that allow it.
func (c *sessionCheck) held() {
	early := c.is(inspecting, dialing, pausing, relaying) || c.is(exchanging)
	c.unless(early || c.flow[client].Pending() == 0, "it holds %d bytes for a server", c.flow[client].Pending())
	c.unless(c.is(relaying, exchanging) || c.flow[server].Pending() == 0, "it holds %d bytes for the client", c.flow[server].Pending())
	c.purposes()
	c.unless(int(c.inSYN) <= c.flow[client].Pending() && (c.inSYN == 0 || c.is(dialing)), "%d bytes are in a SYN", c.inSYN)
}

// purposes: bytes count against the budget of what they wait for.
func (c *sessionCheck) purposes() {
	up, want := c.flow[client].Purpose(), relay.ForInspection
	if c.is(relaying) || c.is(exchanging) && !c.mode.own {
		want = relay.ForReader
	}
	c.unless(up == want || !c.serving() && !c.is(inspecting, pausing), "bytes of the client are held for purpose %d; want %d", up, want)
	c.unless(c.flow[server].Purpose() == relay.ForReader, "bytes of the server are held for purpose %d", c.flow[server].Purpose())
}

// choice: backend and server are chosen in the states that need them, and count this session.
func (c *sessionCheck) choice() {
	chosen := c.backend >= 0 && c.server >= 0
	c.unless(chosen || !c.serving() && !c.is(pausing), "no server is chosen")
	c.unless(c.counted == c.serving(), "it is counted among the server's sessions: %v", c.counted)
	c.unless(!c.is(asking) || !chosen, "a server is chosen before the request is there")
}

// goesOn: a flow that can move bytes has a turn, and any other flow is registered for its
// event.
func (c *sessionCheck) goesOn(from side) {
	to := from.other()
	f, target := &c.flow[from], &c.sock[to]
	if !c.is(relaying, exchanging) || target.fd < 0 || target.has(finished|broken) {
		return
	}
	turn := c.sock[client].has(waiting) || c.sock[server].has(waiting)
	switch {
	case f.Pending() > 0 && f.Has(relay.TargetReady):
		c.unless(turn, "side %d has %d bytes for a target that takes them, and no turn", from, f.Pending())
	case !f.Has(relay.TargetReady):
		c.unless(target.has(writableWanted) || !c.mode.wants[from] && f.Pending() == 0, "side %d waits for room that nobody tells of", from)
	case c.mode.wants[from] && f.Has(relay.SourceReady):
		c.unless(turn, "side %d can be read, and has no turn", from)
	}
}

// dump describes the session.
func (v *visit) dump() string {
	return fmt.Sprintf("session %d on loop %d at %d: %+v", v.id, v.number, v.now(), *v.s)
}

// flows returns all flows in which the session may hold bytes.
func (v *visit) flows() []*relay.Flow {
	return append(v.mode.flows(), &v.s.flow[client], &v.s.flow[server])
}

// references returns the servers to which the session holds a reference.
func (v *visit) references() (all []*pool.Server) {
	if v.s.server >= 0 {
		all = append(all, v.srv())
	}
	if srv := v.mode.audited().idle; srv != nil {
		all = append(all, srv)
	}
	return all
}
