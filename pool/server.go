package pool

import (
	"fmt"
	"net/netip"
	"sync/atomic"

	"sluice/conf"
	"sluice/pool/stat"
)

// Server is one server of a backend. Its exported fields are set by New and do not change,
// except the counters in Stat. Its health is changed by Check.
type Server struct {
	Name string
	ID   int // position in the backend, from 1; `sid` of show stat
	Conf *conf.Server
	Net  conf.Network   // NetTCP: Addr is set; NetUnix and NetAbstract: Path is set
	Addr netip.AddrPort // for NetTCP: resolved by New
	Path string         // for NetUnix: the path; for NetAbstract: the name without its leading NUL
	Stat stat.Server

	backend  *Backend
	health   atomic.Int32           // 0 to top, see step
	stopping atomic.Bool            // disable-on-404 applied: the server gets no new clients
	last     atomic.Pointer[Result] // result of the last check; nil: none yet
	failed   stat.Counter           // checks that failed while health was above 0
	life     life
}

// String returns the server's name as log lines contain it: backend/server.
func (s *Server) String() string { return s.backend.Name + "/" + s.Name }

// Backend returns the backend that contains the server.
func (s *Server) Backend() *Backend { return s.backend }

// Running reports whether the server is enabled and not DOWN by its checks. A cookie may select
// such a server even if balancing must not choose it.
func (s *Server) Running() bool { return !s.Conf.Disabled && s.found() != Down }

// Usable reports whether balancing may choose the server: it is enabled, its checks find it Up
// and not stopping, and its weight is above 0.
func (s *Server) Usable() bool { return !s.Conf.Disabled && s.chosen(s.found()) > 0 }

// chosen returns 1 if balancing may choose the server in the state found, else 0. It ignores
// Disabled.
func (s *Server) chosen(found Status) int32 {
	if found == Up && s.Conf.Weight > 0 {
		return 1
	}
	return 0
}

// found returns the state according to the checks: Up, NoLB or Down. A server without checks is
// Up.
func (s *Server) found() Status { return s.foundAt(s.Health()) }

func (s *Server) foundAt(health int) Status {
	switch {
	case !s.Conf.Check:
		return Up
	case health < s.Conf.Rise:
		return Down
	case s.stopping.Load():
		return NoLB
	}
	return Up
}

// Health returns the counter of checks, 0 to Rise+Fall-1. Below Rise the server is DOWN, from
// Rise on it is UP (HAProxy's check_health).
func (s *Server) Health() int { return int(s.health.Load()) }

// LastCheck returns the result of the last finished check, or nil if none has finished.
func (s *Server) LastCheck() *Result { return s.last.Load() }

// FailedChecks returns how many checks have failed. Failures while Health is 0 do not count
// (HAProxy's chkfail).
func (s *Server) FailedChecks() int64 { return s.failed.Load() }

// Downs returns how often the server went DOWN.
func (s *Server) Downs() int64 { return s.life.downs.Load() }

// Since returns the milliseconds since the server's state last changed, or since the start if
// it never did. now is stat.Now.
func (s *Server) Since(now int64) int64 { return s.life.age(now) }

// Downtime returns the total time that the server was DOWN, in milliseconds. now is stat.Now.
func (s *Server) Downtime(now int64) int64 { return s.life.downtime(now) }

// Status is the state of a server as users see it in show stat and in the log.
type Status uint8

// The states, in HAProxy's terms.
const (
	Up Status = iota
	Down
	NoCheck // enabled, without checks
	Maint   // disabled in the configuration
	NoLB    // up, but gets no new clients because of http-check disable-on-404
)

func (s Status) String() string { return [...]string{"UP", "DOWN", "no check", "MAINT", "NOLB"}[s] }

// State is a server's status and its progress towards the opposite status.
type State struct {
	Status   Status
	Step, Of int // checks counted so far, of the number needed; Of is 0 if no change is in progress
}

// String returns the state as show stat writes it: UP, UP 1/3, NOLB, DOWN, DOWN 1/2.
func (s State) String() string {
	if s.Of == 0 {
		return s.Status.String()
	}
	return fmt.Sprintf("%s %d/%d", s.Status, s.Step, s.Of)
}

// State returns the server's status and its progress to another one.
func (s *Server) State() State {
	health, c := s.Health(), s.Conf
	switch status := s.foundAt(health); {
	case c.Disabled:
		return State{Status: Maint}
	case !c.Check:
		return State{Status: NoCheck}
	case health == 0, health >= top(c):
		return State{Status: status}
	case status == Down:
		return State{Down, health, c.Rise}
	default:
		return State{status, health - c.Rise + 1, c.Fall}
	}
}
