package stat

import "sync/atomic"

// A Rate's word: the second it speaks of, the events of that second and those
// of the second before. One word makes each update one compare-and-swap that
// no reader can see half done.
const (
	countBits = 22
	tickBits  = 64 - 2*countBits
	countMask = 1<<countBits - 1
	tickMask  = 1<<tickBits - 1
)

// Rate is the number of events over the last second and the highest seen.
// Like HAProxy's freq_ctr it blends the running second with the share of the
// one before that is still less than a second old. It counts up to 4,194,303
// events a second and stays there. The zero value is ready.
type Rate struct {
	word atomic.Uint64
	max  atomic.Int64
}

// Add counts one event at now (milliseconds, see Now).
func (r *Rate) Add(now int64) {
	tick := uint64(now/1000) & tickMask
	for {
		old := r.word.Load()
		at, cur, prev := roll(old, tick)
		cur = min(cur+1, countMask)
		if r.word.CompareAndSwap(old, at<<(2*countBits)|cur<<countBits|prev) {
			raise(&r.max, blend(cur, prev, now))
			return
		}
	}
}

// Per returns the events of the second before now.
func (r *Rate) Per(now int64) int64 {
	_, cur, prev := roll(r.word.Load(), uint64(now/1000)&tickMask)
	return blend(cur, prev, now)
}

// Max returns the highest rate seen when an event was counted.
func (r *Rate) Max() int64 { return r.max.Load() }

// roll moves what the word says on to the second tick. A loop whose clock lags
// by a second counts into the word's second, as turning it back would lose it.
func roll(word, tick uint64) (at, cur, prev uint64) {
	at, cur, prev = word>>(2*countBits), word>>countBits&countMask, word&countMask
	switch (tick - at) & tickMask {
	case 0, tickMask:
		return at, cur, prev
	case 1:
		return tick, 0, cur
	}
	return tick, 0, 0
}

func blend(cur, prev uint64, now int64) int64 {
	return int64(cur + prev*uint64(1000-now%1000)/1000)
}

// raise lifts high to v unless it is higher already.
func raise(high *atomic.Int64, v int64) {
	for old := high.Load(); v > old; old = high.Load() {
		if high.CompareAndSwap(old, v) {
			return
		}
	}
}
