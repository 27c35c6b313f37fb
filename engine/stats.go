package engine

import (
	"context"
	"sync"

	"go.uber.org/zap"

	"sluice/conf"
	"sluice/engine/admin"
	"sluice/pool/stat"
)

// firstID is the number of the first proxy in `show stat`, as in HAProxy.
const firstID = 2

// backendID returns the number of a backend. Backends are numbered after the frontends. Both
// halves of a listen section have the same number.
func backendID(c *conf.Config, i int) int {
	for n, f := range c.Frontends {
		if f.Listen && c.Backends[i].Listen && f.Name == c.Backends[i].Name {
			return firstID + n
		}
	}
	return firstID + len(c.Frontends) + i
}

// serveStats serves the stats sockets until ctx ends or a drain begins. After a drain begins,
// another process may need their addresses.
func (e *Engine) serveStats(ctx context.Context, serving *sync.WaitGroup) {
	ctx, cancel := context.WithCancel(ctx)
	context.AfterFunc(e.draining, cancel)
	for _, ln := range e.stats {
		serving.Go(func() {
			if err := admin.Serve(ctx, ln, e.site.conf.Global.StatsTimeout, e.view); err != nil {
				e.logger.Error("stats socket failed", zap.Stringer("address", ln.Addr()), zap.Error(err))
			}
		})
	}
}

// view returns the values that stats sockets show.
func (e *Engine) view() *admin.View {
	v := &admin.View{Process: stat.Info{
		Version:   e.version,
		Threads:   e.plan.Loops,
		UlimitN:   int(e.plan.Nofile),
		MaxSock:   e.plan.Descriptors(),
		MaxConn:   e.plan.MaxConn,
		MaxPipes:  e.plan.Pipes,
		Listeners: e.binds,
		Dropped:   int64(e.access.Dropped()),
		Stopping:  e.leaving.Load(),
		Counts:    &e.stat,
	}}
	for i, f := range e.site.frontends {
		most := f.conf.MaxConn
		if most == 0 {
			most = e.plan.MaxConn
		}
		v.Frontends = append(v.Frontends, admin.Frontend{ID: firstID + i, Conf: f.conf, MaxConn: most, Stat: &f.stat})
	}
	for _, b := range e.site.backends {
		v.Backends = append(v.Backends, b.Backend)
	}
	return v
}
