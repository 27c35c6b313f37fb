package pool

import (
	"fmt"

	"sluice/conf"
	"sluice/pool/stat"
)

// maxWeight is the highest weight of a server, as in HAProxy.
const maxWeight = 256

// Admin is the administrative state of a server. An operator sets it; the results of checks do not
// change it.
type Admin uint8

// The administrative states, in HAProxy's terms.
const (
	AdminReady   Admin = iota // normal
	AdminDrain                // gets no new clients, except those with its cookie; checks continue
	AdminMaint                // gets no clients at all; checks pause
	AdminRemoved              // is no longer in the backend, see Backend.Remove
)

// SetWeight changes the weight of the server, 0 to 256. With weight 0 the server gets no new
// clients, except those with its cookie. An error means that nothing was changed. On a removed
// server, SetWeight has no effect and returns nil.
func (s *Server) SetWeight(n int) error {
	if n < 0 || n > maxWeight {
		return fmt.Errorf("server '%s': weight %d: wanted 0 to %d", s, n, maxWeight)
	}
	s.change(func() { s.weight.Store(int32(n)) })
	return nil
}

// SetAdmin changes the administrative state of the server: AdminReady, AdminDrain or AdminMaint. A
// server that leaves AdminMaint is UP, but one failed check makes it DOWN, as at the start of the
// process. On a removed server, SetAdmin has no effect.
func (s *Server) SetAdmin(a Admin) {
	s.change(func() {
		if s.Admin() == AdminMaint && a != AdminMaint {
			s.restart()
		}
		s.admin.Store(uint32(a))
	})
}

// SetAddress changes the address of the server for new connections. If the address differs, the
// server is UP, but one failed check makes it DOWN, as at the start of the process. The result of a
// check under way does not count. SetAddress resolves a host name, which can take seconds. An error
// means that nothing was changed.
func (s *Server) SetAddress(a conf.Address) error {
	t, err := s.backend.means.locate(a)
	if err != nil {
		return fmt.Errorf("server '%s': %w", s, err)
	}
	s.change(func() {
		if !t.same(s.Target()) {
			s.target.Store(t)
			s.moves.Add(1) // after target, see Moves
			s.last.Store(nil)
			s.restart()
		}
	})
	return nil
}

// String returns the state as the command `set server` takes it.
func (a Admin) String() string { return [...]string{"ready", "drain", "maint", "removed"}[a] }

// adminOf returns the administrative state that the configuration gives a server.
func adminOf(c *conf.Server) Admin {
	if c.Disabled {
		return AdminMaint
	}
	return AdminReady
}

// restart sets the health of a server to the value that it has at the start of the process.
func (s *Server) restart() {
	s.starts.Add(1)
	s.condition.Store(atStart(s.Conf()))
}

// change calls do, which changes the server's state, and then gives the new state to the picker. It
// does nothing for a removed server.
func (s *Server) change(do func()) {
	s.changing.Lock()
	defer s.changing.Unlock()
	if s.Admin() == AdminRemoved {
		return
	}
	do()
	s.backend.apply(s)
}

// apply is called after a change of s. It gives the picker the new set of servers, and then updates
// counts and times.
func (b *Backend) apply(s *Server) {
	b.settle()
	b.mu.Lock()
	defer b.mu.Unlock()
	b.record(s)
}

// record compares the state of s with the state recorded before. It records the difference in the
// counts of usable servers and in the times of the server and of the backend. It returns true if
// the backend has just lost its last usable server. The caller holds mu.
func (b *Backend) record(s *Server) (lost bool) {
	now := stat.Now()
	if is := s.State().Status; is != s.recorded.status {
		s.recorded.status = is
		s.life.turn(now, is == Down || is == Maint)
	}
	b.recount(s)
	was := b.available
	b.available = b.Available()
	if b.available != was {
		b.life.turn(now, was)
	}
	return was && !b.available
}

// recount records in the counts of usable servers whether s is usable now.
func (b *Backend) recount(s *Server) {
	is := &b.active
	switch {
	case !s.Usable():
		is = nil
	case s.Conf().Backup:
		is = &b.backup
	}
	was := s.recorded.in
	if is == was {
		return
	}
	s.recorded.in = is
	if is != nil {
		is.Add(1)
	}
	if was != nil { // after is, because a reader in between must not find no server
		was.Add(-1)
	}
}

// settle gives the picker a new set of servers that includes all changes made before the call.
// Changes made while another goroutine builds a set are all included in the next set. So many
// changes at once cost little more than one.
func (b *Backend) settle() {
	wanted := b.changes.Add(1)
	b.building.Lock()
	defer b.building.Unlock()
	if b.built >= wanted {
		return
	}
	b.built = b.changes.Load()
	b.rebalance()
}
