package pool

import (
	"math"
	"sync/atomic"
)

// references counts the references to the server in a slot. The slot is freed when the last
// reference is released. After that, no reference can be added.
type references struct{ n atomic.Int64 }

// freed is the value of n when the slot is free. It is so low that calls of hold cannot make it
// positive.
const freed = math.MinInt64 / 2

// hold adds a reference. It returns false if the slot is free. The caller must then not call
// release.
func (r *references) hold() bool { return r.n.Add(1) > 0 }

// release removes a reference. It returns true if the caller must free the slot. Only one caller
// gets true, even if others hold and release at the same time.
func (r *references) release() bool {
	left := r.n.Add(-1)
	if left < 0 {
		panic("pool: a reference was given back twice")
	}
	return left == 0 && r.n.CompareAndSwap(0, freed)
}
