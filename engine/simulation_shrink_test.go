//go:build simulation

package engine

import (
	"slices"
	"time"
)

// shrinker makes a plan smaller as long as its world fails in the same way.
type shrinker struct {
	kind string // kind of the failure, see kindOf
	run  func(p *worldPlan) outcome
	now  func() time.Time
	end  time.Time // no world is started after this time
	runs int

	tries int        // number of schedules that are tried for a smaller plan
	best  *worldPlan // the smallest plan that fails
	last  outcome    // outcome of best
}

// mostTries is the maximum number of schedules that are tried for a smaller plan. Removing a part
// changes the order of all other events, so a rare order must be found again.
const mostTries = 30

// shrink returns the smallest plan found that fails in the same way as p. o is the outcome of p.
func (s *shrinker) shrink(p *worldPlan, o outcome) *worldPlan {
	s.best, s.last, s.tries = p, o, mostTries
	s.lessTalks()
	s.accepts(s.changed(func(p *worldPlan) { p.with = []string{everything} }))
	for size := -1; size != s.size() && !s.late(); {
		size = s.size()
		s.rate()
		s.lessTalks()
		s.lessParts()
	}
	s.shortest()
	return s.best
}

func (s *shrinker) size() int { return len(s.best.talks) + len(s.best.with) }

func (s *shrinker) late() bool { return !s.now().Before(s.end) }

// changed returns a copy of the best plan with a change.
func (s *shrinker) changed(change func(p *worldPlan)) *worldPlan {
	p := *s.best
	change(&p)
	return &p
}

// lessTalks removes conversations. It first tries to keep only those whose numbers the failure
// contains.
func (s *shrinker) lessTalks() {
	accepts := func(rest []int) bool {
		return len(rest) > 0 && s.accepts(s.changed(func(p *worldPlan) { p.talks = rest }))
	}
	all := s.best.talks
	named := slices.DeleteFunc(s.last.named(), func(n int) bool { return !slices.Contains(all, n) })
	if len(named) < len(all) && accepts(named) {
		all = named
	}
	reduce(all, accepts)
}

// lessParts removes other parts.
func (s *shrinker) lessParts() {
	if s.best.with == nil {
		return
	}
	reduce(s.best.with, func(rest []string) bool {
		return s.accepts(s.changed(func(p *worldPlan) { p.with = append([]string{}, rest...) }))
	})
}

// reduce removes elements as long as accepts returns true for the rest. It tries to remove all,
// then halves, then smaller groups, and finally single elements.
func reduce[T any](all []T, accepts func(rest []T) bool) []T {
	for size := len(all); size > 0; size /= 2 {
		for at := 0; at < len(all); {
			rest := slices.Concat(all[:at], all[min(at+size, len(all)):])
			if accepts(rest) {
				all = rest
			} else {
				at += size
			}
		}
	}
	return all
}

// accepts runs a plan with several schedules and reports whether one of them fails in the same way.
// Then this plan becomes the best one.
func (s *shrinker) accepts(p *worldPlan) bool {
	for schedule := range uint64(s.tries) {
		try := *p
		if schedule > 0 {
			try.schedule = p.schedule + schedule
		}
		if s.late() {
			return false
		}
		if o := s.result(&try); o.fails(s.kind) {
			if try.with != nil {
				try.with = append([]string{}, o.parts...) // without the names of parts that no longer exist
			}
			s.best, s.last = &try, o
			return true
		}
	}
	return false
}

func (s *shrinker) result(p *worldPlan) outcome {
	s.runs++
	return s.run(p)
}

// rate counts how many schedules make the best plan fail. The more of them do, the fewer schedules
// are tried for a smaller plan.
func (s *shrinker) rate() {
	const sample = 10
	failing := 0
	for i := range uint64(sample) {
		if s.late() {
			return
		}
		o := s.result(s.changed(func(p *worldPlan) { p.schedule += i + 1 }))
		if o.fails(s.kind) {
			failing++
		}
	}
	s.tries = max(4, mostTries/max(failing, 1))
}

// shortest searches the schedule with which the best plan fails after the fewest steps.
func (s *shrinker) shortest() {
	first := s.best.schedule
	for i := range uint64(2 * mostTries) {
		if s.late() {
			return
		}
		p := s.changed(func(p *worldPlan) { p.schedule = first + i })
		if o := s.result(p); o.fails(s.kind) && o.steps < s.last.steps {
			s.best, s.last = p, o
		}
	}
}
