package pool

import (
	"fmt"
	"slices"

	"sluice/conf"
)

// roster is the immutable list of the servers of a backend. Each change makes a new one, so that
// readers need no lock.
type roster struct {
	slots   []*Server // by slot, with removed servers that have references; nil: free
	members []*Server // servers of the backend in declared order, then those added later
}

// Servers returns the servers of the backend in declared order, and after them the servers that
// were added later. The caller must not change the slice.
func (b *Backend) Servers() []*Server { return b.roster.Load().members }

// Server returns the server in a slot. The caller must hold a reference to that server, see Hold.
// Without a reference, the slot may be free or contain another server.
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
// free slot. If a problem is an error, the backend is unchanged. Add resolves a host name, which
// can take seconds.
func (b *Backend) Add(c *conf.Server) (*Server, conf.Problems) {
	var ps conf.Problems
	s := b.newServer(c, &ps)
	if ps.Err() != nil {
		return nil, ps
	}
	b.listing.Lock()
	defer b.listing.Unlock()
	servers, algorithm := b.Servers(), b.balancing.Load().algorithm
	switch {
	case b.Find(c.Name) != nil:
		ps.Errorf(c.Pos, "server '%s': the backend has a server with this name; wanted another name", s)
	case len(servers) >= algorithm.most:
		ps.Errorf(c.Pos, "server '%s': the backend has %d servers; balance %s can use at most %d", s, len(servers), algorithm.name, algorithm.most)
	}
	if ps.Err() != nil {
		return nil, ps
	}
	s.added = true
	r := b.roster.Load()
	b.roster.Store(&roster{enlist(r.slots, s), append(slices.Clip(r.members), s)})
	b.apply(s)
	b.startSpread(s)
	return s, ps
}

// enlist returns a copy of slots in which each of these servers has the lowest free slot.
func enlist(slots []*Server, servers ...*Server) []*Server {
	slots = slices.Clone(slots)
	slot := 0
	for _, s := range servers {
		for slot < len(slots) && slots[slot] != nil {
			slot++
		}
		if slot == len(slots) {
			slots = append(slots, nil)
		}
		slots[slot] = s
		s.Slot, s.ID = int32(slot), slot+1
	}
	return slots
}

// Remove removes a server from its backend and ends its checks. Balancing does not choose it any
// more. Sessions that use the server continue. Its slot is freed when the last reference is
// released. If the server was removed before, Remove returns an error and has no other effect.
func (b *Backend) Remove(s *Server) error {
	if !b.unlist(s) {
		return fmt.Errorf("server '%s' was removed before", s)
	}
	s.change(func() { s.admin.Store(uint32(AdminRemoved)) })
	s.Release()
	return nil
}

// unlist removes s from the members and ends its checks. It returns false if s is not a member.
func (b *Backend) unlist(s *Server) bool {
	b.listing.Lock()
	defer b.listing.Unlock()
	r := b.roster.Load()
	at := slices.Index(r.members, s)
	if at < 0 {
		return false
	}
	b.roster.Store(&roster{r.slots, slices.Delete(slices.Clone(r.members), at, at+1)})
	s.stopChecks()
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

// Hold adds a reference to the server, so that its slot is not given to another server. A caller
// needs one reference for each slot number that it stores. Hold returns false if the slot is free
// already; the server must then not be used. Hold takes no lock and allocates nothing.
func (s *Server) Hold() bool { return s.refs.hold() }

// Release removes a reference that Hold or Pick has added. The last reference of a removed server
// frees its slot, which takes a lock.
func (s *Server) Release() {
	if s.refs.release() {
		s.backend.vacate(s)
	}
}

// References returns the number of references that sessions and idle connections hold.
func (s *Server) References() int64 {
	n := s.refs.n.Load()
	if s.Admin() != AdminRemoved {
		n-- // the reference of the backend
	}
	return max(n, 0)
}
