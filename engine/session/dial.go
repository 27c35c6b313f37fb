package session

import (
	"sluice/engine/relay"
	"sluice/engine/sock"
	"sluice/pool"
)

// attempt is the cause of a failed attempt to connect.
type attempt uint8

const (
	refused   attempt = iota // the connection failed with an error
	timedOut                 // timeout connect has expired, or ETIMEDOUT
	noPort                   // no local port or address is available
	exhausted                // no descriptor or memory for a socket
)

// term returns the termination state of a session whose last attempt failed.
func (a attempt) term() [2]byte {
	return [...][2]byte{refused: Term('S', 'C'), timedOut: Term('s', 'C'), noPort: Term('R', 'C'), exhausted: Term('R', 'C')}[a]
}

// route gives the session to a backend. to is the index in v.Site.Backends; -1: no backend, the
// session ends. early are bytes that were read from the client and that no flow holds.
func (v *Visit) route(to int, early []byte) {
	if to < 0 {
		v.keep(early)
		v.Mode.Refused(Term('S', 'C'))
		return
	}
	v.UseBackend(int32(to))
	v.countRouted()
	v.Choose(nil, early)
}

// Choose picks a server and connects to it. was is the server of the attempt before, or nil; Choose
// picks another server if possible. early are bytes that were read from the client and that no flow
// holds. If no server is available, Choose calls Refused of the mode.
func (v *Visit) Choose(was *pool.Server, early []byte) {
	picked := v.Mode.Claimed(was)
	v.S.claimed = picked != nil
	if picked == nil {
		picked = v.Backend.Pick(pool.Key{Source: v.S.ClientAddr().Addr()}, was)
	}
	if picked == nil {
		v.countNoServer()
		v.keep(early)
		v.Mode.Refused(Term('S', 'C'))
		return
	}
	v.Forget()
	v.S.Server = picked.Slot // the session takes over the reference of Pick
	switch was {
	case nil:
	case picked:
		v.CountRetry()
	default:
		v.S.Redispatched = true
		v.countRedispatch(was)
	}
	if !v.S.claimed {
		v.CountPicked()
	}
	if v.S.Queued < 0 {
		v.S.Queued = int32(v.Now() - v.S.Began)
	}
	v.dial(early)
}

// Unassign removes the session from the current sessions of its server, if Assign has added it. in
// and out are bytes from and to the client.
func (v *Visit) Unassign(in, out int64) {
	if v.S.Counted {
		v.S.Counted = false
		v.countUnassigned(in, out)
	}
}

// Assign adds the session to the current sessions of its server, for the duration of an attempt
// or connection.
func (v *Visit) Assign() {
	v.S.Counted = true
	v.countAssigned()
}

// CloseServer closes the server's socket, and clears the flags of the socket and its flows: they do
// not hold for the next socket. A server that may have got a part of the stream with the SYN is
// reset.
func (v *Visit) CloseServer() {
	v.S.Sock[Server].close(v.S.inSYN > 0)
	v.S.Sock[Server].flags = 0
	v.S.Flow[Server].Clear(relay.SourceReady | relay.SourceClosing | relay.SourceExact | relay.SourceUrgent | relay.SourceDoubtful | relay.SourceEnded)
	v.S.Flow[Client].Clear(relay.TargetReady)
}

// failed ends an attempt to connect. It then connects again, pauses before that, or ends the
// session.
func (v *Visit) failed(how attempt, e sock.Errno) {
	v.CloseServer()
	v.S.inSYN = 0
	v.Unassign(0, 0)
	if how == noPort || how == exhausted {
		v.process.complain("can't open a connection to server "+v.Server().String(), e)
	}
	next := v.afterFailure(how)
	if next.Next == pool.GiveUp {
		v.countGivenUp()
		v.Mode.Refused(how.term())
		return
	}
	v.S.Tries++
	if next.Next == pool.SameServer {
		v.CountRetry()
	}
	if next.Wait > 0 {
		if !v.Watch(Client) {
			v.End(Ending{Term: Term('R', 'C')})
			return
		}
		v.S.pickAgain = next.Next == pool.Redispatch
		v.S.wait = int32(next.Wait.Milliseconds())
		v.Enter(Pausing)
		return
	}
	v.retry(next.Next == pool.Redispatch)
}

// afterFailure returns the step after a failed attempt, as the pool decides it. If this machine
// lacks ports or sockets, neither a pause nor the same server would help. Then another server is
// tried, or the session ends.
func (v *Visit) afterFailure(how attempt) pool.Retry {
	was := v.Server()
	next := v.Backend.AfterFailure(pool.Failure{Server: was, Retries: int(v.S.Tries), Timeout: how == timedOut, Persist: v.S.claimed})
	if next.Next == pool.GiveUp || how == refused || how == timedOut {
		return next
	}
	if v.Backend.Active() > 1 {
		return pool.Retry{Next: pool.Redispatch}
	}
	return pool.Retry{Next: pool.GiveUp}
}

// retry connects again: to the same server or, if pickAgain is true, to a server that is chosen
// again.
func (v *Visit) retry(pickAgain bool) {
	was := v.Server()
	if pickAgain {
		v.Choose(was, nil)
		return
	}
	v.dial(nil)
}

// Enter changes the session's state and arms the deadline of the new state.
func (v *Visit) Enter(next State) {
	v.S.State, v.S.Since = next, v.Now()
	v.ArmDeadline()
}

// ArmDeadline arms the session's timer for the deadline of its state.
func (v *Visit) ArmDeadline() {
	if at := v.deadline(); at != Never {
		v.Reactor.Arm(v.ID, at)
	}
}

// dialEnds returns the deadline of the dialing state, in ms of stat.Now; or Never.
func (v *Visit) dialEnds() int64 {
	return min(After(v.S.Since, v.Backend.ConnectTimeout), v.Mode.ClientDeadline())
}

// dialedTooLong is called at the deadline of the dialing state. It ends the attempt after timeout
// connect, or the session after the client's timeout.
func (v *Visit) dialedTooLong() {
	if After(v.S.Since, v.Backend.ConnectTimeout) <= v.Now() {
		v.failed(timedOut, 0)
		return
	}
	v.endDialing('c')
}

// lostWhileDialing ends the session of a client that has failed.
func (v *Visit) lostWhileDialing() { v.endDialing('C') }

// endDialing ends a session that is not connected to a server yet. The server may have got a part
// of the stream with the SYN, so it is reset. who is the first letter of the termination state.
func (v *Visit) endDialing(who byte) {
	v.End(Ending{Term: v.term(who), Last: Server, Abrupt: true})
}
