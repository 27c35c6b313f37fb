package engine

import (
	"fmt"
	"sync"
	"sync/atomic"

	"sluice/conf"
	"sluice/engine/plan"
	"sluice/engine/session"
)

// planning is what the plan of the process depends on beside the configurations in use.
type planning struct {
	mu      sync.Mutex   // held while a plan is made
	coming  *conf.Config // a reload opens its sockets and logs; nil: none
	removed atomic.Int64 // listening sockets of removed bind lines that are still open
	queued  atomic.Bool  // socketClosed has asked for a plan that is not made yet
}

// others returns the needs beside those of the newest configuration. The caller holds e.planning.mu.
func (e *Engine) others() plan.Others {
	return plan.Others{Logs: e.confs(), Removed: int(e.planning.removed.Load()), Sessions: int(e.Sessions())}
}

// planFor returns the plan for a configuration that replaces the newest one.
func (e *Engine) planFor(c *conf.Config) plan.Plan {
	e.planning.mu.Lock()
	defer e.planning.mu.Unlock()
	o := e.others()
	o.Sockets = e.today().Conf
	return e.Plan().Beside(o, c)
}

// expect makes the process keep descriptors for the sockets and logs of c, which a reload is about to
// open beside those of the newest configuration. nil: the reload is over.
func (e *Engine) expect(c *conf.Config) {
	e.planning.mu.Lock()
	e.planning.coming = c
	e.planning.mu.Unlock()
	e.replan()
}

// socketClosed is called on a loop's goroutine when a socket of a removed bind line was closed.
func (e *Engine) socketClosed() {
	e.planning.removed.Add(-1)
	if !e.planning.queued.Swap(true) {
		e.aside(func() {
			e.planning.queued.Store(false)
			e.freedDescriptors()
		})
	}
}

// freedDescriptors is called when others than the newest configuration need fewer descriptors. It
// raises maxconn if it was lowered for them.
func (e *Engine) freedDescriptors() {
	if text := e.replan(); text != "" {
		e.Logger.Info(text)
	}
}

// replan makes the plan for all configurations in use, and changes maxconn and pipes of the process
// accordingly. It returns the change of maxconn as text; empty: it stays. It may be called from any
// goroutine.
func (e *Engine) replan() string {
	was, is := e.nextPlan()
	if is.Pipes != was.Pipes {
		e.tell(func(l *session.Loop) error {
			p := e.Plan()
			l.Stock.LimitPipes(p.Pipes / p.Loops)
			return nil
		})
	}
	if is.MaxConn != was.MaxConn {
		e.followPlan()
	}
	return maxConnText(was.MaxConn, is)
}

// nextPlan makes the plan for all configurations in use the present one. It returns the plan before
// and the present one.
func (e *Engine) nextPlan() (was, is *plan.Plan) {
	e.planning.mu.Lock()
	defer e.planning.mu.Unlock()
	o := e.others()
	if coming := e.planning.coming; coming != nil {
		o.Logs, o.Sockets = append(o.Logs, coming), coming
	}
	was = e.Plan()
	next := was.Beside(o, e.today().Conf)
	next.MaxConn = max(next.MaxConn, 1) // a maximum of 0 would be no limit
	e.SetPlan(next)
	return was, &next
}

// followPlan sets the limit of the process to maxconn of the present plan. Another goroutine may
// replace the plan meanwhile. The last one that sets the limit sets the maxconn of the last plan.
func (e *Engine) followPlan() {
	for most := 0; most != e.Plan().MaxConn; {
		most = e.Plan().MaxConn
		e.setMax(&e.Limit, most)
	}
}

// maxConnText returns how a plan changes maxconn of the process, with the sum; empty: it stays.
func maxConnText(was int, is *plan.Plan) string {
	if is.MaxConn == was {
		return ""
	}
	return fmt.Sprintf("maxconn %d, was %d: %s", is.MaxConn, was, is.Sum())
}
