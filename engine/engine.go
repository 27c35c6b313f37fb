package engine

import (
	"cmp"
	"context"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"sluice/conf/diff"
	"sluice/engine/access"
	"sluice/engine/admin"
	"sluice/engine/exchange"
	"sluice/engine/listen"
	"sluice/engine/plan"
	"sluice/engine/reactor"
	"sluice/engine/reserve"
	"sluice/engine/session"
	"sluice/engine/site"
	"sluice/pool"
)

const (
	// openPipes is the number of pipes that each loop makes at the start. Later the process may
	// lack the privilege to enlarge pipes.
	openPipes = 8
)

// This does not compile if a plan allows more sessions than a reactor.Token can number.
const _ = uint(reactor.MaxSession - plan.MostConns)

// Options contains everything that New needs. The exported fields except Stats, Released and
// Reload are required.
type Options struct {
	Site      *site.Site // compiled and not opened
	Plan      plan.Plan
	Listeners *listen.Sockets // the engine takes and closes the sockets
	Logger    *zap.Logger
	Access    *access.Log    // for the log lines of sessions
	Stats     []net.Listener // stats sockets, closed by the engine
	Version   string         // for the command show info
	Released  string         // date of the version, YYYY/MM/DD, for the command show info; empty: not known

	// Reload reads the configuration again and calls Engine.Reload, or Engine.Compare for a dry run. It
	// is called for the command reload, on the goroutine of a client. nil: the command is refused.
	Reload func(ctx context.Context, dryRun bool) admin.Result

	probe session.Probe // nil except in tests
	sizes session.Sizes // zero: session.DefaultSizes
}

// Engine relays the connections of one process. Its methods may be called from any goroutine.
type Engine struct {
	session.Process
	generations
	start    diff.Start // of the first site
	planning planning
	access   *access.Log
	sockets  *listen.Sockets // used by one reload at a time
	stats    []net.Listener
	onReload func(ctx context.Context, dryRun bool) admin.Result // Options.Reload
	probe    session.Probe
	sizes    session.Sizes

	version, released string

	leaving  atomic.Bool        // Drain or Stop was called: no new clients are accepted
	draining context.Context    // ended by Drain, and at the end of Run
	drain    context.CancelFunc // ends draining
	stopping atomic.Bool        // Stop was called

	reloading sync.Mutex    // held by a reload from its begin to its end
	swapping  sync.Mutex    // held by a reload while the loops take the new site
	over      chan struct{} // closed when no loop runs any more

	after func(wait time.Duration, do func()) // afterwards; a simulation sets a function of its own

	gate   sync.RWMutex // locked for writing while Run closes the loops
	closed bool         // the loops are closed; guarded by gate
}

// New opens the log targets of the site and the descriptors of the loops, and reserves memory for
// sessions. It then takes the listening sockets. The caller calls New before chroot and before the
// process drops privileges.
func New(o Options) (*Engine, error) {
	if !reserve.Costless() {
		o.Plan.Capacity = o.Plan.MaxConn
	}
	e := &Engine{
		Process: session.Process{Memory: o.Plan.Memory.Budgets(), Logger: o.Logger},

		start:    diff.StartOf(o.Site.Conf),
		access:   o.Access,
		sockets:  o.Listeners,
		stats:    o.Stats,
		onReload: o.Reload,
		over:     make(chan struct{}),

		version: o.Version, released: o.Released,
		probe: o.probe,
		sizes: cmp.Or(o.sizes, session.DefaultSizes()),
	}
	e.SetPlan(o.Plan)
	if err := o.Site.Open(o.Access); err != nil {
		return nil, err
	}
	o.Site.Share(&e.State)
	e.aside, e.freed = e.generations.closed.Go, e.freedDescriptors
	e.after = e.afterwards
	first := e.add(0, o.Site, o.Plan.Loops)
	e.draining, e.drain = context.WithCancel(context.Background())
	pipes := o.Plan.Pipes / o.Plan.Loops
	for i := range o.Plan.Loops {
		l, err := session.NewLoop(session.LoopOptions{
			Process: &e.Process, Site: o.Site, Left: e.left, Closed: e.socketClosed, Sink: o.Access.NewSink(), Sizes: e.sizes, Probe: o.probe,
			Pipes: pipes, Open: min(pipes, openPipes), HTTP: exchange.New,
		}, i)
		if err != nil {
			return nil, fmt.Errorf("event loop %d: %w", i, err)
		}
		e.Loops = append(e.Loops, l)
	}
	e.setMax(&e.Limit, o.Plan.MaxConn)
	e.setLimits(first.site)
	for i, all := range e.listeners(first.site, o.Listeners.Take()) {
		for _, ln := range all {
			e.Loops[i].Add(ln)
		}
	}
	return e, nil
}

// Run accepts and relays connections until Stop is called or a drain is complete. It returns an
// error if a loop has failed. It is called once. At its end all sockets and logs of the engine are
// closed.
func (e *Engine) Run() error {
	ctx, cancel := context.WithCancel(context.Background())
	var aside sync.WaitGroup
	e.serveStats(ctx, &aside)
	aside.Go(func() { e.State.Check(ctx, e.sayHealth) })
	err := e.runLoops()
	close(e.over)
	cancel()
	e.drain()
	aside.Wait()
	e.swapping.Lock() // a reload may still be at work
	defer e.swapping.Unlock()
	e.generations.closed.Wait() // these goroutines need the gate
	e.gate.Lock()
	defer e.gate.Unlock()
	e.closed = true
	for _, l := range e.Loops {
		l.Close()
	}
	e.endAll()
	return err
}

// tell makes every loop run do on its own goroutine, and does not wait for this. It does nothing
// once the loops are closed.
func (e *Engine) tell(do func(*session.Loop) error) {
	e.gate.RLock()
	defer e.gate.RUnlock()
	if e.closed {
		return
	}
	for _, l := range e.Loops {
		l.Reactor.Tell(func() error { return do(l) })
	}
}

// runLoops runs every loop on its own goroutine and waits for all of them. If one fails, it
// stops the others and returns the error.
func (e *Engine) runLoops() error {
	var running sync.WaitGroup
	errs := make([]error, len(e.Loops))
	for i, l := range e.Loops {
		running.Go(func() {
			if errs[i] = l.Run(); errs[i] != nil {
				e.Logger.Error("event loop failed", zap.Int("loop", i), zap.Error(errs[i]))
				e.Stop()
			}
		})
	}
	running.Wait()
	for _, err := range errs {
		if err != nil {
			return fmt.Errorf("event loop: %w", err)
		}
	}
	return nil
}

// Drain stops accepting new clients and closes the listening sockets. Run returns when the last
// session has ended. Drain does not wait for that.
func (e *Engine) Drain() {
	e.leaving.Store(true)
	e.swapping.Lock() // the loops first take the site of a reload
	defer e.swapping.Unlock()
	e.drain()
	e.limitDrain()
	e.tell((*session.Loop).Drain)
}

// Stop ends all sessions at once and makes Run return. Stop does not wait. Further calls have no
// effect.
func (e *Engine) Stop() {
	e.leaving.Store(true)
	if e.stopping.Swap(true) {
		return
	}
	e.tell((*session.Loop).Stop)
}

// Sessions returns the number of open sessions.
func (e *Engine) Sessions() int64 { return e.Stat.Cur() }

// Held returns the number of bytes that the process holds for sessions, in memory and pipes.
func (e *Engine) Held() int64 { return e.Memory.Used() }

// sayHealth writes a line about a server that went up or down to the process log, under the name
// "health". A daemon sends its process log to the log targets, too. There it filters out this name,
// because the targets get the line from their site already.
func (e *Engine) sayHealth(ev pool.Event) { e.Logger.Named("health").Warn(ev.Text) }
