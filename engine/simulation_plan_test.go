//go:build simulation

package engine

import (
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"slices"
	"strings"
	"time"
)

// worldPlan is everything that decides how a simulation goes. It is a value: two runs of the same
// plan do the same. Each part takes its random values from a source of its own. So a part can be
// taken out of a plan, and the other parts stay as they are.
type worldPlan struct {
	seed     uint64
	schedule uint64   // another order of events in the same world; 0: that of the seed
	fronts   int      // number of frontends
	backs    int      // number of backends
	talks    []int    // numbers of the conversations
	with     []string // names of the parts that it has, see keeps; nil: all that the seed draws; "*": those, too
}

// mostTalks is the largest number of conversations of a world.
const mostTalks = 40

// planWorld makes the plan of a seed.
func planWorld(seed uint64) *worldPlan {
	p := &worldPlan{seed: seed}
	r := p.source("plan")
	p.fronts, p.backs = 1+r.IntN(4), 1+r.IntN(3)
	for i := range 10 + r.IntN(mostTalks-9) {
		p.talks = append(p.talks, i+1)
	}
	return p
}

// source returns the random source of one part of the world.
func (p *worldPlan) source(part string) *rand.Rand {
	h := fnv.New64a()
	_, _ = h.Write([]byte(part))
	return rand.New(rand.NewPCG(p.seed, h.Sum64()))
}

// order returns the random source of something that concerns all parts. It goes on differently when
// a part is taken out. So the number of the schedule changes it, too.
func (p *worldPlan) order(what string) *rand.Rand {
	if p.schedule > 0 {
		what = fmt.Sprint(what, " ", p.schedule)
	}
	return p.source(what)
}

// everything in worldPlan.with is every part. Unlike nil, it lets the scene record the parts of
// conversations.
const everything = "*"

// keeps reports whether a part of the scene is not taken out of the plan, and records its name.
func (s *scene) keeps(part string) bool {
	w := s.plan.with
	switch {
	case w == nil:
	case !slices.Contains(w, part) && !slices.Contains(w, everything):
		return false
	case slices.Contains(s.on, part):
		return true
	}
	s.on = append(s.on, part)
	return true
}

// knob is one property that a part of a world may have, for example an option of a frontend. Its
// name behind that of the part identifies it in worldPlan.with.
type knob[part any] struct {
	name string
	odds float64            // probability that it is on
	fits func(of part) bool // nil: always
	turn func(t *turn[part])
}

// turn is what a knob works with: the part of the world that it changes, and the random source of
// this knob for this part.
type turn[part any] struct {
	*rand.Rand
	scene *scene
	of    part
}

// turnAll applies the knobs that are on to a part of the scene.
func turnAll[part any](s *scene, name string, of part, knobs []knob[part]) {
	for i := range knobs {
		k := &knobs[i]
		full := strings.TrimSpace(name + " " + k.name)
		r := s.plan.source(full)
		if r.Float64() >= k.odds || k.fits != nil && !k.fits(of) || !s.keeps(full) {
			continue
		}
		k.turn(&turn[part]{r, s, of})
	}
}

// chance is true with the probability p.
func (t *turn[part]) chance(p float64) bool { return t.Float64() < p }

// once is true one time in n.
func (t *turn[part]) once(n int) bool { return t.IntN(n) == 0 }

// soon returns a time while conversations are under way.
func (t *turn[part]) soon() time.Duration {
	return time.Duration(t.Int64N(int64(500 * time.Millisecond)))
}

// timeout returns a timeout. It is so short that little time passes where peers are silent. It is
// longer than all steps together that take time, and than all waits for memory.
func (t *turn[part]) timeout() time.Duration {
	if t.scene.pace.lag > 0 || slices.ContainsFunc(t.scene.faults, simFault.starves) {
		return 30 * time.Second
	}
	return time.Duration(100+t.IntN(1<<t.IntN(12))) * time.Millisecond
}

// among returns a random element.
func among[T any](r *rand.Rand, all ...T) T { return all[r.IntN(len(all))] }
