package engine

import (
	"context"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"sluice/conf"
	"sluice/engine/access"
	"sluice/engine/relay"
	"sluice/engine/sock"
	"sluice/engine/stat"
	"sluice/pool"
)

const (
	// openPipes are made per loop at the start, while the process may still
	// make them large.
	openPipes = 8
)

// Options are what an Engine is made of. All fields but Stats are needed.
type Options struct {
	Config    *conf.Config
	Plan      Plan
	Listeners *Listeners // the engine closes them
	Logger    *zap.Logger
	Access    *access.Log
	Stats     []net.Listener // stats sockets; the engine closes them
	Version   string         // for show info

	probe probe // nil but in tests
}

// Engine carries the connections of one process. Its methods may be called
// from any goroutine.
type Engine struct {
	plan   Plan
	site   *site
	loops  []*loop
	memory relay.Budgets
	limit  *stat.Limit
	stat   stat.Process
	access *access.Log
	logger *zap.Logger
	stats  []net.Listener
	binds  int // bind lines
	probe  probe

	version string
	serials atomic.Uint64 // of the log lines that tell theirs
	lately  sync.Map      // complaint -> *atomic.Int64, when it was logged last

	leaving  atomic.Bool // no new clients are taken
	draining context.Context
	drain    context.CancelFunc
	stopping atomic.Bool

	gate   sync.RWMutex // held for writing while the loops are closed
	closed bool         // guarded by gate
}

// New compiles the rules, resolves the servers' names and opens what the loops
// need. It is called before chroot and before privileges are dropped. The
// problems say what is wrong with the configuration.
func New(o Options) (*Engine, conf.Problems, error) {
	site, problems := newSite(o.Config, means{sock.LookUp, o.Access.Route})
	if err := problems.Err(); err != nil {
		return nil, problems, err
	}
	e := &Engine{
		plan:   o.Plan,
		site:   site,
		memory: o.Plan.Memory.budgets(),
		limit:  stat.NewLimit(o.Plan.MaxConn),
		access: o.Access,
		logger: o.Logger,
		stats:  o.Stats,
		binds:  len(o.Listeners.binds),

		version: o.Version,
		probe:   o.probe,
	}
	e.draining, e.drain = context.WithCancel(context.Background())
	for i := range o.Plan.Loops {
		l, err := newLoop(e, i)
		if err != nil {
			return nil, problems, fmt.Errorf("event loop %d: %w", i, err)
		}
		e.loops = append(e.loops, l)
	}
	e.spread(o.Listeners)
	return e, problems, nil
}

// spread gives each loop its listening socket of every bind line.
func (e *Engine) spread(ls *Listeners) {
	number := map[string]int{}
	for _, b := range ls.binds {
		number[b.frontend]++
		f := e.frontend(b.frontend)
		limits := []*stat.Limit{e.limit, f.limit}
		if b.bind.MaxConn > 0 {
			limits = append(limits, stat.NewLimit(b.bind.MaxConn))
		}
		for i, fd := range b.fds {
			l := e.loops[i%len(e.loops)]
			l.add(&listener{fd: fd, number: number[b.frontend], frontend: f, limits: limits, burst: 1})
		}
	}
	ls.binds = nil
}

func (l *loop) add(ln *listener) {
	ln.index = len(l.listeners)
	l.listeners = append(l.listeners, ln)
	l.accepting++
}

func (e *Engine) frontend(name string) *frontend {
	for _, f := range e.site.frontends {
		if f.conf.Name == name {
			return f
		}
	}
	return nil
}

// Run carries connections until Stop, or until a drain is over. The error, if
// any, is the one that ended a loop.
func (e *Engine) Run() error {
	ctx, cancel := context.WithCancel(context.Background())
	var aside sync.WaitGroup
	e.serveStats(ctx, &aside)
	for _, b := range e.site.backends {
		aside.Go(func() { b.Check(ctx, e.flipped(b)) })
	}
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
	return err
}

// tell has all loops do something, if they still run.
func (e *Engine) tell(do func(*loop) error) {
	e.gate.RLock()
	defer e.gate.RUnlock()
	if e.closed {
		return
	}
	for _, l := range e.loops {
		l.tell(func() error { return do(l) })
	}
}

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

// Drain takes no new clients; Run returns when the last session is over.
func (e *Engine) Drain() {
	e.leaving.Store(true)
	e.drain()
	e.tell((*loop).drain)
}

// Stop ends all sessions and makes Run return.
func (e *Engine) Stop() {
	e.leaving.Store(true)
	if e.stopping.Swap(true) {
		return
	}
	e.tell((*loop).stop)
}

// Sessions returns how many sessions are open.
func (e *Engine) Sessions() int64 { return e.stat.Cur() }

// Held returns the bytes that are held for sessions.
func (e *Engine) Held() int64 { return e.memory.Used() }

// flipped logs that a server went up or down: to the targets of its backend,
// and to the process's own log, under a name by which a daemon, whose own log
// goes to such targets too, leaves it out.
func (e *Engine) flipped(b *backend) func(pool.Event) {
	return func(ev pool.Event) {
		e.logger.Named("health").Warn(ev.Text)
		e.access.Say(b.route, access.Level(ev.Level), ev.Text)
	}
}

// complain logs what goes wrong over and over once a second at most.
func (e *Engine) complain(what string, err error) {
	fresh := new(atomic.Int64)
	fresh.Store(-time.Second.Milliseconds())
	known, _ := e.lately.LoadOrStore(what, fresh)
	last, now := known.(*atomic.Int64), stat.Now()
	if was := last.Load(); now-was >= time.Second.Milliseconds() && last.CompareAndSwap(was, now) {
		e.logger.Warn(what, zap.Error(err))
	}
}
