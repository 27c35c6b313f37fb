package scenario

import (
	"time"

	"sluice/bench/load"
	"sluice/bench/peer"
	"sluice/bench/result"
)

// Scale is the size of a run.
type Scale struct {
	Quick  bool          // fewer variants and smaller amounts
	Rounds int           // timed rounds per variant
	For    time.Duration // duration of one round
}

// Scenario is one question, examined with several sets of parameters.
type Scenario struct {
	Name  string
	About string // one line for lists and reports
	Skip  string // reason why it is not run; empty: it is run
	// Variants returns the variants to run at a scale.
	Variants func(Scale) []*Variant
}

// Variant is a scenario with one set of parameters.
type Variant struct {
	Params   map[string]any
	Headline string // name of the metric that answers the question
	Site     peer.Site
	Logged   bool                 // the proxies log each connection to the Sink
	Wants    func(peer.Peer) bool // selects the peers that take part; nil: all
	// Fresh starts a new process for each round, because memory that a process has used once
	// stays with it.
	Fresh bool
	// Once makes only one round, because the round pools many events itself.
	Once bool
	// Untraced omits the count of system calls. It is set at a fixed rate, which a proxy under
	// strace could not reach, and where another scenario has counted the same work.
	Untraced bool
	// Prepare, if not nil, is called once after all proxies are checked. It may set further
	// Params.
	Prepare func(l *Lab, targets []*Target) error
	Work    Work
	Wrk     *load.Wrk // run of wrk to compare with; nil: none
}

// Work is the load for a proxy.
type Work interface {
	// Unit returns the unit of work as in the names of metrics: conn, req or gb.
	Unit() string
	// Check makes a small load and returns an error for any wrong answer.
	Check(t *Target) error
	// Do makes the load for the time d, or all of it if the load has a fixed size. It starts
	// the meter when its preparations are finished, and stops the meter after the last unit.
	Do(t *Target, m *Meter, d time.Duration) (*Done, error)
}

// Done is the work that was done between the start and the stop of the meter.
type Done struct {
	Units   float64 // number of units, see Work.Unit
	Elapsed time.Duration
	Extra   map[string]float64 // further metrics
	Notes   []string           // messages about the round
}

// Target is a proxy that gets load.
type Target struct {
	*peer.Running
	Sink *Sink
	// Interrupted is closed when the work must end early. Only long works look at it.
	Interrupted <-chan struct{}
}

// run is the state of a Variant while it is measured.
type run struct {
	*Variant
	result  *result.Variant
	targets []*Target
}
