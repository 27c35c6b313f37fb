package pool

import (
	"context"
	"sync"
	"time"

	"sluice/conf"
	"sluice/pool/stat"
)

// checkChecks reports settings of checks that make no sense.
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

// Check runs the checks of all servers that have them, until ctx ends. It returns when the last
// check has finished. One goroutine per server makes one check at a time. The first checks are
// spread over one interval.
//
// Check calls say for each change of a server's state. The calls come from these goroutines,
// one at a time; say should not block for long.
//
// Check may be called again, for example after a reload. It then waits until the call before has
// returned. The servers keep their health. A check under way at the end of ctx has no result.
func (b *Backend) Check(ctx context.Context, say func(Event)) {
	b.checkBy(ctx, newProber, say)
}

func (b *Backend) checkBy(ctx context.Context, kind func(*Server) prober, say func(Event)) {
	select {
	case b.checking <- struct{}{}:
		defer func() { <-b.checking }()
	case <-ctx.Done():
		return
	}
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

// Feed returns a function that handles the result of a check of s as Check does. It is for a
// simulation, which finds the results itself. All calls for one backend must come from one
// goroutine.
func Feed(s *Server, say func(Event)) func(Result) {
	return (&checker{server: s, say: say}).observe
}

// checker makes the checks of one server. It belongs to one goroutine.
type checker struct {
	server *Server
	prober prober
	say    func(Event)
	lost   bool // the last check failed because this process lacked resources, and this was reported
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

// observe handles the result of one check. If this process lacked resources, the result shows
// nothing about the server. Then the health does not change, and only the first such result in
// a row is reported.
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

// flip is called when checks have found a new state of s. The parameter was is its state
// before. Loops get the new order before say is called.
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

// settle builds a new order. All changes made while another goroutine builds one share the next
// build. So many changes at once cost little more than one.
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
