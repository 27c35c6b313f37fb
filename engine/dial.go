package engine

import (
	"sluice/engine/relay"
	"sluice/engine/sock"
	"sluice/pool"
)

// attempt is the reason why an attempt to connect failed.
type attempt uint8

const (
	refused   attempt = iota // the connection failed with an error
	timedOut                 // timeout connect has expired, or ETIMEDOUT
	noPort                   // no local port or address is available
	exhausted                // no descriptor or memory for a socket
)

// term returns the termination state of a session whose last attempt failed.
func (a attempt) term() [2]byte {
	return [...][2]byte{refused: term('S', 'C'), timedOut: term('s', 'C'), noPort: term('R', 'C'), exhausted: term('R', 'C')}[a]
}

// route gives the session to a backend; to is its index, -1 for none. early are bytes read from
// the client that no flow holds.
func (v *visit) route(to int, early []byte) {
	if to < 0 {
		v.keep(early)
		v.mode.refused(term('S', 'C'))
		return
	}
	v.useBackend(int32(to))
	v.countRouted()
	v.choose(nil, early)
}

// choose picks a server and dials it. was is the server of the attempt before, or nil; choose
// picks another one if possible.
func (v *visit) choose(was *pool.Server, early []byte) {
	picked := v.mode.claimed(was)
	v.s.claimed = picked != nil
	if picked == nil {
		picked = v.b.Pick(pool.Key{Source: v.s.clientAddr().Addr()}, was)
	}
	if picked == nil {
		v.countNoServer()
		v.keep(early)
		v.mode.refused(term('S', 'C'))
		return
	}
	v.forget()
	v.s.server = picked.Slot // with the reference that came with picked
	switch was {
	case nil:
	case picked:
		v.countRetry()
	default:
		v.s.redispatched = true
		v.countRedispatch(was)
	}
	if !v.s.claimed {
		v.countPicked()
	}
	if v.s.queued < 0 {
		v.s.queued = int32(v.now() - v.s.began)
	}
	v.dial(early)
}

// unassign ends what assign began. in and out are bytes from and to the client.
func (v *visit) unassign(in, out int64) {
	if v.s.counted {
		v.s.counted = false
		v.countUnassigned(in, out)
	}
}

// assign adds the session to the current sessions of its server, for the duration of an attempt
// or connection.
func (v *visit) assign() {
	v.s.counted = true
	v.countAssigned()
}

// closeServer closes the server's socket. What events and reads told of it does not hold for
// the next one. A server that may have got a part of the stream with the SYN is reset.
func (v *visit) closeServer() {
	v.s.sock[server].close(v.s.inSYN > 0)
	v.s.sock[server].flags = 0
	v.s.flow[server].Clear(relay.SourceReady | relay.SourceClosing | relay.SourceExact | relay.SourceUrgent | relay.SourceDoubtful | relay.SourceEnded)
	v.s.flow[client].Clear(relay.TargetReady)
}

// failed ends an attempt to connect and decides what follows.
func (v *visit) failed(how attempt, e sock.Errno) {
	v.closeServer()
	v.s.inSYN = 0
	v.unassign(0, 0)
	if how == noPort || how == exhausted {
		v.process.complain("can't open a connection to server "+v.srv().String(), e)
	}
	next := v.afterFailure(how)
	if next.Next == pool.GiveUp {
		v.countGivenUp()
		v.mode.refused(how.term())
		return
	}
	v.s.tries++
	if next.Wait > 0 {
		if !v.watch(client) {
			v.end(ending{term: term('R', 'C')})
			return
		}
		v.s.pickAgain = next.Next == pool.Redispatch
		v.s.wait = int32(next.Wait.Milliseconds())
		v.enter(pausing)
		return
	}
	v.retry(next.Next == pool.Redispatch)
}

// afterFailure asks the pool what follows a failed attempt. If this machine lacks ports or
// sockets, neither a pause nor the same server would help: another server is tried, or the
// session ends.
func (v *visit) afterFailure(how attempt) pool.Retry {
	was := v.srv()
	next := v.b.AfterFailure(pool.Failure{Server: was, Retries: int(v.s.tries), Timeout: how == timedOut, Persist: v.s.claimed})
	if next.Next == pool.GiveUp || how == refused || how == timedOut {
		return next
	}
	if v.b.Active() > 1 {
		return pool.Retry{Next: pool.Redispatch}
	}
	return pool.Retry{Next: pool.GiveUp}
}

// retry connects again, to the same server or, with pickAgain, to another one.
func (v *visit) retry(pickAgain bool) {
	was := v.srv()
	if pickAgain {
		v.choose(was, nil)
		return
	}
	v.countRetry()
	v.dial(nil)
}

// enter changes the session's state and arms the deadline of the new state.
func (v *visit) enter(next state) {
	v.s.state, v.s.since = next, v.now()
	if at := v.deadline(); at != never {
		v.reactor.Arm(v.id, at)
	}
}

// dialEnds returns the deadline of the dialing state.
func (v *visit) dialEnds() int64 {
	return min(after(v.s.since, v.b.ConnectTimeout), v.mode.clientDeadline())
}

// dialedTooLong ends the attempt, or the session if the time of its client is over.
func (v *visit) dialedTooLong() {
	if after(v.s.since, v.b.ConnectTimeout) <= v.now() {
		v.failed(timedOut, 0)
		return
	}
	v.endDialing('c')
}

// lostWhileDialing ends the session of a client that has failed.
func (v *visit) lostWhileDialing() { v.endDialing('C') }

// endDialing ends a session without a server. A server may have got a part of the stream with the SYN,
// so it is reset. who is the first letter of the termination state.
func (v *visit) endDialing(who byte) {
	v.end(ending{term: v.term(who), last: server, abrupt: true})
}
