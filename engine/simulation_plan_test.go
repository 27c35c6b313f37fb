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

// worldPlan contains everything that decides the course of a simulation. It is a value: two runs of
// the same plan are equal. Each part takes its random values from a source of its own. So a part
// can be removed, and the other parts stay as they are.
type worldPlan struct {
	seed     uint64
	schedule uint64   // selects another order of events in the same world; 0: the order of the seed
	fronts   int      // number of frontends
	backs    int      // number of backends
	talks    []int    // numbers of the conversations
	with     []string // names of the parts to keep, see keeps; nil or "*": all parts that the seed draws
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

// source returns the random source of one part of the world. It depends on the seed and on the name
// of the part.
func (p *worldPlan) source(part string) *rand.Rand {
	h := fnv.New64a()
	_, _ = h.Write([]byte(part))
	return rand.New(rand.NewPCG(p.seed, h.Sum64()))
}

// order returns a random source for choices that all parts share. Removing a part changes its
// further course anyway, so the number of the schedule may change it, too.
func (p *worldPlan) order(what string) *rand.Rand {
	if p.schedule > 0 {
		what = fmt.Sprint(what, " ", p.schedule)
	}
	return p.source(what)
}

// everything, as an element of worldPlan.with, keeps all parts. With nil, the names of the parts of
// conversations would not be recorded.
const everything = "*"

// keeps reports whether the plan keeps a part of the scene, and records the part's name if it does.
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

// knob is one optional property of a part of a world, for example an option of a frontend. The name
// of the part and the name of the knob identify it in worldPlan.with.
type knob[part any] struct {
	name string
	odds float64            // probability that the part has the property
	fits func(of part) bool // whether the part can have the property; nil: always
	turn func(t *turn[part])
}

// turn is the argument of a knob: the part of the world that it changes, and the random source of
// this knob for this part.
type turn[part any] struct {
	*rand.Rand
	scene *scene
	of    part
}

// turnAll gives a part of the scene a random selection of the properties.
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

// once returns true with probability 1/n.
func (t *turn[part]) once(n int) bool { return t.IntN(n) == 0 }

// soon returns a random time since the start, below 500 ms, when conversations are usually active.
func (t *turn[part]) soon() time.Duration {
	return time.Duration(t.Int64N(int64(500 * time.Millisecond)))
}

// timeout returns a random timeout. It is short, so that silent peers cost little time. In a world
// where steps take time or memory is short it is 30 s, longer than all these delays together.
func (t *turn[part]) timeout() time.Duration {
	if t.scene.pace.lag > 0 || slices.ContainsFunc(t.scene.faults, simFault.starves) {
		return 30 * time.Second
	}
	return time.Duration(100+t.IntN(1<<t.IntN(12))) * time.Millisecond
}

// among returns a random element.
func among[T any](r *rand.Rand, all ...T) T { return all[r.IntN(len(all))] }
