package stat

import (
	"math/bits"
	"sync/atomic"
)

// MaxLoops is the highest number of loops that can wait for one Limit.
const MaxLoops = 1024

// Limit keeps a count at or below a maximum, which may change at any time. It implements maxconn of
// the process, of a frontend and of a bind line, and all loops share it. A place is the right to
// have one connection; the connection takes a place and frees it at its end.
//
// A Limit remembers the loops that wait for a place. The caller of Release or SetMax wakes as many
// waiting loops as there are free places, so no place stays unused. A lower maximum ends no
// connection: no place is free until enough connections have ended.
//
// The zero value has no maximum and is ready to use. All methods may be called from any goroutine.
// A Limit must not be copied.
//
// A loop that needs a place must follow this order, or it can miss a wake-up:
//
//	if !limit.TryAcquire() {
//		limit.Wait(loop)
//		if !limit.TryAcquire() {
//			stop accepting, and start again when Release or SetMax returns this loop
//		}
//	}
//
// A loop that was returned by Release or SetMax may find no connection to accept. It must then take
// a place, if there is one, and free it with Release, which wakes the next loop. A wake-up may also
// reach a loop that does not wait any more. That loop must try to accept, too.
type Limit struct {
	max    atomic.Int64 // places; 0: no limit
	_      cacheLine
	cur    atomic.Int64 // places taken
	_      cacheLine
	paused [MaxLoops / 64]atomic.Uint64 // one bit for each loop; 1: the loop waits for a place
	woken  atomic.Int64                 // number of the loop that was woken last
}

// SetMax sets the maximum number of places. 0 means no limit: connections are only counted. SetMax
// returns the numbers of the loops to wake, at most one for each free place. These loops are no
// longer marked as waiting.
func (l *Limit) SetMax(most int) (wake []int) {
	between()
	l.max.Store(int64(most))
	between()
	// Fewer places may be free when the loops run. Release of the other places then wakes again.
	free := int64(most) - l.cur.Load()
	for most == 0 || int64(len(wake)) < free {
		loop := l.wake()
		if loop < 0 {
			break
		}
		wake = append(wake, loop)
	}
	return wake
}

// TryAcquire takes a place if one is free, and reports whether it took one.
func (l *Limit) TryAcquire() bool {
	for {
		between()
		most, cur := l.max.Load(), l.cur.Load()
		switch {
		case most == 0:
			l.cur.Add(1)
			return true
		case cur >= most:
			return false
		}
		if l.cur.CompareAndSwap(cur, cur+1) {
			return true
		}
	}
}

// Wait marks a loop (number 0 to MaxLoops-1) as waiting for a place. It does not block.
func (l *Limit) Wait(loop int) {
	between()
	l.paused[loop/64].Or(1 << (loop % 64))
}

// Forget marks a loop as not waiting. Release may have returned this loop already. Such a wake-up
// must not be lost. So the caller must then call TryAcquire and, if it took a place, Release, which
// wakes the next waiting loop.
func (l *Limit) Forget(loop int) {
	between()
	l.paused[loop/64].And(^uint64(1 << (loop % 64)))
}

// Release frees a place. It returns the number of the loop to wake, or -1 for none. That loop
// is no longer marked as waiting. Waiting loops are woken in turn.
func (l *Limit) Release() (wake int) {
	between()
	cur := l.cur.Add(-1)
	between()
	if most := l.max.Load(); most == 0 || cur >= most { // cur >= most: the maximum was lowered
		return -1
	}
	return l.wake()
}

// wake chooses a waiting loop and marks it as not waiting. It returns -1 if no loop waits.
func (l *Limit) wake() int {
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

// next returns the first waiting loop at or after from. After the last loop it continues with
// loop 0. It returns -1 if no loop waits.
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

// Cur returns the number of places taken.
func (l *Limit) Cur() int64 { return l.cur.Load() }

// Max returns the maximum number of places, 0 for no limit.
func (l *Limit) Max() int64 { return l.max.Load() }
