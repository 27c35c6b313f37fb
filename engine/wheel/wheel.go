package wheel

import "math/bits"

const (
	// Tick is the wheel's resolution in milliseconds: an entry fires up to
	// one tick late, and never early.
	Tick = 8

	slots = 8192 // a rotation takes 65 s; an entry due later is checked once per rotation
	words = slots / 64
	none  = -1
)

// Wheel is a set of armed entries. The documentation of the package explains how it works. All
// times are in milliseconds of the caller's monotonic clock.
type Wheel struct {
	due        []int64       // by entry: when it is to fire
	next, prev []int32       // by entry: the next and previous entry in the same slot, or none
	slot       []int32       // by entry: the slot that contains it plus one; 0: not armed
	head       [slots]int32  // by slot: its first entry, or none
	occupied   [words]uint64 // one bit per slot: it contains entries
	done       int64         // number of the last expired tick, that is time / Tick
	armed      int           // number of armed entries
	ripe       []int32       // scratch memory of expireSlot
}

// New returns a wheel for the entries 0 to entries-1. The time is now.
func New(entries int, now int64) *Wheel {
	w := &Wheel{
		due:  make([]int64, entries),
		next: make([]int32, entries),
		prev: make([]int32, entries),
		slot: make([]int32, entries),
		done: now / Tick,
	}
	for i := range w.head {
		w.head[i] = none
	}
	return w
}

// slotOf returns the slot that contains the entry, or none. Slot numbers are stored plus one,
// so that 0 means none: the memory of entries that were never used stays unwritten.
func (w *Wheel) slotOf(id int32) int32 { return w.slot[id] - 1 }

// Arm makes the entry fire at the time at. If the entry is already armed for an earlier time,
// Arm changes nothing.
func (w *Wheel) Arm(id int32, at int64) {
	if w.slotOf(id) != none {
		if w.due[id] <= at {
			return
		}
		w.unlink(id)
	}
	tick := max((at+Tick-1)/Tick, w.done+1)
	w.due[id] = at
	w.link(id, int32(tick%slots))
}

// Cancel disarms the entry if it is armed.
func (w *Wheel) Cancel(id int32) {
	if w.slotOf(id) != none {
		w.unlink(id)
	}
}

// Due returns the time at which the entry is to fire, and whether it is armed. at is only valid
// if armed is true.
func (w *Wheel) Due(id int32) (at int64, armed bool) { return w.due[id], w.slotOf(id) != none }

// Armed returns the number of armed entries.
func (w *Wheel) Armed() int { return w.armed }

// Next returns the time at which Expire should be called next. It returns false if no entry is
// armed.
func (w *Wheel) Next() (int64, bool) {
	if w.armed == 0 {
		return 0, false
	}
	start := int((w.done + 1) % slots)
	for i := range words + 1 {
		word := (start/64 + i) % words
		set := w.occupied[word]
		switch i {
		case 0:
			set &= ^uint64(0) << (start % 64)
		case words:
			set &= 1<<(start%64) - 1
		}
		if set != 0 {
			slot := word*64 + bits.TrailingZeros64(set)
			return (w.done + 1 + int64((slot-start+slots)%slots)) * Tick, true
		}
	}
	return 0, false
}

// Expire disarms every entry that is due at the time now, and calls fire for it. fire may arm
// and cancel any entry.
func (w *Wheel) Expire(now int64, fire func(id int32)) {
	last := now / Tick
	if last-w.done > slots {
		w.done = last - slots
	}
	for w.done < last {
		w.done++
		w.expireSlot(int32(w.done%slots), now, fire)
	}
}

// expireSlot expires the entries of one slot. It first collects them and then calls fire,
// because fire may change the list of the slot.
func (w *Wheel) expireSlot(slot int32, now int64, fire func(id int32)) {
	w.ripe = w.ripe[:0]
	for id := w.head[slot]; id != none; id = w.next[id] {
		if w.due[id] <= now {
			w.ripe = append(w.ripe, id)
		}
	}
	for _, id := range w.ripe {
		if w.slotOf(id) == slot && w.due[id] <= now {
			w.unlink(id)
			fire(id)
		}
	}
}

func (w *Wheel) link(id, slot int32) {
	first := w.head[slot]
	w.next[id], w.prev[id], w.slot[id] = first, none, slot+1
	if first != none {
		w.prev[first] = id
	}
	w.head[slot] = id
	w.occupied[slot/64] |= 1 << (slot % 64)
	w.armed++
}

func (w *Wheel) unlink(id int32) {
	slot, next, prev := w.slotOf(id), w.next[id], w.prev[id]
	if next != none {
		w.prev[next] = prev
	}
	if prev != none {
		w.next[prev] = next
	} else {
		w.head[slot] = next
	}
	if w.head[slot] == none {
		w.occupied[slot/64] &^= 1 << (slot % 64)
	}
	w.slot[id] = 0
	w.armed--
}
