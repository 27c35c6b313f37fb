package pool

import (
	"fmt"
	"slices"

	"sluice/conf"
)

// roster is the immutable list of the servers of a backend. Each change makes a new one, so that
// readers need no lock.
type roster struct {
	slots   []*Server // by slot, also removed servers that are still in use; nil: the slot is free
	members []*Server // the servers of the backend in declared order; added ones at the end
}

// Servers returns the servers of the backend in declared order, those added later at the end. The
// caller must not change the slice.
func (b *Backend) Servers() []*Server { return b.roster.Load().members }

// Server returns the server in a slot. The caller must hold a reference to that server, see Hold.
// Without one, the slot may be free or have another server.
func (b *Backend) Server(slot int32) *Server { return b.roster.Load().slots[slot] }

// Find returns the server with this name, or nil if the backend has none.
func (b *Backend) Find(name string) *Server {
	for _, s := range b.Servers() {
		if s.Name == name {
			return s
		}
	}
	return nil
}

// Add adds a server to the backend and starts its checks, if Check runs. The server gets the lowest
// free slot. If a problem is an error, the backend is unchanged. Add resolves a host name, which can
// take seconds.
func (b *Backend) Add(c *conf.Server) (*Server, conf.Problems) {
	var ps conf.Problems
	s := b.newServer(c, &ps)
	if ps.Err() != nil {
		return nil, ps
	}
	b.listing.Lock()
	defer b.listing.Unlock()
	servers := b.Servers()
	switch {
	case b.Find(c.Name) != nil:
		ps.Errorf(c.Pos, "server '%s': the backend has a server with this name; wanted another name", s)
	case len(servers) == b.algorithm.most:
		ps.Errorf(c.Pos, "server '%s': the backend has %d servers; balance %s can use at most %d", s, len(servers), b.algorithm.name, b.algorithm.most)
	}
	if ps.Err() != nil {
		return nil, ps
	}
	b.enlist(s)
	b.apply(s)
	if b.start != nil && c.Check {
		b.start(s, 0)
	}
	return s, ps
}

// enlist puts s into the lowest free slot. The caller holds listing.
func (b *Backend) enlist(s *Server) {
	r := b.roster.Load()
	slots := slices.Clone(r.slots)
	slot := slices.Index(slots, nil)
	if slot < 0 {
		slot = len(slots)
		slots = append(slots, nil)
	}
	slots[slot] = s
	s.occupy(slot)
	b.roster.Store(&roster{slots, append(slices.Clip(r.members), s)})
}

// Remove takes a server out of its backend and ends its checks. Balancing does not choose it any
// more. Sessions that use it continue. Its slot is freed when the last reference has gone. Remove
// has no effect on a server that was removed before.
func (b *Backend) Remove(s *Server) error {
	if !b.unlist(s) {
		return fmt.Errorf("server '%s' was removed before", s)
	}
	s.change(func() { s.admin.Store(uint32(AdminRemoved)) })
	s.Release()
	return nil
}

// unlist takes s off the list of members. It returns false if s is not on it.
func (b *Backend) unlist(s *Server) bool {
	b.listing.Lock()
	defer b.listing.Unlock()
	r := b.roster.Load()
	at := slices.Index(r.members, s)
	if at < 0 {
		return false
	}
	b.roster.Store(&roster{r.slots, slices.Delete(slices.Clone(r.members), at, at+1)})
	if s.endChecks != nil {
		s.endChecks()
	}
	return true
}

// vacate frees the slot of a removed server.
func (b *Backend) vacate(s *Server) {
	b.listing.Lock()
	defer b.listing.Unlock()
	r := b.roster.Load()
	slots := slices.Clone(r.slots)
	slots[s.Slot] = nil
	b.roster.Store(&roster{slots, r.members})
}

// Hold adds a reference to the server, so that its slot is not given to another server. Every
// number of a slot that is stored needs a reference of its own. Hold returns false if the slot is
// free already; then the server must not be used. It takes no lock and allocates nothing.
func (s *Server) Hold() bool { return s.refs.hold() }

// Release takes a reference away that Hold or Pick has added. The last one of a removed server frees
// its slot, which takes a lock.
func (s *Server) Release() {
	if s.refs.release() {
		s.backend.vacate(s)
	}
}

// References returns the number of references that sessions and idle connections hold.
func (s *Server) References() int64 {
	n := s.refs.n.Load()
	if s.Admin() != AdminRemoved {
		n-- // that of the backend
	}
	return max(n, 0)
}
