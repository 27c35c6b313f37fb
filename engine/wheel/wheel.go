package wheel

import (
	"math/bits"

	"sluice/engine/reserve"
)

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
	entries  reserve.Array[entry]
	head     [slots]int32  // by slot: its first entry, or none
	occupied [words]uint64 // one bit per slot: it contains entries
	done     int64         // number of the last expired tick, that is time / Tick
	armed    int           // number of armed entries
	ripe     []int32       // scratch memory of expireSlot
}

// entry is zero until it is armed, so that entries that are never used need no memory.
type entry struct {
	due        int64 // when it is to fire; 0: not armed
	next, prev int32 // armed: the next and previous entry in the same slot, or none
}

// New returns a wheel for the entries 0 to entries-1. The time is now. The caller closes it with
// Close. It fails if the kernel does not give the address space.
func New(entries int, now int64) (*Wheel, error) {
	reserved, err := reserve.New[entry](entries)
	if err != nil {
		return nil, err
	}
	w := &Wheel{entries: reserved, done: now / Tick}
	for i := range w.head {
		w.head[i] = none
	}
	return w, nil
}

// Close gives the memory back. The wheel must not be used any more.
func (w *Wheel) Close() { w.entries.Close() }

// armed reports whether the entry is armed.
func (e *entry) armed() bool { return e.due != 0 }

// slot returns the slot that contains an armed entry.
func (e *entry) slot() int32 { return int32((e.due + Tick - 1) / Tick % slots) }

// Arm makes the entry fire at the time at. A time in the last expired tick or before means the next
// tick. If the entry is already armed for an earlier time, Arm changes nothing.
func (w *Wheel) Arm(id int32, at int64) {
	e := w.entries.At(id)
	if e.armed() {
		if e.due <= at {
			return
		}
		w.unlink(id)
	}
	e.due = max(at, w.done*Tick+1)
	w.link(id)
}

// Cancel disarms the entry if it is armed.
func (w *Wheel) Cancel(id int32) {
	if w.entries.At(id).armed() {
		w.unlink(id)
	}
}

// Due returns the time at which the entry is to fire, and whether it is armed. at is only valid
// if armed is true.
func (w *Wheel) Due(id int32) (at int64, armed bool) {
	e := w.entries.At(id)
	return e.due, e.armed()
}

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
	for id := w.head[slot]; id != none; {
		e := w.entries.At(id)
		if e.due <= now {
			w.ripe = append(w.ripe, id)
		}
		id = e.next
	}
	for _, id := range w.ripe {
		if e := w.entries.At(id); e.armed() && e.slot() == slot && e.due <= now {
			w.unlink(id)
			fire(id)
		}
	}
}

// link puts an armed entry into its slot.
func (w *Wheel) link(id int32) {
	e := w.entries.At(id)
	slot := e.slot()
	first := w.head[slot]
	e.next, e.prev = first, none
	if first != none {
		w.entries.At(first).prev = id
	}
	w.head[slot] = id
	w.occupied[slot/64] |= 1 << (slot % 64)
	w.armed++
}

// unlink disarms an entry.
func (w *Wheel) unlink(id int32) {
	e := w.entries.At(id)
	slot := e.slot()
	if e.next != none {
		w.entries.At(e.next).prev = e.prev
	}
	if e.prev != none {
		w.entries.At(e.prev).next = e.next
	} else {
		w.head[slot] = e.next
	}
	if w.head[slot] == none {
		w.occupied[slot/64] &^= 1 << (slot % 64)
	}
	e.due = 0
	w.armed--
}
