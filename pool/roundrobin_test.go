package pool

import (
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// naive is smooth weighted round robin, written directly from its definition.
func naive(weights []int, turns int) []uint16 {
	owed := make([]int, len(weights))
	var out []uint16
	for range turns {
		best, sum := 0, 0
		for i, w := range weights {
			owed[i] += w
			sum += w
			if owed[i] > owed[best] {
				best = i
			}
		}
		owed[best] -= sum
		out = append(out, uint16(best))
	}
	return out
}

func TestSmoothAgainstDefinition(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	rnd := rand.New(rand.NewPCG(seed, 0))
	for range 300 {
		weights := make([]int, 1+rnd.IntN(20))
		most := 1 + rnd.IntN(256)
		for i := range weights {
			weights[i] = 1 + rnd.IntN(most)
		}
		got := smooth(weights)
		if want := naive(weights, len(got)); !slices.Equal(got, want) {
			t.Fatalf("seed %d: weights %v\ngot  %v\nwant %v", seed, weights, got, want)
		}
		checkShares(t, weights, got)
	}
}

func checkShares(t *testing.T, weights []int, turns []uint16) {
	t.Helper()
	shares := make([]int, len(weights))
	for _, s := range turns {
		shares[s]++
	}
	for i := range shares {
		if shares[i]*weights[0] != weights[i]*shares[0] {
			t.Fatalf("weights %v: shares %v of a period", weights, shares)
		}
	}
}

func manyWeights(distinct int) []int {
	weights := make([]int, 4095)
	for i := range weights {
		weights[i] = 1 + i%distinct*(256/distinct)
	}
	return weights
}

func TestSmoothOfManyServers(t *testing.T) {
	weights := manyWeights(16)
	turns := smooth(weights)
	checkShares(t, weights, turns)
	if want := naive(weights, 2000); !slices.Equal(turns[:2000], want) {
		t.Error("the first 2000 turns are not those of the definition")
	}
}

// This is the slowest case: 4,095 servers with all 256 weights.
func BenchmarkSmooth(b *testing.B) {
	weights := manyWeights(256)
	for b.Loop() {
		smooth(weights)
	}
}

func TestPickOrder(t *testing.T) {
	tests := []struct {
		name    string
		weights []int
		backups string
		all     bool // option allbackups
		down    string
		want    string
	}{
		{"smooth", []int{5, 1, 1}, "", false, "", "aabacaaaabacaa"},
		{"equal", []int{7, 7, 7}, "", false, "", "abcabc"},
		{"lowest terms", []int{100, 200}, "", false, "", "babbab"},
		{"one", []int{9}, "", false, "", "aaa"},
		{"weight 0", []int{1, 0, 1}, "", false, "", "acac"},
		{"all weights 0", []int{0, 0}, "", false, "", "--"},
		{"none", nil, "", false, "", "--"},
		{"one down", []int{1, 1, 1}, "", false, "b", "acac"},
		{"all down", []int{1, 1}, "", false, "ab", "--"},
		{"backups rest", []int{1, 1, 1}, "bc", false, "", "aaa"},
		{"first backup", []int{1, 1, 1}, "bc", false, "a", "bbb"},
		{"next backup", []int{1, 1, 1}, "bc", false, "ab", "ccc"},
		{"all backups", []int{1, 1, 1}, "bc", true, "a", "bcbc"},
		{"backup of weight 0", []int{1, 0, 1}, "bc", false, "a", "ccc"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := weighted(tt.weights...)
			c.AllBackups = tt.all
			for _, s := range c.Servers {
				s.Backup = strings.Contains(tt.backups, s.Name)
			}
			b := mustNew(t, c)
			kill(b, tt.down)
			if got := picks(b, len(tt.want), nil); got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
}

func TestPickAvoids(t *testing.T) {
	b := mustNew(t, weighted(5, 1, 1))
	if got := picks(b, 4, b.Servers()[0]); got != "bcbc" {
		t.Errorf("without a: %s, want bcbc", got)
	}
	kill(b, "bc")
	if got := picks(b, 2, b.Servers()[0]); got != "aa" {
		t.Errorf("with nobody but a: %s, want aa", got)
	}
	c := weighted(1, 1)
	c.Servers[0].Disabled = true
	b = mustNew(t, c)
	if got := picks(b, 2, b.Servers()[0]); got != "bb" {
		t.Errorf("with a in maintenance: %s, want bb", got)
	}
}

// down makes the server DOWN without telling the picker.
func down(s *Server) { s.condition.Store(newCondition(s.Conf(), 0, false)) }

// A server that has just gone down is not chosen, even from an order built before.
func TestPickBeforeTheOrderIsMade(t *testing.T) {
	b := mustNew(t, weighted(1, 1))
	for _, s := range b.Servers() {
		checkNow(s)
	}
	down(b.Servers()[0])
	if got := picks(b, 3, nil); got != "bbb" {
		t.Errorf("got %s, want bbb", got)
	}
	down(b.Servers()[1])
	if got := picks(b, 1, nil); got != "-" {
		t.Errorf("got %s, want none", got)
	}
}

func TestPickIsExactOverAllLoops(t *testing.T) {
	const loops, periods = 8, 700
	b := mustNew(t, weighted(5, 2, 1))
	var mu sync.Mutex
	shares := map[string]int{}
	var wg sync.WaitGroup
	for range loops {
		wg.Go(func() {
			mine := map[string]int{}
			for range periods {
				mine[b.Pick(Key{}, nil).Name]++
			}
			mu.Lock()
			defer mu.Unlock()
			for name, n := range mine {
				shares[name] += n
			}
		})
	}
	wg.Wait()
	if shares["a"] != 5*periods || shares["b"] != 2*periods || shares["c"] != periods {
		t.Errorf("shares %v, want 5:2:1 of %d", shares, loops*periods)
	}
}

func TestPickAllocatesNothing(t *testing.T) {
	b := mustNew(t, weighted(5, 1, 1))
	f := Failure{Server: b.Servers()[0]}
	if n := testing.AllocsPerRun(100, func() {
		b.Pick(Key{}, b.Servers()[0])
		b.AfterFailure(f)
	}); n != 0 {
		t.Errorf("%v allocations, want 0", n)
	}
}

func BenchmarkPick(bm *testing.B) {
	c := weighted(5, 1, 1)
	b, _ := New(1, c, Means{})
	bm.ReportAllocs()
	for bm.Loop() {
		b.Pick(Key{}, nil)
	}
}
