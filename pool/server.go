package pool

import (
	"fmt"
	"sync"
	"sync/atomic"

	"sluice/conf"
	"sluice/pool/stat"
)

// Server is one server of a backend. Its exported fields do not change, except the counters in
// Stat. Weight, address and `disabled` in Conf are only the values of the configuration; Weight,
// Target and Admin return the present values. The methods may be called from any goroutine.
type Server struct {
	Name string
	Slot int32 // index of the server in its backend, from 0; see Backend.Server
	ID   int   // Slot + 1; `sid` of show stat

	backend   *Backend
	condition atomic.Pointer[condition] // settings and health
	target    atomic.Pointer[Target]
	declared  *Target                // address of the configuration; guarded by changing
	weight    atomic.Int32           // 0 to maxWeight
	admin     atomic.Uint32          // an Admin
	last      atomic.Pointer[Result] // result of the last check; nil: none yet
	starts    atomic.Int32           // number of calls of restart
	moves     atomic.Int32           // number of changes of target, see Moves
	failed    stat.Counter           // checks that failed while health was above 0
	life      life

	added     bool       // a command has added it, and no configuration names it; guarded by Backend.listing
	changing  sync.Mutex // held while condition, weight, address or administrative state changes
	endChecks func()     // ends the checks; nil: no checks were started; guarded by Backend.listing
	recorded  struct {   // the state that counts and times include; guarded by Backend.mu
		status Status
		in     *atomic.Int32 // the count of usable servers that includes the server; nil: none
	}

	_    [64]byte // loops write the following fields; so they need other cache lines
	refs references
	Stat stat.Server // counters, updated by loops
	_    [64]byte
}

// newServer makes a server of the backend that is not in its roster yet. It adds errors of the
// settings to ps.
func (b *Backend) newServer(c *conf.Server, ps *conf.Problems) *Server {
	s := &Server{Name: c.Name, backend: b}
	s.refs.hold() // the reference of the backend
	s.condition.Store(atStart(c))
	s.mindChecks(ps)
	target, err := b.means.locate(c.Address)
	if err != nil {
		ps.Errorf(c.Pos, "server '%s': %v", s, err)
	}
	s.target.Store(target)
	s.declared = target
	s.weight.Store(int32(c.Weight))
	s.admin.Store(uint32(adminOf(c)))
	s.life.down.Store(c.Disabled)
	s.life.since.Store(stat.Now())
	s.recorded.status = s.State().Status
	return s
}

// String returns the server's name as log lines contain it: backend/server.
func (s *Server) String() string { return s.backend.Name + "/" + s.Name }

// Backend returns the backend that contains the server.
func (s *Server) Backend() *Backend { return s.backend }

// Conf returns the present settings of the server. A reload replaces them at any time, so a caller
// that compares several of them calls Conf once. The result is immutable.
func (s *Server) Conf() *conf.Server { return s.condition.Load().conf }

// Target returns the present address of the server, which can change at any time. A caller reads it
// once for a connection.
func (s *Server) Target() *Target { return s.target.Load() }

// Moves returns the number of changes of the address. A caller that keeps a connection reads Moves
// before Target. If Moves still returns the same number later, the connection leads to the present
// address.
func (s *Server) Moves() int32 { return s.moves.Load() }

// Weight returns the present weight of the server, 0 to 256.
func (s *Server) Weight() int { return int(s.weight.Load()) }

// Admin returns the administrative state of the server.
func (s *Server) Admin() Admin { return Admin(s.admin.Load()) }

// enabled reports whether the administrative state allows clients: it is ready or drain.
func (s *Server) enabled() bool { return s.Admin() < AdminMaint }

// Running reports whether the administrative state is ready or drain, and checks have not found the
// server DOWN. A cookie may select such a server even if balancing must not choose it.
func (s *Server) Running() bool { return s.enabled() && s.found() != Down }

// Usable reports whether balancing may choose the server. Its administrative state is ready, its
// weight is above 0, and checks have found it Up and not stopping.
func (s *Server) Usable() bool {
	return s.Admin() == AdminReady && s.weight.Load() > 0 && s.found() == Up
}

// found returns the state according to the checks: Up, NoLB or Down. For a server without checks it
// is Up.
func (s *Server) found() Status { return s.condition.Load().found }

// Health returns the counter of checks, 0 to Rise+Fall-1. Below Rise the server is DOWN, from
// Rise on it is UP (HAProxy's check_health).
func (s *Server) Health() int { return s.condition.Load().health }

// LastCheck returns the result of the last finished check. It is nil if no check has finished since
// the start or the last change of the address.
func (s *Server) LastCheck() *Result { return s.last.Load() }

// FailedChecks returns the number of failed checks. Failures while Health is 0 do not count
// (HAProxy's chkfail).
func (s *Server) FailedChecks() int64 { return s.failed.Load() }

// Downs returns the number of times that the server went DOWN or into maintenance.
func (s *Server) Downs() int64 { return s.life.downs.Load() }

// Since returns the milliseconds since the server's status last changed, or since the server was
// made if it never did. now is stat.Now.
func (s *Server) Since(now int64) int64 { return s.life.age(now) }

// Downtime returns the total time that the server was DOWN or in maintenance, in milliseconds. now
// is stat.Now.
func (s *Server) Downtime(now int64) int64 { return s.life.downtime(now) }

// Status is the state of a server as show stat and log lines show it.
type Status uint8

// The states, in HAProxy's terms.
const (
	Up Status = iota
	Down
	NoCheck // enabled, without checks
	Maint   // administrative state maint, or removed
	NoLB    // up, but gets no new clients because of http-check disable-on-404
	Drain   // up, but gets no new clients because of its administrative state
)

// String returns HAProxy's name of the status.
func (s Status) String() string {
	return [...]string{"UP", "DOWN", "no check", "MAINT", "NOLB", "DRAIN"}[s]
}

// State is a server's status, and the progress of its checks towards the opposite status.
type State struct {
	Status   Status
	Step, Of int // Step of Of checks were counted; Of is 0 if no change is in progress
}

// String returns the state as show stat writes it: UP, UP 1/3, NOLB, DRAIN, DOWN, DOWN
// 1/2.
func (s State) String() string {
	if s.Of == 0 {
		return s.Status.String()
	}
	return fmt.Sprintf("%s %d/%d", s.Status, s.Step, s.Of)
}

// State returns the server's present status and the progress of its checks.
func (s *Server) State() State {
	is := s.condition.Load()
	health, c := is.health, is.conf
	switch status := s.statusIn(is); {
	case status == Maint, !c.Check, health == 0, health >= top(c):
		return State{Status: status}
	case status == Down:
		return State{Down, health, c.Rise}
	default:
		return State{status, health - c.Rise + 1, c.Fall}
	}
}

// statusIn returns the status of the server in a condition.
func (s *Server) statusIn(is *condition) Status {
	switch {
	case !s.enabled():
		return Maint
	case is.found == Up && s.Admin() == AdminDrain:
		return Drain
	case !is.conf.Check:
		return NoCheck
	}
	return is.found
}
