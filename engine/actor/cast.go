package actor

import (
	"cmp"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"slices"

	"sluice/engine/kernel"
)

// Cast contains all actors of one simulation. It belongs to one goroutine.
type Cast struct {
	Kernel *kernel.Kernel // the machine on which all processes of the actors run
	// Trace is called with a line for each action of an actor. nil: no trace.
	Trace func(line string)

	rand     *rand.Rand // chooses the next actor
	living   []*Actor   // actors that have not ended, in no order
	spawned  int
	running  *Actor // the actor that Step runs now; nil: none
	stopping bool
	failures []string
	scratch  []byte // shared buffer: its content is lost at the next wait of the actor
}

// NewCast returns a cast without actors. The seed of the kernel is also its seed.
func NewCast(k *kernel.Kernel) *Cast {
	return &Cast{Kernel: k, rand: rand.New(rand.NewPCG(k.Seed, 0xac7)), scratch: make([]byte, 64<<10)}
}

// Spawn starts an actor with a process of its own. Names must differ. When the actor and all
// coroutines of its process have ended, the kernel closes the descriptors that are still open.
func (c *Cast) Spawn(name string, run func(a *Actor)) *Actor {
	return c.start(name, &program{Process: c.Kernel.Process(name)}, run)
}

// start starts a coroutine in a process.
func (c *Cast) start(name string, p *program, run func(a *Actor)) *Actor {
	a := &Actor{Name: name, Process: p.Process, Cast: c, Rand: c.randOf(name), program: p, number: c.spawned}
	c.spawned++
	p.coroutines++
	a.pull(run)
	c.living = append(c.living, a)
	return a
}

// randOf returns the random source of the actor with this name.
func (c *Cast) randOf(name string) *rand.Rand {
	h := fnv.New64a()
	_, _ = h.Write([]byte(name))
	return rand.New(rand.NewPCG(c.Kernel.Seed, h.Sum64()))
}

// Step continues one random actor that can continue, until its next wait. It returns false if all
// actors wait. A panic of the actor continues in the caller.
func (c *Cast) Step() bool {
	n := len(c.living)
	if n == 0 {
		return false
	}
	start := c.rand.IntN(n)
	for i := range n {
		if at := (start + i) % n; c.living[at].canGoOn() {
			c.resume(at)
			return true
		}
	}
	return false
}

// resume continues the actor living[i].
func (c *Cast) resume(i int) {
	a := c.living[i]
	c.running = a
	_, alive := a.next()
	c.running = nil
	if alive {
		return
	}
	last := len(c.living) - 1
	c.living[i] = c.living[last]
	c.living[last] = nil
	c.living = c.living[:last]
}

// Runnable returns the number of actors that can continue now.
func (c *Cast) Runnable() int {
	n := 0
	for _, a := range c.living {
		if a.canGoOn() {
			n++
		}
	}
	return n
}

// Waiting returns the actors that have not ended, in the order of their start.
func (c *Cast) Waiting() []*Actor {
	all := slices.Clone(c.living)
	slices.SortFunc(all, func(a, b *Actor) int { return cmp.Compare(a.number, b.number) })
	return all
}

// Stop ends all coroutines. Their deferred calls run. The descriptors stay open.
func (c *Cast) Stop() {
	c.stopping = true
	for _, a := range c.Waiting() {
		c.running = a
		a.stop()
	}
	c.running = nil
	c.living = nil
}

// Failf records a failure: an event that the engine must never cause.
func (c *Cast) Failf(format string, args ...any) {
	c.failures = append(c.failures, fmt.Sprintf(format, args...))
}

// Failures returns the messages that Failf has recorded, oldest first.
func (c *Cast) Failures() []string { return c.failures }
