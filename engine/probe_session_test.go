package engine

import (
	"slices"

	"sluice/engine/relay"
)

// sessionCheck checks that the state of a session fits its sockets, flows and timers.
type sessionCheck struct {
	*visit
	*session
	x *exchange // nil in mode tcp
	wrongs
}

func (c *sessionCheck) errors() []string {
	c.timer()
	c.sockets()
	if c.state == leaving {
		c.leaves()
		return c.wrongs
	}
	c.held()
	c.choice()
	if c.x != nil {
		c.exchange()
	}
	for from := range side(2) {
		c.goesOn(from)
	}
	return c.wrongs
}

func (c *sessionCheck) is(states ...state) bool { return slices.Contains(states, c.state) }

// ours reports whether this proxy answers the current request itself.
func (c *sessionCheck) ours() bool { return c.x != nil && c.x.has(local) }

// serving reports whether the session has a server or connects to one.
func (c *sessionCheck) serving() bool {
	return c.is(dialing, relaying) || c.is(exchanging) && !c.ours()
}

func (c *sessionCheck) idles() bool { return c.x != nil && c.x.has(idle) }

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
	c.unless(has[server] == (c.serving() || c.idles()), "a server's socket is open: %v", has[server])
	for which := range side(2) {
		one := &c.sock[which]
		c.unless(!has[which] || one.has(watched), "the socket of side %d is not registered", which)
		c.unless(!one.has(waiting) || c.hasTurn(c.id, c.session, which), "side %d waits for a turn that never comes", which)
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
	if c.is(relaying) || c.is(exchanging) && !c.ours() {
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
	c.unless(c.x == nil || !c.is(asking) || !chosen, "a server is chosen before the request is there")
}

// exchange: an idle connection has no bytes left, and no mark of one request remains for the
// next.
func (c *sessionCheck) exchange() {
	x := c.x
	c.unless(c.is(asking, dialing, pausing, exchanging, relaying), "it is in mode http and in state %d", c.state)
	if c.idles() {
		clean := x.ahead[server].Pending() == 0 && c.flow[client].Pending() == 0 && c.flow[server].Pending() == 0 || c.ours()
		c.unless(clean, "the idle server's connection has something under way")
		c.unless(!c.is(asking) || c.unharmed(server), "the idle server's connection is about to end")
		c.unless(!c.serving(), "the connection that is used is idle")
	}
	if c.is(asking) {
		c.unless(x.marks&(outstanding|reused|local) == 0, "marks of the last request are left: %b", x.marks)
		c.unless(x.logPieces.Pending() == 0, "the last request's line is left")
		c.unless(x.status == 0, "the last answer's status %d is left", x.status)
	}
	if c.is(exchanging, dialing, pausing) {
		c.unless(x.has(outstanding) || x.has(local), "no request is outstanding")
	}
	c.unless(!c.is(relaying) || x.ahead[client].Pending()+x.ahead[server].Pending() == 0, "a tunnel keeps bytes back")
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
		c.unless(target.has(writableWanted) || !c.wants(from) && f.Pending() == 0, "side %d waits for room that nobody tells of", from)
	case c.wants(from) && f.Has(relay.SourceReady):
		c.unless(turn, "side %d can be read, and has no turn", from)
	}
}

// wants reports whether bytes from one side are passed on in this state.
func (c *sessionCheck) wants(from side) bool {
	switch {
	case c.is(relaying):
		return !c.flow[from].Has(relay.SourceEnded)
	case c.ours():
		return false
	case from == server && !c.x.flow.Answered():
		return true
	}
	body := c.x.body(from)
	return !body.Done() && !body.Broken()
}
