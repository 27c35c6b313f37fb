package relay

import (
	"errors"
	"fmt"
	"iter"
)

// Charges are the bytes that count against the budgets, by purpose.
type Charges [purposes]int64

// Audit returns the bytes that the flows count against the budgets. The caller must pass all
// flows of the stock's loop. The error names a store or pipe that two flows own, or that is
// borrowed and that no flow owns. Only tests call Audit.
func (s *Stock) Audit(flows iter.Seq[*Flow]) (charged Charges, err error) {
	a := audit{Stock: s, owned: map[int32]bool{}}
	for f := range flows {
		err = errors.Join(err, a.add(f))
	}
	return a.charged, errors.Join(err, a.lent())
}

// Purpose returns the purpose of the flow. Only tests call it.
func (f *Flow) Purpose() Purpose { return f.purpose }

type audit struct {
	*Stock
	owned   map[int32]bool // by the number in Flow.store
	pipes   int            // pipes that flows own
	charged Charges
}

func (a *audit) add(f *Flow) error {
	switch {
	case f.store == 0 && f.held != 0:
		return fmt.Errorf("a flow holds %d bytes in nothing", f.held)
	case f.store == 0:
		return nil
	case f.held <= 0:
		return fmt.Errorf("a flow holds %d bytes and keeps store %d", f.held, f.store)
	case a.owned[f.store]:
		return fmt.Errorf("two flows own store %d", f.store)
	}
	a.owned[f.store] = true
	if f.store > 0 {
		return a.addPipe(f)
	}
	return a.addStore(f)
}

func (a *audit) addPipe(f *Flow) error {
	a.pipes++
	a.charged[f.purpose] += int64(f.held)
	if i := int(f.store - 1); i >= len(a.Stock.pipes.all) || a.Stock.pipes.all[i].r < 0 {
		return fmt.Errorf("a flow owns pipe %d, which is not open", i)
	}
	for _, i := range a.Stock.pipes.free {
		if i == f.store-1 {
			return fmt.Errorf("a flow owns pipe %d, which is free", i)
		}
	}
	return nil
}

func (a *audit) addStore(f *Flow) error {
	if int(f.slot()) >= len(a.stores) || a.stores[f.slot()] == nil {
		return fmt.Errorf("a flow owns store %d, which is free", f.slot())
	}
	store := a.stores[f.slot()]
	a.charged[f.purpose] += int64(cap(store))
	if f.off < 0 || int(f.off)+int(f.held) > cap(store) {
		return fmt.Errorf("a flow holds %d bytes at %d of a store of %d", f.held, f.off, cap(store))
	}
	return nil
}

// lent checks that each borrowed store and pipe is owned by a flow.
func (a *audit) lent() error {
	pipes, stores := 0, 0
	for _, p := range a.Stock.pipes.all {
		if p.r >= 0 {
			pipes++
		}
	}
	for _, store := range a.stores {
		if store != nil {
			stores++
		}
	}
	if pipes -= len(a.Stock.pipes.free); pipes != a.pipes {
		return fmt.Errorf("%d pipes are lent, and flows own %d", pipes, a.pipes)
	}
	if free := len(a.stores) - stores; free != len(a.freeSlots) {
		return fmt.Errorf("%d numbers of stores are not used, and %d are known to be free", free, len(a.freeSlots))
	}
	if owned := len(a.owned) - a.pipes; stores != owned {
		return fmt.Errorf("%d stores are lent, and flows own %d", stores, owned)
	}
	return nil
}
