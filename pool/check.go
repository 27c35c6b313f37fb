package pool

import (
	"context"
	"sync"
	"time"

	"sluice/conf"
	"sluice/engine/stat"
)

// checkChecks refuses checks that could not be done as they are written.
func (b *Backend) checkChecks(ps *conf.Problems) {
	for _, s := range b.Servers {
		c := s.Conf
		if !c.Check {
			continue
		}
		if c.Inter <= 0 || c.FastInter < 0 || c.DownInter < 0 {
			ps.Errorf(c.Pos, "server '%s': inter %v, fastinter %v, downinter %v: wanted a time above 0", s, c.Inter, c.FastInter, c.DownInter)
		}
		if c.Rise < 1 || c.Fall < 1 {
			ps.Errorf(c.Pos, "server '%s': rise %d, fall %d: wanted at least 1", s, c.Rise, c.Fall)
		}
	}
}

// Check checks the servers that ask for it until ctx ends, and returns when the
// last check is over. It runs a goroutine for each of them, which has at most
// one check in flight, and spreads their first checks over one interval. say
// is told each server that changes its state, from those goroutines but one call
// at a time; it should not block for long. Call it once in a backend's life.
func (b *Backend) Check(ctx context.Context, say func(Event)) {
	b.checkBy(ctx, newProber, say)
}

func (b *Backend) checkBy(ctx context.Context, kind func(*Server) prober, say func(Event)) {
	var checked []*Server
	for _, s := range b.Servers {
		if s.Conf.Check && !s.Conf.Disabled {
			checked = append(checked, s)
		}
	}
	var all sync.WaitGroup
	for i, s := range checked {
		start := s.Conf.Inter * time.Duration(i) / time.Duration(len(checked))
		c := &checker{server: s, prober: kind(s), say: say}
		all.Go(func() { c.run(ctx, start) })
	}
	all.Wait()
}

// checker checks one server. It belongs to one goroutine.
type checker struct {
	server *Server
	prober prober
	say    func(Event)
	lost   bool // the last check failed for want of our own resources
}

func (c *checker) run(ctx context.Context, start time.Duration) {
	due := time.NewTimer(start)
	defer due.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-due.C:
		}
		r := c.prober.probe(ctx)
		if ctx.Err() != nil {
			return
		}
		c.observe(r)
		due.Reset(interval(c.server.Health(), c.server.Conf))
	}
}

// observe draws the conclusions of one check. What we lack ourselves says
// nothing about the server: it is told once, and its health stays.
func (c *checker) observe(r Result) {
	s := c.server
	s.last.Store(&r)
	if r.Local {
		if !c.lost {
			s.backend.tell(c.say, notDone(s, r))
		}
		c.lost = true
		return
	}
	c.lost = false
	was, health := s.found(), s.Health()
	if !r.OK && health > 0 {
		s.failed.Inc()
	}
	if r.OK {
		s.stopping.Store(r.Status == L7OKC)
	}
	s.health.Store(int32(step(health, s.Conf, r.OK)))
	if s.found() != was {
		s.backend.flip(s, was, r, c.say)
	}
}

func (b *Backend) tell(say func(Event), e Event) {
	b.mu.Lock()
	defer b.mu.Unlock()
	say(e)
}

// flip follows a server that just was something else: loops see the new order
// before anybody is told.
func (b *Backend) flip(s *Server, was Status, r Result, say func(Event)) {
	b.changes.Add(1)
	b.settle()
	b.mu.Lock()
	defer b.mu.Unlock()
	now, is, available := stat.Now(), s.found(), b.Available()
	s.life.turn(now, is == Down)
	b.tier(s).Add(s.chosen(is) - s.chosen(was))
	if b.Available() != available {
		b.life.turn(now, available)
	}
	say(turned(s, is, r))
	if available && !b.Available() {
		say(noServer(b))
	}
}

// settle makes the order anew. Servers that change while one is being made
// share the next, so that many of them cost little more than one.
func (b *Backend) settle() {
	wanted := b.changes.Load()
	b.building.Lock()
	defer b.building.Unlock()
	if b.built >= wanted {
		return
	}
	b.built = b.changes.Load()
	b.order.Store(b.build())
}
