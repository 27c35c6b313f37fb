package relay

// BufferSize is the size of a loop's buffer, and so of the longest read.
const BufferSize = 64 << 10

const (
	smallestStore = 256
	classes       = 13 // 256 bytes, 512 bytes ... 1 MiB; larger stores are not kept

	// Of each class so many bytes are kept for the next flows, but at least so
	// many stores.
	spareBytes  = 64 << 10
	spareStores = 8
)

// Stock is what a loop lends to its flows.
type Stock struct {
	Buffer []byte // for whoever works on the loop; nothing stays in it

	budgets   Budgets
	stores    [][]byte // by number; nil: the number is free
	freeSlots []int32
	spare     [classes][][]byte
	pipes     pipes
	joined    []byte // held and peeked bytes side by side, see joint; nil until needed
	left      int64  // bytes that the pump under way may still read
	toEnd     bool   // it goes on until the source ends
	spliced   int64  // bytes, see Spliced
}

// NewStock returns a stock that opens up to maxPipes pipes, the first of them
// at once (while the process may still make them large).
func NewStock(budgets Budgets, maxPipes, openPipes int) *Stock {
	s := &Stock{Buffer: make([]byte, BufferSize), budgets: budgets}
	s.pipes.open(maxPipes, openPipes)
	return s
}

// Close closes the pipes. No flow may hold one any more.
func (s *Stock) Close() { s.pipes.close() }

// Room reports whether the budget of the flow's purpose lets it hold n bytes, with
// those that it holds already.
func (s *Stock) Room(f *Flow, n int) bool { return s.budgets[f.purpose].allows(n) }

// Assign says what the flow holds bytes for from now on. Those that it holds
// already are charged to that purpose, too.
func (s *Stock) Assign(f *Flow, p Purpose) {
	n := int(f.held)
	if f.store < 0 {
		n = cap(s.stores[f.slot()])
	}
	if n > 0 && p != f.purpose {
		s.budgets[f.purpose].refund(n)
		s.budgets[p].charge(n)
	}
	f.purpose = p
}

// Spliced returns how many bytes splice has written since the last call.
func (s *Stock) Spliced() int64 {
	n := s.spliced
	s.spliced = 0
	return n
}

// Hold keeps a copy of b behind what the flow holds already.
func (s *Stock) Hold(f *Flow, b []byte) {
	if len(b) == 0 {
		return
	}
	if f.store > 0 {
		_ = s.unpipe(f) // our own pipe, with bytes in it: a read can't fail
	}
	n := int(f.held)
	if f.store == 0 || n+int(f.off)+len(b) > cap(s.stores[f.slot()]) {
		s.regrow(f, n+len(b))
	}
	store := s.stores[f.slot()]
	end := int(f.off) + n
	f.held += int32(copy(store[end:end+len(b)], b))
}

// Held returns the bytes that Hold keeps for the flow; they stay the stock's.
func (s *Stock) Held(f *Flow) []byte {
	if f.store >= 0 {
		return nil
	}
	return s.stores[f.slot()][f.off : f.off+f.held]
}

// Consume takes n of the bytes that Hold keeps off their front.
func (s *Stock) Consume(f *Flow, n int) {
	f.off += int32(n)
	f.held -= int32(n)
	if f.held == 0 {
		s.Release(f)
	}
}

// Release gives back all that the flow has borrowed, and what it holds is gone.
func (s *Stock) Release(f *Flow) {
	switch {
	case f.store > 0:
		s.returnPipe(f, f.held > 0)
	case f.store < 0:
		s.returnStore(f)
	}
	f.store, f.held, f.off = 0, 0, 0
}

// regrow moves what the flow holds to a store that takes size bytes.
func (s *Stock) regrow(f *Flow, size int) {
	class := classOf(size)
	slot := s.newSlot(s.newStore(class))
	s.budgets[f.purpose].charge(smallestStore << class)
	if f.store != 0 {
		copy(s.stores[slot], s.Held(f))
		s.returnStore(f)
	}
	f.store, f.off = -slot-1, 0
}

func (s *Stock) newStore(class int) []byte {
	if class < classes && len(s.spare[class]) > 0 {
		last := len(s.spare[class]) - 1
		store := s.spare[class][last]
		s.spare[class] = s.spare[class][:last]
		return store
	}
	return make([]byte, smallestStore<<class)
}

func (s *Stock) newSlot(store []byte) int32 {
	if n := len(s.freeSlots); n > 0 {
		slot := s.freeSlots[n-1]
		s.freeSlots = s.freeSlots[:n-1]
		s.stores[slot] = store
		return slot
	}
	s.stores = append(s.stores, store)
	return int32(len(s.stores) - 1)
}

func (s *Stock) returnStore(f *Flow) {
	slot := f.slot()
	store := s.stores[slot]
	s.budgets[f.purpose].refund(cap(store))
	class := classOf(cap(store))
	if class < classes && len(s.spare[class]) < max(spareStores, spareBytes/cap(store)) {
		s.spare[class] = append(s.spare[class], store)
	}
	s.stores[slot] = nil
	s.freeSlots = append(s.freeSlots, slot)
}

// classOf returns the class of the smallest store that takes size bytes.
func classOf(size int) int {
	class := 0
	for size > smallestStore<<class {
		class++
	}
	return class
}
