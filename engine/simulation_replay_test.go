//go:build simulation

package engine

import (
	"fmt"
	"hash/fnv"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// traceOf returns a hash of everything that happens in a world, and the number of its events.
func traceOf(p *worldPlan) (hash uint64, events int) {
	h := fnv.New64a()
	o := runWorld(p, watch{trace: func(e event) {
		fmt.Fprintln(h, e.at, e.kind, e.text)
		events++
	}})
	fmt.Fprintln(h, o.steps, o.wrong)
	return h.Sum64(), events
}

// replayed are the seeds of TestReplay.
const replayed = 6

// tracesOf returns the hashes of some worlds.
func tracesOf(seed uint64) string {
	var b strings.Builder
	for i := range uint64(replayed) {
		hash, events := traceOf(planWorld(seed + i))
		fmt.Fprintf(&b, "seed %d: %d events, %x\n", seed+i, events, hash)
	}
	return b.String()
}

// inner tells the test that it runs in the process that TestReplay has started.
const inner = "SIMULATION_REPLAY"

// TestReplay: the same plan gives the same events, in the same process and in another one. So
// nothing depends on goroutines, on the order of maps, on addresses, or on what ran before.
func TestReplay(t *testing.T) {
	first := tracesOf(*seed)
	if os.Getenv(inner) != "" {
		fmt.Print(first)
		return
	}
	if again := tracesOf(*seed); again != first {
		t.Errorf("first\n%sthen\n%s", first, again)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	c := exec.CommandContext(t.Context(), self, "-test.run=^TestReplay$", fmt.Sprint("-seed=", *seed))
	c.Env = append(os.Environ(), inner+"=1")
	out, err := c.CombinedOutput()
	if err != nil || !strings.HasPrefix(string(out), first) {
		t.Errorf("here\n%sin another process (%v)\n%s", first, err, out)
	}
}
