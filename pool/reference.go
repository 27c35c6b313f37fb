package pool

import (
	"math"
	"sync/atomic"
)

// references counts the users of a slot. The slot is freed when the last one has gone. No user can
// come back after that.
type references struct{ n atomic.Int64 }

// freed is the count of a slot that is free. It is so low that calls of hold can't make it
// positive.
const freed = math.MinInt64 / 2

// hold adds a reference. It returns false if the slot is free; then nothing must be given back.
func (r *references) hold() bool { return r.n.Add(1) > 0 }

// release takes a reference away. It returns true to the caller that must free the slot: to one
// caller only, even if others hold and release at the same time.
func (r *references) release() bool {
	left := r.n.Add(-1)
	if left < 0 {
		panic("pool: a reference was given back twice")
	}
	return left == 0 && r.n.CompareAndSwap(0, freed)
}
