package scenario

import (
	"time"

	"sluice/bench/load"
	"sluice/bench/peer"
	"sluice/bench/result"
)

// Scale is how much of everything is done.
type Scale struct {
	Quick  bool
	Rounds int
	For    time.Duration // one timed round
}

// Scenario is one question, asked with several sets of parameters.
type Scenario struct {
	Name  string
	About string
	Skip  string // why it is not run
	// Variants returns what to run at a scale.
	Variants func(Scale) []*Variant
}

// Variant is a scenario with one set of parameters.
type Variant struct {
	Params   map[string]any
	Headline string // the metric that answers the question
	Site     peer.Site
	Logged   bool
	Wants    func(peer.Peer) bool
	// Fresh starts a new process for each round: one that has held memory once
	// does not need it anew.
	Fresh bool
	// Untraced has no system calls counted: at a fixed rate, which strace could
	// not follow, or where another scenario has counted the same.
	Untraced bool
	// Prepare is called once all proxies are checked; it may finish Params.
	Prepare func(l *Lab, targets []*Target) error
	Work    Work
	Wrk     *load.Wrk // whose figures to put beside ours, or nil
}

// Work is what is done to a proxy.
type Work interface {
	// Unit is what is counted, as in the names of metrics: conn, req, gb.
	Unit() string
	// Check puts a small load on, and is strict.
	Check(t *Target) error
	// Do puts the load on for a time, or as large as it is. It starts the meter
	// when what comes before is over, and stops it after the last unit.
	Do(t *Target, m *Meter, d time.Duration) (*Done, error)
}

// Done is what a Work did between the meter's start and stop.
type Done struct {
	Units   float64
	Elapsed time.Duration
	Extra   map[string]float64 // further metrics
}

// Target is a proxy under load.
type Target struct {
	*peer.Running
	Sink *Sink
}

// run is a Variant while it runs.
type run struct {
	*Variant
	result  *result.Variant
	targets []*Target
}
