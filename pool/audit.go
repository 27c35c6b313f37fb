package pool

import (
	"fmt"
	"maps"
	"slices"
)

// Names returns the names of the objects in use, sorted: of frontends, listening addresses and
// backends. Only tests call it.
func (r *Registry) Names() (frontends, binds, backends []string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Sorted(maps.Keys(r.frontends)), slices.Sorted(maps.Keys(r.binds)), slices.Sorted(maps.Keys(r.backends))
}

// Audit returns the violations that it finds in the slots of the backend; nil: none. Each server of
// the backend has its slot and is not removed. A slot with another server is free if nothing refers
// to that server. Only tests call it.
func (b *Backend) Audit() (wrong []string) {
	b.listing.Lock()
	defer b.listing.Unlock()
	r := b.roster.Load()
	for _, s := range r.members {
		if r.slots[s.Slot] != s || s.Admin() == AdminRemoved || s.refs.n.Load() < 1 {
			wrong = append(wrong, fmt.Sprintf("server %s is a member; its state is %s, it has %d references, its slot is %d", s, s.Admin(), s.refs.n.Load(), s.Slot))
		}
	}
	for i, s := range r.slots {
		switch {
		case s == nil, slices.Contains(r.members, s):
		case s.Admin() != AdminRemoved || s.refs.n.Load() < 1:
			wrong = append(wrong, fmt.Sprintf("server %s is no member and has slot %d; its state is %s, it has %d references", s, i, s.Admin(), s.refs.n.Load()))
		}
	}
	return wrong
}

// Removed returns the removed servers that still have a slot, because sessions or idle connections
// refer to them. Only tests call it.
func (b *Backend) Removed() (all []*Server) {
	r := b.roster.Load()
	for _, s := range r.slots {
		if s != nil && !slices.Contains(r.members, s) {
			all = append(all, s)
		}
	}
	return all
}
