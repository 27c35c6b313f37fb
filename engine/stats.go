package engine

import (
	"cmp"
	"context"
	"sync"
	"time"

	"go.uber.org/zap"

	"sluice/conf"
	"sluice/engine/admin"
	"sluice/engine/session"
	"sluice/pool/stat"
)

// serveStats serves the stats sockets until ctx ends or a drain begins. It stops when a drain
// begins, because another process may need the addresses then. serving counts its goroutines.
func (e *Engine) serveStats(ctx context.Context, serving *sync.WaitGroup) {
	ctx, cancel := context.WithCancel(ctx)
	context.AfterFunc(e.draining, cancel)
	o := admin.Options{
		View:        e.view,
		Timeout:     func() time.Duration { return e.today().Conf.Global.StatsTimeout },
		Generations: e.Generations,
		Reload:      e.onReload,
	}
	for _, ln := range e.stats {
		serving.Go(func() {
			if err := admin.Serve(ctx, ln, o); err != nil {
				e.Logger.Error("stats socket failed", zap.Stringer("address", ln.Addr()), zap.Error(err))
			}
		})
	}
}

// view returns the values that the commands of stats sockets show.
func (e *Engine) view() *admin.View {
	now, p := e.today(), e.Plan()
	v := &admin.View{Process: stat.Info{
		Version:   e.version,
		Released:  e.released,
		Threads:   p.Loops,
		UlimitN:   int(p.Nofile),
		MaxSock:   p.Descriptors(),
		MaxConn:   int(e.Limit.Max()),
		MaxPipes:  p.Pipes,
		Listeners: binds(now.Conf),
		Dropped:   int64(e.access.Dropped()),
		Stopping:  e.leaving.Load(),
		Counts:    &e.Stat,
	}}
	for _, f := range now.Frontends {
		most := int(cmp.Or(f.Limit.Max(), e.Limit.Max()))
		v.Frontends = append(v.Frontends, admin.Frontend{ID: f.ID, Conf: f.Conf, MaxConn: most, Stat: &f.Stat})
	}
	for _, b := range now.Backends {
		v.Backends = append(v.Backends, b.Backend)
	}
	return v
}

// binds returns the number of bind lines.
func binds(c *conf.Config) (n int) {
	for _, f := range c.Frontends {
		n += len(f.Binds)
	}
	return n
}

// Generations returns the configurations in use, from the oldest to the newest. It asks each loop for
// its sessions. It returns an error if ctx ends or the loops end before they have answered.
func (e *Engine) Generations(ctx context.Context) ([]admin.Generation, error) {
	e.swapping.Lock() // so that no number gets another site meanwhile
	defer e.swapping.Unlock()
	answers := make(chan [session.Generations]int, len(e.Loops)) // a loop never waits
	e.tell(func(l *session.Loop) error {
		answers <- l.Users()
		return nil
	})
	var sessions [session.Generations]int
	for range e.Loops {
		select {
		case users := <-answers:
			for number, n := range users {
				sessions[number] += n
			}
		case <-e.over:
			return nil, ErrLeaving
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	return e.describe(sessions), nil
}

// describe returns the sites in use. sessions are by the number of the site.
func (g *generations) describe(sessions [session.Generations]int) (all []admin.Generation) {
	g.mu.Lock()
	defer g.mu.Unlock()
	newest := g.newest.Load()
	for _, one := range g.live {
		all = append(all, admin.Generation{Serial: one.serial, Loaded: one.since, Sessions: sessions[one.number], Newest: one == newest})
	}
	return all
}
