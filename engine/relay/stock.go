package relay

const (
	classes = 13 // number of store sizes: 256 bytes, 512 bytes ... 1 MiB; larger stores are not kept for reuse

	// A stock keeps spareBytes of unused stores of each class for the next flows, but at least
	// spareStores stores.
	spareBytes  = 64 << 10
	spareStores = 8
)

// Stock is the memory and the pipes of a loop, from which its flows borrow.
type Stock struct {
	Buffer []byte // shared by all code on the loop; its contents are overwritten by the next read

	sizes     Sizes
	budgets   Budgets           // shared with all loops
	stores    [][]byte          // by number; nil: the number is free
	freeSlots []int32           // the free numbers in stores
	spare     [classes][][]byte // unused stores, by class
	pipes     pipes             // lent to flows that splice
	joined    []byte            // buffer of joint; nil until a Look needs it
	left      int64             // bytes that the current pump may still read
	toEnd     bool              // the current call of Pump has no limit: it reads until the source has ended
	spliced   int64             // bytes since the last call of Spliced
}

// NewStock returns a stock that opens at most maxPipes pipes. It opens openPipes of them at
// once, because later the process may lack the privilege to make pipes large.
func NewStock(sizes Sizes, budgets Budgets, maxPipes, openPipes int) *Stock {
	s := &Stock{Buffer: make([]byte, sizes.Buffer), sizes: sizes, budgets: budgets}
	s.pipes.open(sizes, maxPipes, openPipes)
	return s
}

// LimitPipes changes the maximum number of pipes. The stock closes pipes above it: those that no flow
// holds at once, the others when their flows return them.
func (s *Stock) LimitPipes(maximum int) { s.pipes.limit(maximum) }

// Close closes the pipes. No flow may hold a pipe at this time.
func (s *Stock) Close() { s.pipes.close() }

// Room reports whether the budget of the flow's purpose allows the flow to hold n bytes in
// total.
func (s *Stock) Room(f *Flow, n int) bool { return s.budgets[f.purpose].allows(n) }

// Assign sets the purpose for which the flow holds bytes from now on. The bytes that the flow
// already holds move to the budget of that purpose.
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

// Hold adds a copy of b to the bytes that the flow holds.
func (s *Stock) Hold(f *Flow, b []byte) {
	if len(b) == 0 {
		return
	}
	if f.store > 0 {
		_ = s.unpipe(f) // the pipe contains bytes, so reading from it cannot fail
	}
	n := int(f.held)
	if f.store == 0 || n+int(f.off)+len(b) > cap(s.stores[f.slot()]) {
		s.regrow(f, n+len(b))
	}
	store := s.stores[f.slot()]
	end := int(f.off) + n
	f.held += int32(copy(store[end:end+len(b)], b))
}

// Held returns the bytes that Hold has copied. They are valid until the flow changes; the
// caller must not keep them. Bytes in a pipe are not returned.
func (s *Stock) Held(f *Flow) []byte {
	if f.store >= 0 {
		return nil
	}
	return s.stores[f.slot()][f.off : f.off+f.held]
}

// Consume removes the first n of the bytes that Hold has copied.
func (s *Stock) Consume(f *Flow, n int) {
	f.off += int32(n)
	f.held -= int32(n)
	if f.held == 0 {
		s.Release(f)
	}
}

// Release returns the flow's store or pipe to the stock. The bytes that the flow holds are
// lost.
func (s *Stock) Release(f *Flow) {
	switch {
	case f.store > 0:
		s.returnPipe(f, f.held > 0)
	case f.store < 0:
		s.returnStore(f)
	}
	f.store, f.held, f.off = 0, 0, 0
}

// regrow moves the held bytes to a store that can hold size bytes.
func (s *Stock) regrow(f *Flow, size int) {
	class := s.classOf(size)
	slot := s.newSlot(s.newStore(class))
	s.budgets[f.purpose].charge(s.sizes.Store << class)
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
	return make([]byte, s.sizes.Store<<class)
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
	class := s.classOf(cap(store))
	if class < classes && len(s.spare[class]) < max(spareStores, spareBytes/cap(store)) {
		s.spare[class] = append(s.spare[class], store)
	}
	s.stores[slot] = nil
	s.freeSlots = append(s.freeSlots, slot)
}

// classOf returns the class of the smallest stores that can hold size bytes.
func (s *Stock) classOf(size int) int {
	class := 0
	for size > s.sizes.Store<<class {
		class++
	}
	return class
}
