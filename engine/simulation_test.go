//go:build simulation

package engine

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"
)

var (
	seed       = flag.Uint64("seed", uint64(time.Now().UnixNano())%1e9, "seed of the first world; each further one has the next")
	worldsFlag = flag.Int("worlds", 0, "number of worlds; 0: as many as -for allows")
	forFlag    = flag.Duration("for", simulateFor(), "how long worlds are started")
	talksMost  = flag.Int("conversations", 0, "start no world after so many conversations; 0: no limit")
	planFlag   = flag.String("plan", "", "run only the world of this plan, as a failure prints it, and print its script")
	showFlag   = flag.String("show", "", "print the script of each world: script; with the system calls of the balancer: calls; with everything: all")
	shrinkFlag = flag.Duration("shrink", 20*time.Second, "how long a failing world is made smaller; 0: not at all")
	oldFlag    = flag.Bool("old", true, "run the worlds of testdata/simulation-seeds.txt first")
	processes  = flag.Int("processes", 1, "number of processes that run worlds at the same time")
)

// simulateFor returns the default of -for, which the environment may set.
func simulateFor() time.Duration {
	if d, err := time.ParseDuration(os.Getenv("SIMULATE_FOR")); err == nil {
		return d
	}
	return 3 * time.Second
}

// TestSimulation runs random worlds: the engine, clients and servers on a model of the kernel. It
// stops at the first that fails. Then it makes the world smaller, and prints a script of what each
// side did, and the command that repeats it. Flags:
//
//	-seed N           the seed of the first world; each further one has the next
//	-for 10m          how long worlds are started
//	-worlds N         how many worlds; without it, as many as -for allows
//	-conversations N  no world is started after so many conversations
//	-processes N      so many processes run worlds at the same time
//	-shrink 20s       how long a failing world is made smaller; 0: not at all
//	-plan TEXT        run only the world of this plan, as a failure prints it, and print its script
//	-show script      print the script of each world; calls: with the system calls of the balancer;
//	                  all: with everything
//	-old=false        leave out testdata/simulation-seeds.txt
//
// For example:
//
//	go test -tags simulation ./engine -run 'TestSimulation$' -worlds 1 -seed 7
func TestSimulation(t *testing.T) {
	switch {
	case *planFlag != "":
		playPlan(t, *planFlag)
		return
	case *oldFlag:
		playOld(t)
	}
	if *processes > 1 {
		spread(t, *processes)
		return
	}
	var c count
	for began := time.Now(); !t.Failed() && mayGoOn(c, time.Since(began)); c.took = time.Since(began) {
		before := c.talks
		p := planWorld(*seed + uint64(c.worlds))
		c.add(p, playWorld(t, p))
		if t.Failed() {
			t.Logf("%d conversations before", before)
		}
	}
	t.Logf("-seed %d: %v", *seed, c)
}

// count is what has run.
type count struct {
	worlds, talks, reloads int
	took                   time.Duration
}

func (c *count) add(p *worldPlan, o outcome) {
	c.worlds++
	c.talks += len(p.talks)
	c.reloads += o.reloads
}

func (c count) String() string {
	return fmt.Sprintf("%d worlds, %d reloads, %d conversations, %.0f a minute", c.worlds, c.reloads, c.talks, float64(c.talks)/max(c.took, 1).Minutes())
}

func mayGoOn(c count, took time.Duration) bool {
	switch {
	case *worldsFlag > 0:
		return c.worlds < *worldsFlag
	case *talksMost > 0:
		return c.talks < *talksMost
	}
	return took < *forFlag
}

// playOld runs the plans of worlds that have failed once.
func playOld(t *testing.T) {
	t.Helper()
	text, err := os.ReadFile("testdata/simulation-seeds.txt")
	if err != nil {
		t.Fatal(err)
	}
	for line := range bytes.Lines(text) {
		plan, _, _ := strings.Cut(string(line), "#")
		if plan = strings.TrimSpace(plan); plan != "" && !t.Failed() {
			playPlan(t, plan)
		}
	}
}

// playPlan runs the world of a plan.
func playPlan(t *testing.T, text string) {
	t.Helper()
	p, stale, err := parsePlan(text)
	if err != nil {
		t.Fatalf("%q: %v", text, err)
	}
	if stale {
		t.Logf("%s is another world now: see testdata/simulation-seeds.txt", text)
	}
	playWorld(t, p)
}

// playWorld runs a world.
func playWorld(t *testing.T, p *worldPlan) outcome {
	t.Helper()
	var w watching
	s := newScript(*showFlag == "calls", *showFlag == "all")
	if *showFlag != "" || *planFlag != "" {
		w.trace = s.note
	}
	o := runWorld(p, w)
	switch {
	case len(o.wrong) > 0:
		t.Error(report(p, o))
	case w.trace != nil:
		t.Logf("%s\n%s%s", p, p.describe(), s)
	}
	return o
}

// report makes a failing world smaller, and returns its script.
func report(p *worldPlan, o outcome) string {
	began := time.Now()
	s := shrinker{kind: kindOf(o.wrong[0]), now: time.Now, end: began.Add(*shrinkFlag)}
	s.run = func(p *worldPlan) outcome { return runWorld(p, watching{most: 4*o.steps + 10_000}) }
	small := s.shrink(p, o)
	text := newScript(*showFlag == "calls", *showFlag == "all")
	if o = runWorld(small, watching{trace: text.note}); len(o.wrong) == 0 {
		o.wrong = []string{"a failure that does not come again: the world is not deterministic"}
	}
	var b strings.Builder
	fmt.Fprintf(&b, "a world fails: %s\n%swhat happens:\n%s", firstLine(o.wrong[0]), small.describe(), text)
	fmt.Fprintf(&b, "%s", detailsOf(o.wrong[0]))
	fmt.Fprintf(&b, "to repeat it: go test -tags simulation ./engine -run 'TestSimulation$' -plan %q\n", small)
	if s.runs == 0 {
		return b.String()
	}
	fmt.Fprintf(&b, "It was made smaller in %v and %d runs from: -worlds 1 -seed %d\n", time.Since(began).Round(time.Millisecond), s.runs, p.seed)
	return b.String()
}
