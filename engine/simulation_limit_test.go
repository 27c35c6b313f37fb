//go:build simulation

package engine

import (
	"fmt"
	"slices"
	"time"

	"sluice/pool/stat"
)

// limitChange changes the maximum of a limit while the balancer works.
type limitChange struct {
	at    time.Duration
	limit int // selects one of the limits of the engine, see limits
	most  int // 0: no limit
}

// changeLimits adds changes of limits. The maximum of the process stays at or below the configured
// one, because no descriptors are planned for more connections.
func changeLimits(t *turn[*scene]) {
	s := t.of
	for i := range 1 + t.IntN(20) {
		c := limitChange{t.soon(), t.IntN(1 << 10), t.IntN(6)}
		if s.keeps(fmt.Sprint("limit ", i)) {
			s.changes = append(s.changes, c)
		}
	}
}

// change changes a limit at its time.
func (x *simulation) change(c limitChange) {
	i := c.limit % len(x.limits)
	l := x.limits[i]
	if i == 0 {
		c.most = min(1+c.most, x.maxconn())
	}
	x.kernel.After(c.at, func() {
		if i == 0 { // a reload may have lowered maxconn
			c.most = min(c.most, x.engine.Plan().MaxConn)
		}
		x.tell(incident, "the limit of %s becomes %d", l.name, c.most)
		l.last = l.Cur()
		x.engine.setMax(l.Limit, c.most)
	})
}

// namedLimit is a limit of the engine.
type namedLimit struct {
	name string
	*stat.Limit
	last int64 // number of connections at the last check or change
}

// limits returns all limits of the engine, that of the process first.
func (e *Engine) limits() (all []*namedLimit) {
	add := func(name string, l *stat.Limit) {
		if !slices.ContainsFunc(all, func(known *namedLimit) bool { return known.Limit == l }) {
			all = append(all, &namedLimit{name: name, Limit: l})
		}
	}
	add("the process", &e.Limit)
	for _, f := range e.today().Frontends {
		add("frontend "+f.Name, &f.Limit)
	}
	for _, l := range e.Loops {
		for _, ln := range l.Listeners {
			add("an address of frontend "+lineName(ln), ln.Limits[len(ln.Limits)-1])
		}
	}
	return all
}

// followLimits finds the limits that exist now. Their maximums may just have been lowered.
func (x *simulation) followLimits() {
	for _, l := range x.engine.limits() {
		if !slices.ContainsFunc(x.limits, func(known *namedLimit) bool { return known.Limit == l.Limit }) {
			x.limits = append(x.limits, l)
		}
	}
	for _, l := range x.limits {
		l.last = l.Cur()
	}
}

// checkLimits: no limit is exceeded. If its maximum was lowered, the number of connections does not
// increase above it.
func (x *simulation) checkLimits() {
	for _, l := range x.limits {
		cur, most := l.Cur(), l.Max()
		if most > 0 && cur > max(most, l.last) {
			x.failf("%s has %d connections; its limit is %d", l.name, cur, most)
		}
		l.last = cur
	}
}
