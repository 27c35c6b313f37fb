//go:build simulation

package engine

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"
)

var (
	seed       = flag.Uint64("seed", uint64(time.Now().UnixNano())%1e9, "seed of the first world; each further one has the next")
	worldsFlag = flag.Int("worlds", 0, "number of worlds; 0: as many as -for allows")
	forFlag    = flag.Duration("for", simulateFor(), "how long worlds are started")
	talksMost  = flag.Int("conversations", 0, "start no world after so many conversations; 0: no limit")
	showFlag   = flag.Bool("show", false, "print what happens in each world")
)

// simulateFor returns the default of -for, which the environment may set.
func simulateFor() time.Duration {
	if d, err := time.ParseDuration(os.Getenv("SIMULATE_FOR")); err == nil {
		return d
	}
	return 3 * time.Second
}

// TestSimulation runs random worlds: the engine, clients and servers on a model of the kernel. A
// failure names the seed of its world, which repeats it:
//
//	go test -tags simulation ./engine -run 'TestSimulation$' -worlds 1 -seed S
func TestSimulation(t *testing.T) {
	talks, began := 0, time.Now()
	for _, s := range oldSeeds(t) {
		talks += playWorld(t, planWorld(s))
	}
	worlds := 0
	for ; !t.Failed() && goesOn(worlds, talks, time.Since(began)); worlds++ {
		before := talks
		talks += playWorld(t, planWorld(*seed+uint64(worlds)))
		if t.Failed() {
			t.Logf("%d conversations before", before)
		}
	}
	t.Logf("-seed %d: %d worlds, %d conversations, %.0f a minute", *seed, worlds, talks, float64(talks)/time.Since(began).Minutes())
}

func goesOn(worlds, talks int, took time.Duration) bool {
	switch {
	case *worldsFlag > 0:
		return worlds < *worldsFlag
	case *talksMost > 0:
		return talks < *talksMost
	}
	return took < *forFlag
}

// oldSeeds returns the seeds of worlds that have failed once.
func oldSeeds(t *testing.T) (all []uint64) {
	t.Helper()
	text, err := os.ReadFile("testdata/simulation-seeds.txt")
	if err != nil {
		t.Fatal(err)
	}
	for line := range bytes.Lines(text) {
		word, _, _ := strings.Cut(strings.TrimSpace(string(line)), " ")
		if n, err := strconv.ParseUint(word, 10, 64); err == nil {
			all = append(all, n)
		}
	}
	return all
}

// playWorld runs a world, and returns the number of its conversations.
func playWorld(t *testing.T, p *worldPlan) int {
	t.Helper()
	var trace func(string)
	if *showFlag {
		trace = func(line string) { fmt.Println(line) }
	}
	if wrong := runWorld(p, trace); len(wrong) > 0 {
		t.Errorf("-seed %d -worlds 1\n%s\n%s", p.seed, strings.Join(wrong, "\n"), describeWorld(p))
	}
	return len(p.talks)
}

// runWorld runs a world to its end, and returns what went wrong.
func runWorld(p *worldPlan, trace func(line string)) []string {
	x, err := newSimulation(p, trace)
	if err != nil {
		return []string{err.Error()}
	}
	defer x.close()
	if x.run(); len(x.wrong) == 0 {
		x.checkEnd()
	}
	return append(x.wrong, x.involved()...)
}

// involved returns the plans of the conversations that messages name.
func (x *simulation) involved() (plans []string) {
	all := strings.Join(x.wrong, "\n")
	for _, t := range x.talks {
		if strings.Contains(all, fmt.Sprintf("conversation %d ", t.number)) || strings.Contains(all, fmt.Sprintf("client %d ", t.number)) {
			plans = append(plans, t.String())
		}
	}
	return plans
}

// describeWorld returns the parts of a world.
func describeWorld(p *worldPlan) string {
	s := setScene(p)
	return fmt.Sprintf("knobs: %s\n%s", strings.Join(s.on, ", "), s.config())
}
