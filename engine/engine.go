package engine

import (
	"cmp"
	"context"
	"fmt"
	"net"
	"sync"
	"sync/atomic"

	"go.uber.org/zap"

	"sluice/engine/access"
	"sluice/engine/listen"
	"sluice/engine/plan"
	"sluice/engine/reactor"
	"sluice/engine/site"
	"sluice/pool"
	"sluice/pool/stat"
)

const (
	// openPipes is the number of pipes that each loop makes at the start. Later the process may
	// lack the privilege to make pipes large.
	openPipes = 8
)

// This does not compile unless a token can hold the number of every session.
const _ = uint(reactor.MaxSession - plan.MostConns)

// Options contains everything that New needs. All fields except Stats are required.
type Options struct {
	Site      *site.Site // compiled and not opened
	Plan      plan.Plan
	Listeners *listen.Sockets // closed by the engine
	Logger    *zap.Logger
	Access    *access.Log
	Stats     []net.Listener // stats sockets, closed by the engine
	Version   string         // for the command show info
	Released  string         // date of the version, YYYY/MM/DD, for the command show info; empty: not known

	probe probe // nil except in tests
	sizes sizes // zero: defaultSizes
}

// Engine relays the connections of one process. Its methods may be called from any goroutine.
type Engine struct {
	process
	site   *site.Site
	access *access.Log
	stats  []net.Listener
	binds  int // number of bind lines
	probe  probe
	sizes  sizes

	version, released string

	leaving  atomic.Bool        // no new clients are accepted
	draining context.Context    // ended by Drain, and at the end of Run
	drain    context.CancelFunc // ends draining
	stopping atomic.Bool        // Stop was called

	gate   sync.RWMutex // locked for writing while the loops are closed
	closed bool         // the loops are closed; guarded by gate
}

// New opens the log targets of the site and what the loops need. The caller calls New before
// chroot and before it drops privileges.
func New(o Options) (*Engine, error) {
	e := &Engine{
		process: process{plan: o.Plan, memory: o.Plan.Memory.Budgets(), logger: o.Logger},

		site:   o.Site,
		access: o.Access,
		stats:  o.Stats,
		binds:  len(o.Listeners.Binds()),

		version: o.Version, released: o.Released,
		probe: o.probe,
		sizes: cmp.Or(o.sizes, defaultSizes()),
	}
	if err := e.site.Open(o.Access, &e.state); err != nil {
		return nil, err
	}
	e.draining, e.drain = context.WithCancel(context.Background())
	pipes := o.Plan.Pipes / o.Plan.Loops
	for i := range o.Plan.Loops {
		l, err := newLoop(loopOptions{
			process: &e.process, site: o.Site, sink: o.Access.NewSink(), sizes: e.sizes, probe: o.probe,
			pipes: pipes, open: min(pipes, openPipes), http: newModeHTTP,
		}, i)
		if err != nil {
			return nil, fmt.Errorf("event loop %d: %w", i, err)
		}
		e.loops = append(e.loops, l)
	}
	e.setLimits()
	e.spread(o.Listeners)
	return e, nil
}

// spread gives each loop one listening socket of every bind line.
func (e *Engine) spread(sockets *listen.Sockets) {
	number := map[string]int{}
	for _, b := range sockets.Take() {
		number[b.Frontend]++
		f := e.site.Frontend(b.Frontend)
		bind := e.state.Bind(b.Local().String())
		e.setMax(bind, b.Conf.MaxConn)
		limits := [...]*stat.Limit{&e.limit, &f.Limit, bind}
		for i, fd := range b.FDs {
			l := e.loops[i%len(e.loops)]
			l.add(&listener{fd: fd, number: number[b.Frontend], frontend: f, limits: limits, burst: 1})
		}
	}
}

// add adds a listener to the loop, before it runs.
func (l *loop) add(ln *listener) {
	ln.index = len(l.listeners)
	l.listeners = append(l.listeners, ln)
	l.accepting++
}

// Run relays connections until Stop is called or a drain is complete. It returns an error if a
// loop has failed.
func (e *Engine) Run() error {
	ctx, cancel := context.WithCancel(context.Background())
	var aside sync.WaitGroup
	e.serveStats(ctx, &aside)
	aside.Go(func() { e.site.Check(ctx, e.sayHealth) })
	err := e.runLoops()
	cancel()
	e.drain()
	aside.Wait()
	e.gate.Lock()
	defer e.gate.Unlock()
	e.closed = true
	for _, l := range e.loops {
		l.close()
	}
	e.site.Close()
	return err
}

// tell runs do on all loops. It does nothing once the loops are closed.
func (e *Engine) tell(do func(*loop) error) {
	e.gate.RLock()
	defer e.gate.RUnlock()
	if e.closed {
		return
	}
	for _, l := range e.loops {
		l.reactor.Tell(func() error { return do(l) })
	}
}

// runLoops runs every loop on its own goroutine and waits for all of them. If one fails, it
// stops the others and returns the error.
func (e *Engine) runLoops() error {
	var running sync.WaitGroup
	errs := make([]error, len(e.loops))
	for i, l := range e.loops {
		running.Go(func() {
			if errs[i] = l.run(); errs[i] != nil {
				e.logger.Error("event loop failed", zap.Int("loop", i), zap.Error(errs[i]))
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

// Drain stops accepting new clients. Run returns when the last session has ended.
func (e *Engine) Drain() {
	e.leaving.Store(true)
	e.drain()
	e.tell((*loop).drain)
}

// Stop ends all sessions at once and makes Run return.
func (e *Engine) Stop() {
	e.leaving.Store(true)
	if e.stopping.Swap(true) {
		return
	}
	e.tell((*loop).stop)
}

// Sessions returns the number of open sessions.
func (e *Engine) Sessions() int64 { return e.stat.Cur() }

// Held returns the number of bytes that are held in memory and pipes for sessions.
func (e *Engine) Held() int64 { return e.memory.Used() }

// sayHealth logs that a server went up or down to the process log, under the name "health". A
// daemon filters out that name in its process log: it would otherwise send the line twice to the
// log targets.
func (e *Engine) sayHealth(ev pool.Event) { e.logger.Named("health").Warn(ev.Text) }
