package pool

import "time"

// Next is what to do after a connection to a server failed.
type Next uint8

// The answers.
const (
	GiveUp     Next = iota // no retry is left: 503, SC or sC
	SameServer             // connect to the same server again
	Redispatch             // let Pick choose again, avoiding this server
)

// Failure is one failed attempt to connect.
type Failure struct {
	Server  *Server
	Retries int  // retries made before this attempt
	Timeout bool // timeout connect expired, rather than an error that came back
	Persist bool // a cookie chose the server, not balancing
}

// Retry says what comes next, and how long to wait before.
type Retry struct {
	Next Next
	Wait time.Duration
}

// AfterFailure decides what follows a failed attempt, as HAProxy does
// (`retries` and `option redispatch` in configuration.txt 4.2). It changes
// nothing: the caller counts the retry, and in Stat a retry where the server
// stayed the same and a redispatch where it did not. No allocation, no lock.
func (b *Backend) AfterFailure(f Failure) Retry {
	if f.Retries >= b.Conf.Retries {
		return Retry{Next: GiveUp}
	}
	r := Retry{Next: SameServer}
	if b.mayLeave(f) {
		r.Next = Redispatch
	}
	if !f.Timeout && b.likelySame(r.Next) {
		r.Wait = b.turnAround()
	}
	return r
}

// mayLeave says whether to choose anew: the server is gone, its time has come,
// or nothing binds the client to it and there is another one.
func (b *Backend) mayLeave(f Failure) bool {
	if b.Conf.Redispatch == 0 {
		return false
	}
	return !f.Server.Running() || b.redispatchOn(f.Retries+1) ||
		!f.Persist && b.algorithm.turns && b.Active() > 1
}

// redispatchOn says whether the n-th retry is one that redispatches: every
// P-th, or for a negative interval those N before the end.
func (b *Backend) redispatchOn(n int) bool {
	every := b.Conf.Redispatch
	if every < 0 {
		every = b.Conf.Retries + 1 + every
	}
	return every > 0 && n%every == 0
}

// likelySame says whether the next attempt will probably meet the server that
// just refused, so that trying at once makes no sense.
func (b *Backend) likelySame(next Next) bool {
	return next == SameServer || !b.algorithm.turns || b.Active() <= 1
}

func (b *Backend) turnAround() time.Duration {
	if c := b.Conf.Timeout.Connect; c > 0 && c < time.Second {
		return c
	}
	return time.Second
}
