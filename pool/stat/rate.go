package stat

import "sync/atomic"

// A Rate stores three values in one 64-bit integer: the number of a second, its number of events,
// and the number of events in the second before. Each update is one compare-and-swap, so readers
// always see values that belong together.
const (
	countBits = 22
	tickBits  = 64 - 2*countBits
	countMask = 1<<countBits - 1
	tickMask  = 1<<tickBits - 1
)

// Rate is the number of events over the last second, and the highest such number. Like HAProxy's
// freq_ctr it adds two counts: the events of the current second, and a share of the events of the
// previous second. The share is the part of the previous second that lies within the last 1,000
// milliseconds.
//
// A Rate counts at most 4,194,303 events a second; further events in a second are ignored. The zero
// value is ready to use.
type Rate struct {
	word atomic.Uint64 // second, its events, events of the second before; see countBits
	max  atomic.Int64  // highest rate, events per second
}

// Add counts one event at time now (milliseconds, see Now).
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

// Per returns the number of events in the second before now (milliseconds, see Now).
func (r *Rate) Per(now int64) int64 {
	_, cur, prev := roll(r.word.Load(), uint64(now/1000)&tickMask)
	return blend(cur, prev, now)
}

// Max returns the highest rate in events per second. It is updated when an event is counted.
func (r *Rate) Max() int64 { return r.max.Load() }

// roll returns the values of word, which has the format of Rate.word, moved forward to the second
// tick. If the caller's clock is one second behind the stored second, roll keeps the stored second,
// because its count would be lost otherwise.
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

// blend returns the number of events of the last second at time now, see Rate. cur and prev are the
// events of the second that contains now and of the second before.
func blend(cur, prev uint64, now int64) int64 {
	return int64(cur + prev*uint64(1000-now%1000)/1000)
}

// raise sets high to v if v is higher.
func raise(high *atomic.Int64, v int64) {
	for old := high.Load(); v > old; old = high.Load() {
		if high.CompareAndSwap(old, v) {
			return
		}
	}
}
