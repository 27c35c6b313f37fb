package pool

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// probed calls look after each set of servers.
type probed struct {
	picker
	look func()
}

func (p *probed) use(servers []*Server) {
	p.picker.use(servers)
	p.look()
}

// While servers are exchanged, there is one to pick at any time.
func TestFollowLeavesNoGap(t *testing.T) {
	for _, tt := range []struct{ old, fresh string }{
		{"a b!", "a! b"}, {"a! b", "a b!"}, {"a b*0", "a*0 b"}, {"a", "b"}, {"a b", "c d"}, {"a~ b", "a b~"}, {"a", "a! b"},
	} {
		b := mustNew(t, declare(weighted(), tt.old))
		picked := ""
		usePicker(b, &probed{pickerOf(b), func() { picked += picks(b, 1, nil) }})
		reload(t, b, declare(weighted(), tt.fresh))
		if picked += picks(b, 1, nil); strings.Contains(picked, "-") {
			t.Errorf("from %q to %q: picked %s", tt.old, tt.fresh, picked)
		}
	}
}

// Loops pick while the backend follows one configuration after the other. They find a server each
// time, and in its slot as long as they hold it. In the end nothing is left of the removed servers.
func TestFollowBesideLoops(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	configurations := []string{"a b c", "d e f", "a! b", "a b!", "c+", "b*3 c~ a:2", "f e d c b a", "a~ b~"}
	b := mustNew(t, declare(weighted(), configurations[0]))
	var over atomic.Bool
	var wg sync.WaitGroup
	for i := range 4 {
		wg.Go(func() { loopPicks(t, b, rand.New(rand.NewPCG(seed, uint64(i))), &over) })
	}
	rnd := rand.New(rand.NewPCG(seed, 99))
	for range 2000 {
		reload(t, b, declare(weighted(), configurations[rnd.IntN(len(configurations))]))
	}
	reload(t, b, declare(weighted(), configurations[1]))
	over.Store(true)
	wg.Wait()
	if used := strings.ReplaceAll(slots(b), ".", ""); len(used) != 3 || b.Active() != 3 || b.Backup() != 0 || b.Weight() != 3 || b.Downs() != 0 {
		t.Errorf("seed %d: slots %s, %d+%d of weight %d, down %d times", seed, slots(b), b.Active(), b.Backup(), b.Weight(), b.Downs())
	}
	if n := len(slots(b)); n > 64 {
		t.Errorf("seed %d: %d slots for at most 9 servers in use at once", seed, n)
	}
	for _, s := range b.Servers() {
		if s.References() != 0 {
			t.Errorf("seed %d: %s has %d references", seed, s, s.References())
		}
	}
}

// loopPicks picks servers, and holds up to 8 of them, until over is set.
func loopPicks(t *testing.T, b *Backend, rnd *rand.Rand, over *atomic.Bool) {
	t.Helper()
	var held []*Server
	for !over.Load() {
		s := b.Pick(Key{}, nil)
		if s == nil {
			t.Error("no server to pick")
			return
		}
		s.Take(0)
		_ = s.Conf().Cookie
		_ = b.AfterFailure(Failure{Server: s})
		held = append(held, s)
		for len(held) > rnd.IntN(8) {
			s := held[0]
			if b.Server(s.Slot) != s {
				t.Errorf("slot %d of %s has another server", s.Slot, s)
			}
			s.Drop(0, 0)
			s.Release()
			held = held[1:]
		}
	}
	for _, s := range held {
		s.Drop(0, 0)
		s.Release()
	}
}

// Reloads with changing names use the same slots again.
func TestFollowDoesNotGrow(t *testing.T) {
	b := mustNew(t, declare(weighted(), "a b c"))
	for i := range 100 {
		fresh := declare(weighted(), "a b c")
		for _, s := range fresh.Servers {
			s.Name += fmt.Sprint(i)
		}
		reload(t, b, fresh)
	}
	if n := len(b.roster.Load().slots); n != 6 {
		t.Errorf("%d slots after 100 reloads, want 6", n)
	}
}

// 2,000 backends of 5 servers, of which some have changed.
func BenchmarkFollow(bm *testing.B) {
	for _, changed := range []int{0, 200, 2000} {
		bm.Run(fmt.Sprintf("%d changed", changed), func(bm *testing.B) {
			all := generation(0, 0)
			for version := range bm.N {
				bm.StopTimer()
				fresh := generation(changed, 1+version)
				bm.StartTimer()
				for i, b := range all {
					b.Follow(fresh[i])
				}
			}
		})
	}
}

// generation returns 2,000 backends. In the first of them, each server differs by version.
func generation(changed, version int) (all []*Backend) {
	for i := range 2000 {
		c := declare(weighted(), "a+ b+ c+ d+ e+")
		if i < changed {
			n := 1 + version%100
			c.Servers[0].Weight = n
			c.Servers[1].Address.Port = uint16(n)
			c.Servers[2].Name = fmt.Sprint(version)
			c.Servers[3].Inter = time.Duration(n) * time.Minute
			c.Servers[4].Rise = n
		}
		b, _ := New(i, c, Means{})
		all = append(all, b)
	}
	return all
}
