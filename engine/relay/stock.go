package relay

// BufferSize is the size of a loop's buffer, and so of the longest read.
const BufferSize = 64 << 10

const (
	smallestStore = 4 << 10
	classes       = 9 // 4 KiB, 8 KiB ... 1 MiB
	spareStores   = 8 // of each class, kept for the next flow
)

// Stock is what a loop lends to its flows.
type Stock struct {
	Buffer []byte // for whoever works on the loop; nothing stays in it

	budget    *Budget
	stores    [][]byte // by number; nil: the number is free
	freeSlots []int32
	spare     [classes][][]byte
	pipes     pipes
	left      int64 // bytes that the pump under way may still read
	toEnd     bool  // it goes on until the source ends
	spliced   int64 // bytes, see Spliced
}

// NewStock returns a stock that opens up to maxPipes pipes, the first of them
// at once (while the process may still make them large).
func NewStock(budget *Budget, maxPipes, openPipes int) *Stock {
	s := &Stock{Buffer: make([]byte, BufferSize), budget: budget}
	s.pipes.open(maxPipes, openPipes)
	return s
}

// Close closes the pipes. No flow may hold one any more.
func (s *Stock) Close() { s.pipes.close() }

// Room reports whether the budget lets flows hold more bytes.
func (s *Stock) Room() bool { return !s.budget.Spent() }

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
		s.returnStore(f.slot())
	}
	f.store, f.held, f.off = 0, 0, 0
}

// regrow moves what the flow holds to a store that takes size bytes.
func (s *Stock) regrow(f *Flow, size int) {
	class := classOf(size)
	slot := s.newSlot(s.newStore(class))
	s.budget.charge(smallestStore << class)
	if f.store != 0 {
		copy(s.stores[slot], s.Held(f))
		s.returnStore(f.slot())
	}
	f.store, f.off = -slot-1, 0
}

func (s *Stock) newStore(class int) []byte {
	if spare := s.spare[class]; len(spare) > 0 {
		s.spare[class] = spare[:len(spare)-1]
		return spare[len(spare)-1]
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

func (s *Stock) returnStore(slot int32) {
	store := s.stores[slot]
	s.budget.refund(cap(store))
	class := classOf(cap(store))
	if len(s.spare[class]) < spareStores {
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
