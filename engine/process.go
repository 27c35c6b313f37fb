package engine

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

// process is the state that all loops of a process share. Its methods may be called from any goroutine.
type process struct {
	plan   plan.Plan
	loops  []*loop
	limit  stat.Limit    // maxconn of the process
	stat   stat.Process  // counters of the process
	state  pool.Registry // of frontends, addresses and backends
	memory relay.Budgets // for held bytes
	logger *zap.Logger

	serials atomic.Uint64 // number of log lines that contain a serial number
	lately  sync.Map      // message -> *atomic.Int64: when it was last logged, ms of stat.Now; see complain
}

// wake tells a loop that a limit has a free place for it. The loops must not be closed.
func (p *process) wake(loop int, limit *stat.Limit) {
	l := p.loops[loop]
	l.reactor.Tell(func() error { return l.retryAccept(limit) })
}

// complain logs a repeated failure, at most once a second for each message.
func (p *process) complain(what string, err error) {
	fresh := new(atomic.Int64)
	fresh.Store(-time.Second.Milliseconds())
	known, _ := p.lately.LoadOrStore(what, fresh)
	last, now := known.(*atomic.Int64), stat.Now()
	if was := last.Load(); now-was >= time.Second.Milliseconds() && last.CompareAndSwap(was, now) {
		p.logger.Warn(what, zap.Error(err))
	}
}
