//go:build simulation

package engine

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// artificial is a world that fails for reasons that a test chooses. No simulation runs.
type artificial struct {
	parts []string                  // names of the parts that the seed draws
	wrong func(p *worldPlan) string // returns the failure of a plan; empty: none
	runs  int
}

func (a *artificial) run(p *worldPlan) outcome {
	a.runs++
	o := outcome{steps: 100 + len(p.talks) + int(p.schedule)%7}
	for _, part := range a.parts {
		if p.with == nil || slices.Contains(p.with, part) || slices.Contains(p.with, everything) {
			o.parts = append(o.parts, part)
		}
	}
	if text := a.wrong(&worldPlan{schedule: p.schedule, talks: p.talks, with: o.parts}); text != "" {
		o.wrong = []string{text}
	}
	return o
}

func newArtificial() *artificial {
	a := &artificial{}
	for i := range 60 {
		a.parts = append(a.parts, fmt.Sprint("part ", i))
	}
	return a
}

// shrunk returns the plan of a seed after shrinking.
func (a *artificial) shrunk(seed uint64) *worldPlan {
	p := planWorld(seed)
	o := a.run(p)
	var clock time.Time
	s := shrinker{kind: kindOf(o.wrong[0]), run: a.run, now: func() time.Time { return clock }, end: clock.Add(1)}
	return s.shrink(p, o)
}

func hasAll[T comparable](all []T, want ...T) bool {
	return !slices.ContainsFunc(want, func(w T) bool { return !slices.Contains(all, w) })
}

// A shrunk plan has the parts that its failure needs, and no others.
func TestShrink(t *testing.T) {
	a := newArtificial()
	a.wrong = func(p *worldPlan) string {
		if hasAll(p.talks, 3, 8) && hasAll(p.with, "part 5", "part 41") {
			return fmt.Sprintf("client %d gets %d bytes of %q", 3, len(p.talks), p.with)
		}
		return ""
	}
	p := a.shrunk(4)
	if want := "seed=4;conversations=3,8;with=part 5|part 41"; !strings.HasPrefix(p.String(), want) {
		t.Errorf("%v; want %s", p, want)
	}
	if a.runs > 1500 {
		t.Errorf("%d runs", a.runs)
	}
}

// Shrinking does not change to a failure of another kind, even if that failure needs fewer parts.
func TestShrinkKeepsTheKind(t *testing.T) {
	a := newArtificial()
	a.wrong = func(p *worldPlan) string {
		switch {
		case hasAll(p.with, "part 1", "part 2"):
			return "client 3 waits for ever"
		case hasAll(p.with, "part 1"):
			return "client 3 gets too much"
		}
		return ""
	}
	if p := a.shrunk(5); !slices.Equal(p.with, []string{"part 1", "part 2"}) {
		t.Errorf("%v", p)
	}
}

// If a failure needs a rare order of events, shrinking tries other schedules.
func TestShrinkTriesSchedules(t *testing.T) {
	a := newArtificial()
	a.wrong = func(p *worldPlan) string {
		whole := len(p.talks) == len(planWorld(6).talks) && len(p.with) == len(a.parts)
		if whole || hasAll(p.talks, 2) && p.schedule%8 == 5 {
			return "it fails"
		}
		return ""
	}
	p := a.shrunk(6)
	if !slices.Equal(p.talks, []int{2}) || len(p.with) > 0 || p.schedule%8 != 5 {
		t.Errorf("%v", p)
	}
}

// If a failure does not occur again, shrinking leaves the plan unchanged.
func TestShrinkOfOneRun(t *testing.T) {
	a := newArtificial()
	a.wrong = func(*worldPlan) string {
		if a.runs == 1 {
			return "it fails"
		}
		return ""
	}
	if p := a.shrunk(7); p.with != nil || len(p.talks) != len(planWorld(7).talks) || p.schedule != 0 {
		t.Errorf("%v", p)
	}
}

// The kind of a failure does not contain the numbers, names and bytes of one world.
func TestKindOf(t *testing.T) {
	for _, c := range [][2]string{
		{"conversation 7 request 71: the balancer answers \"HTTP/1.1 502 \\\"x\\\"\"; want own answers [503]\nmore", `conversation # request #: the balancer answers "…"`},
		{"client 3 gets a wrong byte 17: a3 0b c4 are the bytes", "client # gets a wrong byte #: # are the bytes"},
		{`after an event, wrong are: ["it holds 7 bytes for a server" "its deadline is 9"]` + "\nstate", "after an event, wrong are: it holds # bytes for a server"},
		{"server b0s1 counts 2 sessions at the end", "server b#s# counts # sessions at the end"},
	} {
		if got := kindOf(c[0]); got != c[1] {
			t.Errorf("%q; want %q", got, c[1])
		}
	}
}

// A plan that is written as text and parsed again is the same plan.
func TestPlanText(t *testing.T) {
	p := planWorld(9)
	p.schedule, p.talks = 3, []int{2, 5}
	for _, with := range [][]string{nil, {}, {everything}, {"two loops", "request 51 Body"}} {
		p.with = with
		got, stale, err := parsePlan(p.String())
		if err != nil || stale || got.String() != p.String() || (got.with == nil) != (with == nil) {
			t.Errorf("%v is read as %v, %v, %v", p, got, stale, err)
		}
	}
	if p, stale, err := parsePlan("12"); err != nil || stale || p.seed != 12 || p.with != nil {
		t.Errorf("12 is read as %v, %v, %v", p, stale, err)
	}
	if _, stale, err := parsePlan("seed=12;world=00000000"); err != nil || !stale {
		t.Errorf("another world: %v, %v", stale, err)
	}
	for _, wrong := range []string{"", "x", "seed=1;schedule=x", "seed=1;conversations=1,x", "seed=1;wit=h"} {
		if p, _, err := parsePlan(wrong); err == nil {
			t.Errorf("%q is read as %v", wrong, p)
		}
	}
}
