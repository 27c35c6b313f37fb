package actor

import (
	"math/rand/v2"
	"slices"
	"testing"
)

// random returns a function that keeps most parts.
func random(r *rand.Rand) func(string) bool {
	return func(string) bool { return r.IntN(3) > 0 }
}

// TestWebParts: plans without some of their parts are plans like others. They pass through a proxy
// that does nothing wrong.
func TestWebParts(t *testing.T) {
	for i := range *scenes {
		x := newWebScene(*seed + uint64(i))
		r := rand.New(rand.NewPCG(x.seed, 0xca))
		x.change = func(p *WebPlan) {
			tamed(p)
			p.Keep(random(r))
		}
		if wrong := x.play(); len(wrong) > 0 {
			x.fail(t, wrong)
			return
		}
	}
}

// TestStreamParts is the same in mode tcp.
func TestStreamParts(t *testing.T) {
	t.Logf("-actor.seed=%d", *seed)
	r := rand.New(rand.NewPCG(*seed, 9))
	for range 300 {
		x := &scene{seed: r.Uint64(), count: 10, at: overTCP, delayed: r.IntN(2) == 0, parts: true}
		if s := x.play(); len(s.Cast.Failures()) > 0 {
			x.fail(t, s)
			return
		}
	}
}

// Whatever is taken out has no name any more. Without its parts a plan is as short as possible.
func TestPartsAreTakenOut(t *testing.T) {
	shape := webShape()
	for i := range 1000 {
		r := rand.New(rand.NewPCG(*seed, uint64(i)))
		web, stream := DrawWeb(r, &shape, 1), DrawStream(r, 1, "", StreamOptions{})
		web.Keep(random(r))
		stream.Keep(random(r))
		partsOf := func() (all []string) {
			note := func(part string) bool { all = append(all, part); return true }
			web.Keep(note)
			stream.Keep(note)
			return all
		}
		before := partsOf()
		if len(before) == 0 {
			continue
		}
		gone := before[r.IntN(len(before))]
		others := func(part string) bool { return part != gone }
		web.Keep(others)
		stream.Keep(others)
		if len(web.Requests) > 1 && slices.Contains(partsOf(), gone) {
			t.Fatalf("-actor.seed=%d: %q is not taken out:\n%v\n%v", *seed, gone, web, stream)
		}
	}
}
