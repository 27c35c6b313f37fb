//go:build !simulation

package stat

import (
	"math/rand/v2"
	"sync"
)

// together runs each task on its own goroutine and waits for all of them.
func together(_ *rand.Rand, tasks []func()) {
	var all sync.WaitGroup
	for _, task := range tasks {
		all.Go(task)
	}
	all.Wait()
}
