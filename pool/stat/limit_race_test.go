package stat

import (
	"flag"
	"math/rand/v2"
	"sync/atomic"
	"testing"
	"time"
)

// TestNoLoopWaitsWhilePlacesAreFree makes loops take and free places while the maximum changes, all
// at the same time. When they have finished, and those that were woken have tried again, no loop
// may wait while a place is free. In a build with the tag simulation, the seed decides the order of
// all steps. Goroutines seldom meet the rare orders.
func TestNoLoopWaitsWhilePlacesAreFree(t *testing.T) {
	const loops, mostPlaces = 6, 5
	r := rand.New(rand.NewPCG(*seed, 0))
	t.Logf("seed %d", *seed)
	for range 10000 {
		c := contest{limit: limitOf(r.IntN(mostPlaces)), loops: make([]contender, loops)}
		for loop := range loops { // few tasks follow: a later one could repair what went wrong
			for range r.IntN(3) {
				c.act(loop)
			}
		}
		c.wake(c.limit.SetMax(r.IntN(mostPlaces))...)
		var tasks []func()
		for range 1 + r.IntN(2) {
			most := r.IntN(mostPlaces)
			tasks = append(tasks, func() { c.wake(c.limit.SetMax(most)...) })
		}
		for _, loop := range r.Perm(loops)[:r.IntN(loops)] {
			tasks = append(tasks, func() { c.act(loop) })
		}
		together(r, tasks)
		c.settle()
		c.check(t)
	}
}

var seed = flag.Uint64("seed", uint64(time.Now().UnixNano()), "seed of the random tests")

// contest is a limit and the loops that compete for its places.
type contest struct {
	limit *Limit
	loops []contender
}

// contender is a loop. All fields but woken belong to its goroutine.
type contender struct {
	holds bool // it has a place
	waits bool // it has no place and has stopped accepting
	woken atomic.Bool
}

func (c *contest) check(t *testing.T) {
	t.Helper()
	cur, most := c.limit.Cur(), c.limit.Max()
	for loop := range c.loops {
		if c.loops[loop].waits && (most == 0 || cur < most) {
			t.Fatalf("loop %d waits while %d of %d places are taken", loop, cur, most)
		}
	}
}

// act makes a loop take a place, or free one if it has some. A loop that waits does nothing.
func (c *contest) act(loop int) {
	one := &c.loops[loop]
	switch {
	case one.waits:
	case one.holds:
		one.holds = false
		c.wake(c.limit.Release())
	case acquire(c.limit, loop):
		one.holds = true
	default:
		one.waits = true
	}
}

func (c *contest) wake(loops ...int) {
	for _, loop := range loops {
		if loop >= 0 {
			c.loops[loop].woken.Store(true)
		}
	}
}

// settle lets the loops that were woken try again, until none is left.
func (c *contest) settle() {
	for again := true; again; {
		again = false
		for loop := range c.loops {
			if one := &c.loops[loop]; one.woken.Swap(false) {
				again = true
				c.retry(loop, one)
			}
		}
	}
}

// retry is a loop's answer to a wake-up. If it needs no place, it wakes the next loop.
func (c *contest) retry(loop int, one *contender) {
	switch {
	case one.waits:
		one.waits = !acquire(c.limit, loop)
	case c.limit.TryAcquire():
		c.wake(c.limit.Release())
	}
}
