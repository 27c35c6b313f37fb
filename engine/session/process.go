package session

import (
	"sync"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"sluice/engine/plan"
	"sluice/engine/relay"
	"sluice/pool"
	"sluice/pool/stat"
)

// Process is the state that all loops of a process share. Its methods may be called from any
// goroutine. Loops and Logger are not changed after the first loop runs.
type Process struct {
	Loops  []*Loop       // by Loop.Number
	Limit  stat.Limit    // maxconn of the process
	Stat   stat.Process  // counters of the process
	State  pool.Registry // of frontends, addresses and backends
	Memory relay.Budgets // budgets for held bytes, by purpose
	Logger *zap.Logger

	plan    atomic.Pointer[plan.Plan]
	serials atomic.Uint64 // number of log lines that contain a serial number
	lately  sync.Map      // message -> *atomic.Int64: ms of stat.Now when last logged; see complain
}

// Plan returns the present plan. A reload replaces it, see plan.Plan.Beside.
func (p *Process) Plan() *plan.Plan { return p.plan.Load() }

// SetPlan makes n the present plan.
func (p *Process) SetPlan(n plan.Plan) { p.plan.Store(&n) }

// Wake makes the loop with this number accept again, because limit has a free place for it. The
// loops must not be closed.
func (p *Process) Wake(loop int, limit *stat.Limit) {
	l := p.Loops[loop]
	l.Reactor.Tell(func() error { return l.retryAccept(limit) })
}

// complain logs a failure that may repeat, as a warning, at most once a second for each message.
func (p *Process) complain(what string, err error) {
	fresh := new(atomic.Int64)
	fresh.Store(-time.Second.Milliseconds())
	known, _ := p.lately.LoadOrStore(what, fresh)
	last, now := known.(*atomic.Int64), stat.Now()
	if was := last.Load(); now-was >= time.Second.Milliseconds() && last.CompareAndSwap(was, now) {
		p.Logger.Warn(what, zap.Error(err))
	}
}
