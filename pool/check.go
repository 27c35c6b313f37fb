package pool

import (
	"context"
	"sync"
	"time"

	"sluice/conf"
)

// mindChecks adds an error for each setting of checks that is out of range.
func (s *Server) mindChecks(ps *conf.Problems) {
	c := s.Conf()
	if !c.Check {
		return
	}
	if c.Inter <= 0 || c.FastInter < 0 || c.DownInter < 0 {
		ps.Errorf(c.Pos, "server '%s': inter %v, fastinter %v, downinter %v: wanted a time above 0", s, c.Inter, c.FastInter, c.DownInter)
	}
	if c.Rise < 1 || c.Fall < 1 {
		ps.Errorf(c.Pos, "server '%s': rise %d, fall %d: wanted at least 1", s, c.Rise, c.Fall)
	}
}

// check runs the checks of all servers that have them, also of those that get them later, until ctx
// ends. It returns when the last check has finished. One goroutine per server makes one check at a
// time. The first checks are spread over one interval. kind makes a check.
//
// check calls say for each change of a server's state that checks have found. The goroutines of the
// checks call say, one at a time. say should not block for long, and must not change a server. If ctx
// ends during a check, its result is ignored. check runs once at a time.
func (b *Backend) check(ctx context.Context, kind func(*Server) prober, say func(Event)) {
	var all sync.WaitGroup
	b.startChecks(func(s *Server, after time.Duration) {
		c := &checker{server: s, kind: kind, say: say}
		alive, end := context.WithCancel(ctx)
		s.endChecks = end
		all.Go(func() { c.run(alive, after) })
	})
	<-ctx.Done()
	b.listing.Lock()
	b.start = nil
	b.listing.Unlock()
	all.Wait()
}

// startChecks starts the checks of all servers with start. Add and Follow use start, too, for
// servers that get checks later.
func (b *Backend) startChecks(start func(s *Server, after time.Duration)) {
	b.listing.Lock()
	defer b.listing.Unlock()
	b.start = start
	b.startSpread(b.Servers()...)
}

// startSpread starts the checks of those of these servers that have checks, if checks run. The
// first checks are spread over one interval. The caller holds listing.
func (b *Backend) startSpread(servers ...*Server) {
	if b.start == nil {
		return
	}
	var checked []*Server
	for _, s := range servers {
		if s.Conf().Check {
			checked = append(checked, s)
		}
	}
	for i, s := range checked {
		b.start(s, s.Conf().Inter*time.Duration(i)/time.Duration(len(checked)))
	}
}

// stopChecks ends the checks of the server, if it has any. The caller holds Backend.listing.
func (s *Server) stopChecks() {
	if s.endChecks != nil {
		s.endChecks()
	}
}

// Feed returns a function that handles the result of a check of s in the same way as Registry.Check,
// except that only say gets the events. A simulation, which computes the results itself, calls it. All calls for one backend must come from
// one goroutine.
func Feed(s *Server, say func(Event)) func(Result) {
	c := &checker{server: s, say: say}
	return func(r Result) {
		c.begun = s.starts.Load()
		c.observe(r)
	}
}

// checker makes the checks of one server. It belongs to one goroutine.
type checker struct {
	server *Server
	kind   func(*Server) prober
	say    func(Event)
	begun  int32 // value of Server.starts when the check began
	lost   bool  // the last check failed because this process lacked resources, and this was reported
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
		if c.server.enabled() {
			c.begun = c.server.starts.Load()
			r := c.kind(c.server).probe(ctx)
			if ctx.Err() != nil {
				return
			}
			c.observe(r)
		}
		due.Reset(c.server.condition.Load().interval())
	}
}

// observe handles the result of one check. If this process lacked resources, the result says
// nothing about the server. The health then does not change, and only the first of several such
// results in a row is reported.
//
// The result has no effect if the server was disabled or got another address since the check began.
func (c *checker) observe(r Result) {
	s := c.server
	s.changing.Lock()
	defer s.changing.Unlock()
	if !s.enabled() || s.starts.Load() != c.begun {
		return
	}
	s.last.Store(&r)
	if r.Local {
		if !c.lost {
			s.backend.tell(c.say, notDone(s, r))
		}
		c.lost = true
		return
	}
	c.lost = false
	was := s.condition.Load()
	if !r.OK && was.health > 0 {
		s.failed.Inc()
	}
	is := was.after(r)
	s.condition.Store(is)
	if is.found != was.found {
		s.backend.flip(s, r, c.say)
	}
}

// tell calls say with an event, one call at a time for each backend.
func (b *Backend) tell(say func(Event), e Event) {
	b.mu.Lock()
	defer b.mu.Unlock()
	say(e)
}

// flip is called when checks have found a new state of s. The picker gets the new set of servers
// before say is called.
func (b *Backend) flip(s *Server, r Result, say func(Event)) {
	b.settle()
	b.mu.Lock()
	defer b.mu.Unlock()
	lost := b.record(s)
	say(turned(s, s.found(), r))
	if lost {
		say(noServer(b))
	}
}
