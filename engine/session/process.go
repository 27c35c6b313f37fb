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

// Process is the state that all loops of a process share. Its methods may be called from any goroutine.
type Process struct {
	Plan   plan.Plan
	Loops  []*Loop
	Limit  stat.Limit    // maxconn of the process
	Stat   stat.Process  // counters of the process
	State  pool.Registry // of frontends, addresses and backends
	Memory relay.Budgets // for held bytes
	Logger *zap.Logger

	serials atomic.Uint64 // number of log lines that contain a serial number
	lately  sync.Map      // message -> *atomic.Int64: when it was last logged, ms of stat.Now; see complain
}

// Wake tells a loop that a limit has a free place for it. The loops must not be closed.
func (p *Process) Wake(loop int, limit *stat.Limit) {
	l := p.Loops[loop]
	l.Reactor.Tell(func() error { return l.retryAccept(limit) })
}

// complain logs a repeated failure, at most once a second for each message.
func (p *Process) complain(what string, err error) {
	fresh := new(atomic.Int64)
	fresh.Store(-time.Second.Milliseconds())
	known, _ := p.lately.LoadOrStore(what, fresh)
	last, now := known.(*atomic.Int64), stat.Now()
	if was := last.Load(); now-was >= time.Second.Milliseconds() && last.CompareAndSwap(was, now) {
		p.Logger.Warn(what, zap.Error(err))
	}
}
