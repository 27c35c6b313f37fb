package pool

import (
	"time"

	"sluice/conf"
)

// Next is the action after a failed attempt to connect to a server.
type Next uint8

// The actions.
const (
	GiveUp     Next = iota // no retry is left: the session ends, with 503 and SC or sC in the log
	SameServer             // connect to the same server again
	Redispatch             // call Pick again, which avoids this server
)

// Failure describes one failed attempt to connect.
type Failure struct {
	Server  *Server
	Retries int  // number of retries before this attempt
	Timeout bool // timeout connect has expired; false: the system returned an error
	Persist bool // a cookie chose the server; false: balancing chose it
}

// Retry is the action after a failure, and the time to wait before it.
type Retry struct {
	Next Next
	Wait time.Duration // 0: at once
}

// AfterFailure decides on the action after a failed attempt, as HAProxy does (`retries` and `option
// redispatch` in configuration.txt 4.2). It changes no state. The caller must count a retry in Stat
// if the next attempt uses the same server, otherwise a redispatch. AfterFailure takes no lock and
// allocates nothing.
func (b *Backend) AfterFailure(f Failure) Retry {
	c := b.Conf()
	if f.Retries >= c.Retries {
		return Retry{Next: GiveUp}
	}
	r := Retry{Next: SameServer}
	if b.mayLeave(c, f) {
		r.Next = Redispatch
	}
	if !f.Timeout && b.likelySame(r.Next) {
		r.Wait = turnAround(c)
	}
	return r
}

// mayLeave reports whether another server may be chosen. This requires `option redispatch` and one
// of three conditions. The server is down. Or the interval of the option selects this retry. Or
// balancing chose the server, not a cookie, and can choose another.
func (b *Backend) mayLeave(c *conf.Backend, f Failure) bool {
	if !c.Redispatch {
		return false
	}
	return !f.Server.Running() || redispatchOn(c, f.Retries+1) ||
		!f.Persist && b.balancing.Load().algorithm.turns && b.Active() > 1
}

// redispatchOn reports whether the n-th retry redispatches. With a positive interval P, every P-th
// retry does. With a negative interval -N, every retry does whose number is a multiple of
// retries+1-N. With 0 none does.
func redispatchOn(c *conf.Backend, n int) bool {
	every := c.RedispatchEvery
	if every < 0 {
		every = c.Retries + 1 + every
	}
	return every > 0 && n%every == 0
}

// likelySame reports whether the next attempt will probably use the same server. A pause is needed
// in that case, because an immediate attempt would probably fail again.
func (b *Backend) likelySame(next Next) bool {
	return next == SameServer || !b.balancing.Load().algorithm.turns || b.Active() <= 1
}

// turnAround returns the pause before the next attempt: timeout connect, at most one second.
func turnAround(c *conf.Backend) time.Duration {
	if t := c.Timeout.Connect; t > 0 && t < time.Second {
		return t
	}
	return time.Second
}
