package stat

import (
	"math/bits"
	"sync/atomic"
)

// MaxLoops is the highest number of loops that can wait for one Limit.
const MaxLoops = 1024

// Limit holds a count to a maximum: maxconn of the process, of a frontend or
// of a bind, shared by all loops. It remembers which loops wait for a place, so
// that whoever frees one wakes exactly one of them and the maximum is used to
// the last place. Make it with NewLimit.
//
// A loop that wants a place follows this order, else a wake-up can be lost:
//
//	if !limit.TryAcquire() {
//		limit.Wait(loop)
//		if !limit.TryAcquire() {
//			stop accepting, and start over when Release names this loop
//		}
//	}
//
// A loop that is named but then has nobody to accept has taken a place and
// gives it back with Release, and that wakes the next one. So a wake-up may
// find the loop awake already; it then tries to accept all the same.
type Limit struct {
	max    int64
	_      cacheLine
	cur    atomic.Int64
	_      cacheLine
	paused [MaxLoops / 64]atomic.Uint64
	woken  atomic.Int64 // the loop that was woken last
}

// NewLimit returns a limit of max places; 0 is no limit, and still counts.
func NewLimit(max int) *Limit { return &Limit{max: int64(max)} }

// TryAcquire takes a place and says whether there was one.
func (l *Limit) TryAcquire() bool {
	if l.max == 0 {
		l.cur.Add(1)
		return true
	}
	for {
		cur := l.cur.Load()
		if cur >= l.max {
			return false
		}
		if l.cur.CompareAndSwap(cur, cur+1) {
			return true
		}
	}
}

// Wait marks a loop (0 to MaxLoops-1) as waiting for a place.
func (l *Limit) Wait(loop int) { l.paused[loop/64].Or(1 << (loop % 64)) }

// Release frees a place and returns the loop to wake for it, no longer marked
// as waiting, or -1. Waiting loops take turns.
func (l *Limit) Release() (wake int) {
	l.cur.Add(-1)
	if l.max == 0 {
		return -1
	}
	from := int(l.woken.Load()+1) % MaxLoops
	for {
		loop := l.next(from)
		if loop < 0 {
			return -1
		}
		bit := uint64(1) << (loop % 64)
		if l.paused[loop/64].And(^bit)&bit != 0 {
			l.woken.Store(int64(loop))
			return loop
		}
	}
}

// next returns the first waiting loop at or after from, going round, or -1.
func (l *Limit) next(from int) int {
	word := from / 64
	if w := l.paused[word].Load() >> (from % 64); w != 0 {
		return from + bits.TrailingZeros64(w)
	}
	for range len(l.paused) {
		word = (word + 1) % len(l.paused)
		if w := l.paused[word].Load(); w != 0 {
			return word*64 + bits.TrailingZeros64(w)
		}
	}
	return -1
}

// Cur returns the places taken.
func (l *Limit) Cur() int64 { return l.cur.Load() }

// Max returns the maximum, 0 for none.
func (l *Limit) Max() int64 { return l.max }
