package pool

import (
	"fmt"
	"net/netip"
	"sync/atomic"

	"sluice/conf"
	"sluice/engine/stat"
)

// Server is one target of a backend. Its fields are set once by New; its
// health changes under the hand of Check.
type Server struct {
	Name string
	ID   int // from 1, in declared order; `sid` of show stat
	Conf *conf.Server
	Net  conf.Network   // NetTCP: Addr; NetUnix and NetAbstract: Path
	Addr netip.AddrPort // resolved when the backend was made
	Path string         // NetAbstract: without the leading NUL
	Stat stat.Server

	backend  *Backend
	health   atomic.Int32 // 0 .. top: see step
	stopping atomic.Bool  // of a running server: its checks want no new clients for it
	last     atomic.Pointer[Result]
	failed   stat.Counter
	life     life
}

// String names the server as log lines do: backend/server.
func (s *Server) String() string { return s.backend.Name + "/" + s.Name }

// Backend returns the backend the server belongs to.
func (s *Server) Backend() *Backend { return s.backend }

// Running says whether the server is up: enabled, and not found dead by its
// checks. A cookie may lead to it even when balancing may not.
func (s *Server) Running() bool { return !s.Conf.Disabled && s.found() != Down }

// Usable says whether balancing may choose the server: it runs, does not mean
// to stop and has a weight.
func (s *Server) Usable() bool { return !s.Conf.Disabled && s.chosen(s.found()) > 0 }

// chosen counts the server, 1 or 0, among those that balancing may choose if
// its checks found it to be so.
func (s *Server) chosen(found Status) int32 {
	if found == Up && s.Conf.Weight > 0 {
		return 1
	}
	return 0
}

// found returns what checks make of the server: Up, NoLB or Down. It is Up
// without them.
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

// Health returns the counter of checks: DOWN below Rise, UP from there on, at
// most Rise+Fall-1 (HAProxy's check_health).
func (s *Server) Health() int { return int(s.health.Load()) }

// LastCheck returns the result of the last finished check, nil before that.
func (s *Server) LastCheck() *Result { return s.last.Load() }

// FailedChecks returns how many checks failed while the server was not yet
// DOWN at 0 (HAProxy's chkfail).
func (s *Server) FailedChecks() int64 { return s.failed.Load() }

// Downs returns how often the server went from UP to DOWN.
func (s *Server) Downs() int64 { return s.life.downs.Load() }

// Since returns the milliseconds since the server last changed its state, or
// since the start. now is stat.Now.
func (s *Server) Since(now int64) int64 { return s.life.age(now) }

// Downtime returns the milliseconds the server was DOWN in all.
func (s *Server) Downtime(now int64) int64 { return s.life.downtime(now) }

// Status is what an operator calls the state of a server.
type Status uint8

// The states, in HAProxy's words.
const (
	Up Status = iota
	Down
	NoCheck
	Maint
	NoLB // up, but http-check disable-on-404 keeps new clients away
)

func (s Status) String() string { return [...]string{"UP", "DOWN", "no check", "MAINT", "NOLB"}[s] }

// State is a server's status and how far it is on the way to the other one.
type State struct {
	Status   Status
	Step, Of int // Of 0: not on the way
}

// String writes the state as show stat does: UP, UP 1/3, NOLB, DOWN, DOWN 1/2.
func (s State) String() string {
	if s.Of == 0 {
		return s.Status.String()
	}
	return fmt.Sprintf("%s %d/%d", s.Status, s.Step, s.Of)
}

// State returns the server's state.
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
