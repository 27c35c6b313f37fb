package session

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
	return [...][2]byte{refused: Term('S', 'C'), timedOut: Term('s', 'C'), noPort: Term('R', 'C'), exhausted: Term('R', 'C')}[a]
}

// route gives the session to a backend; to is its index, -1 for none. early are bytes read from
// the client that no flow holds.
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

// Choose picks a server and dials it. was is the server of the attempt before, or nil; choose
// picks another one if possible.
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
	v.S.Server = picked.Slot // with the reference that came with picked
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

// Unassign ends what assign began. in and out are bytes from and to the client.
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

// CloseServer closes the server's socket. What events and reads told of it does not hold for
// the next one. A server that may have got a part of the stream with the SYN is reset.
func (v *Visit) CloseServer() {
	v.S.Sock[Server].close(v.S.inSYN > 0)
	v.S.Sock[Server].flags = 0
	v.S.Flow[Server].Clear(relay.SourceReady | relay.SourceClosing | relay.SourceExact | relay.SourceUrgent | relay.SourceDoubtful | relay.SourceEnded)
	v.S.Flow[Client].Clear(relay.TargetReady)
}

// failed ends an attempt to connect and decides what follows.
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

// afterFailure asks the pool what follows a failed attempt. If this machine lacks ports or
// sockets, neither a pause nor the same server would help: another server is tried, or the
// session ends.
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

// retry connects again, to the same server or, with pickAgain, to another one.
func (v *Visit) retry(pickAgain bool) {
	was := v.Server()
	if pickAgain {
		v.Choose(was, nil)
		return
	}
	v.CountRetry()
	v.dial(nil)
}

// Enter changes the session's state and arms the deadline of the new state.
func (v *Visit) Enter(next State) {
	v.S.State, v.S.Since = next, v.Now()
	if at := v.deadline(); at != Never {
		v.Reactor.Arm(v.ID, at)
	}
}

// dialEnds returns the deadline of the dialing state.
func (v *Visit) dialEnds() int64 {
	return min(After(v.S.Since, v.Backend.ConnectTimeout), v.Mode.ClientDeadline())
}

// dialedTooLong ends the attempt, or the session if the time of its client is over.
func (v *Visit) dialedTooLong() {
	if After(v.S.Since, v.Backend.ConnectTimeout) <= v.Now() {
		v.failed(timedOut, 0)
		return
	}
	v.endDialing('c')
}

// lostWhileDialing ends the session of a client that has failed.
func (v *Visit) lostWhileDialing() { v.endDialing('C') }

// endDialing ends a session without a server. A server may have got a part of the stream with the SYN,
// so it is reset. who is the first letter of the termination state.
func (v *Visit) endDialing(who byte) {
	v.End(Ending{Term: v.term(who), Last: Server, Abrupt: true})
}
