package engine

import (
	"cmp"
	"context"
	"sync"

	"go.uber.org/zap"

	"sluice/conf"
	"sluice/engine/admin"
	"sluice/pool/stat"
)

// serveStats serves the stats sockets until ctx ends or a drain begins. It stops when a drain
// begins, because another process may need the addresses then. serving counts its goroutines.
func (e *Engine) serveStats(ctx context.Context, serving *sync.WaitGroup) {
	ctx, cancel := context.WithCancel(ctx)
	context.AfterFunc(e.draining, cancel)
	for _, ln := range e.stats {
		serving.Go(func() {
			if err := admin.Serve(ctx, ln, e.today().Conf.Global.StatsTimeout, e.view); err != nil {
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
