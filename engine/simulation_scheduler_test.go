//go:build simulation

package engine

import (
	"fmt"
	"strings"
	"time"

	"sluice/pool"
)

const (
	// mostSteps is the number of steps after which a world counts as endless.
	mostSteps = 20_000_000
	// mostCalls is the number of system calls in one step of a loop after which the step counts as
	// endless.
	mostCalls = 1_000_000
	// mostIdle is the maximum number of steps of loops in a row without any progress.
	mostIdle = 2000
	// longest is the virtual time after which a world counts as hanging.
	longest = 4 * time.Hour
)

// run does steps of the world until it is over, or until a failure.
func (x *simulation) run() {
	idle, before, at := 0, x.kernel.Progress, x.kernel.Now()
	for !x.over() {
		worked := x.step()
		if x.kernel.Progress != before || x.kernel.Now() != at {
			idle, before, at = 0, x.kernel.Progress, x.kernel.Now()
		} else if worked {
			idle++
		}
		if idle > mostIdle {
			x.failf("the loops work without end and change nothing: %s", x.state())
		}
		if x.steps++; x.steps > x.most || x.kernel.Now() > longest {
			x.failf("the world does not end: %s", x.state())
		}
		if x.collect(); len(x.wrong) > 0 {
			return
		}
	}
}

// collect adds the failures of actors and of the kernel to those of the world.
func (x *simulation) collect() {
	for _, text := range x.cast.Failures() {
		x.failf("%s", text)
	}
	for _, text := range x.kernel.Violations() {
		x.failf("%s", text)
	}
}

// step does one step of a random part of the world: the network, an actor, a loop or a reload. If no part can
// do a step, the clock moves to the next timer. worked reports whether a loop did the step.
func (x *simulation) step() (worked bool) {
	if p := x.pace.lag; p > 0 && x.rand.IntN(p) == 0 {
		x.kernel.Advance(x.kernel.Now() + time.Duration(x.rand.Int64N(int64(time.Millisecond))))
		x.resting = false
	}
	network, actors := 0, 0
	if x.kernel.Pending() > 0 {
		network = x.pace.network
	}
	if !x.resting {
		actors = x.pace.actors
	}
	chores := min(len(x.chores), 1)
	loops, sum := x.readyLoops()
	at := x.choose(network + actors + sum + chores)
	if at >= network && at < network+actors {
		x.resting = !x.cast.Step()
		return false
	}
	x.resting = false
	switch {
	case at < 0 && x.beside: // the loop in the middle of a step may still do something before the next timer
	case at < 0:
		x.pass()
	case at < network:
		x.kernel.Step()
	case at >= network+actors+sum:
		x.doChore()
	default:
		x.stepLoop(loops, at-network-actors)
		return true
	}
	return false
}

// choose returns a random number from 0 to n-1; -1 if n is 0.
func (x *simulation) choose(n int) int {
	if n == 0 {
		return -1
	}
	return x.rand.IntN(n)
}

// readyLoops returns the loops that have something to do, and the sum of their weights.
func (x *simulation) readyLoops() (ready [4]bool, sum int) {
	for i, l := range x.engine.Loops {
		if !x.ended[i] && l != x.stepping && (l.Reactor.More() || x.process.Ready(l.Reactor.Epoll())) {
			ready[i] = true
			sum += x.pace.loops[i]
		}
	}
	return ready, sum
}

// stepLoop does a step of one of the ready loops. at, below the sum of their weights, selects the
// loop.
func (x *simulation) stepLoop(ready [4]bool, at int) {
	for i, l := range x.engine.Loops {
		if !ready[i] {
			continue
		}
		if at -= x.pace.loops[i]; at >= 0 {
			continue
		}
		if !x.beside {
			x.process.Budget, x.stepping = mostCalls, l
			defer func() { x.stepping = nil }()
		}
		was := x.acting
		x.acting = l
		_, over, err := l.Step()
		x.acting = was
		if err != nil {
			x.failf("loop %d fails: %v", i, err)
		}
		x.ended[i] = x.ended[i] || over
		x.lookAtReload()
		x.checkLimits()
		return
	}
}

// interleave does some steps of other parts of the world while a loop is in the middle of a step. It
// is called before each operation of a limit, because all loops share the limits. In these steps it
// does nothing.
func (x *simulation) interleave() {
	if x.stepping == nil || x.beside {
		return
	}
	x.beside = true
	for x.rand.IntN(8) > 0 {
		x.step()
	}
	x.beside, x.resting = false, false
}

// busy reports whether something can happen before the next timer, or a reload is under way.
func (x *simulation) busy() bool {
	_, sum := x.readyLoops()
	return sum > 0 || x.kernel.Pending() > 0 || x.cast.Runnable() > 0 || len(x.chores) > 0 || x.active
}

// pass moves the clock to the next timer.
func (x *simulation) pass() {
	x.checkQuiet()
	at, armed := x.kernel.NextTimer()
	if !armed {
		x.failf("nothing can go on: %s", x.state())
		return
	}
	x.kernel.Advance(at)
}

// feed makes a health check of a server report the result f at its time.
func (x *simulation) feed(f flip) {
	said := pool.Feed(x.engine.today().Backends[f.back].Servers()[f.server], func(pool.Event) {})
	x.kernel.After(f.at, func() {
		x.tell(incident, "a check of server %d of backend %d succeeds: %v", f.server, f.back, f.ok)
		said(pool.Result{OK: f.ok, Status: pool.L4OK})
	})
}

// state describes the waiting actors and the sessions, for messages.
func (x *simulation) state() string {
	var b strings.Builder
	fmt.Fprintf(&b, "at %v after %d steps", x.kernel.Now(), x.steps)
	for _, a := range x.cast.Waiting() {
		fmt.Fprintf(&b, "\n  %s", a.Waits())
	}
	for _, l := range x.engine.Loops {
		l.Sessions.Each(func(id int32) { fmt.Fprintf(&b, "\n  %s", l.Visit(id).Dump()) })
	}
	return b.String()
}
