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

// traceOf returns a hash of all events of a world, and their number.
func traceOf(p *worldPlan) (hash uint64, events int) {
	h := fnv.New64a()
	o := runWorld(p, watching{trace: func(e event) {
		fmt.Fprintln(h, e.at, e.kind, e.text)
		events++
	}})
	fmt.Fprintln(h, o.steps, o.wrong)
	return h.Sum64(), events
}

// replayed is the number of seeds that TestReplay runs.
const replayed = 6

// tracesOf returns the hashes of the worlds of some seeds, from seed on.
func tracesOf(seed uint64) string {
	var b strings.Builder
	for i := range uint64(replayed) {
		hash, events := traceOf(planWorld(seed + i))
		fmt.Fprintf(&b, "seed %d: %d events, %x\n", seed+i, events, hash)
	}
	return b.String()
}

// inner is the environment variable by which the test knows that TestReplay has started its
// process.
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
