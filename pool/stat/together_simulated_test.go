//go:build simulation

package stat

import (
	"iter"
	"math/rand/v2"
	"slices"
)

// together runs all tasks, one step at a time. The next step is one of a random task. A step ends
// before the next step of an operation of a Limit.
func together(r *rand.Rand, tasks []func()) {
	defer Interleave(nil)
	var going []*coroutine
	for _, task := range tasks {
		going = append(going, newCoroutine(task))
	}
	for len(going) > 0 {
		i := r.IntN(len(going))
		if !going[i].step() {
			going = slices.Delete(going, i, i+1)
		}
	}
}

// coroutine is a task that stops where other loops may go on.
type coroutine struct {
	next  func() (struct{}, bool) // continues the task until it stops; false: it has ended
	pause func()                  // called by the task: it stops
}

func newCoroutine(task func()) *coroutine {
	c := new(coroutine)
	c.next, _ = iter.Pull(func(yield func(struct{}) bool) {
		c.pause = func() { yield(struct{}{}) }
		c.pause()
		task()
	})
	c.next()
	return c
}

// step continues the task, and reports whether it goes on.
func (c *coroutine) step() bool {
	Interleave(c.pause)
	_, more := c.next()
	return more
}
