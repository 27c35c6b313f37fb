package engine

import (
	"cmp"
	"context"
	"sync"

	"go.uber.org/zap"

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
			if err := admin.Serve(ctx, ln, e.site.Conf.Global.StatsTimeout, e.view); err != nil {
				e.Logger.Error("stats socket failed", zap.Stringer("address", ln.Addr()), zap.Error(err))
			}
		})
	}
}

// view returns the values that the commands of stats sockets show.
func (e *Engine) view() *admin.View {
	v := &admin.View{Process: stat.Info{
		Version:   e.version,
		Released:  e.released,
		Threads:   e.Plan.Loops,
		UlimitN:   int(e.Plan.Nofile),
		MaxSock:   e.Plan.Descriptors(),
		MaxConn:   int(e.Limit.Max()),
		MaxPipes:  e.Plan.Pipes,
		Listeners: e.binds,
		Dropped:   int64(e.access.Dropped()),
		Stopping:  e.leaving.Load(),
		Counts:    &e.Stat,
	}}
	for _, f := range e.site.Frontends {
		most := int(cmp.Or(f.Limit.Max(), e.Limit.Max()))
		v.Frontends = append(v.Frontends, admin.Frontend{ID: f.ID, Conf: f.Conf, MaxConn: most, Stat: &f.Stat})
	}
	for _, b := range e.site.Backends {
		v.Backends = append(v.Backends, b.Backend)
	}
	return v
}
