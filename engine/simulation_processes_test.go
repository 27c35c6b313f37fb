//go:build simulation

package engine

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"testing"
	"time"
)

// apart is the distance between the first seeds of two processes.
const apart = 1 << 32

// spread runs worlds in n processes at the same time. The first failure ends all processes.
func spread(t *testing.T, n int) {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	results := make(chan ranWorlds)
	for i := range n {
		go func() { results <- runProcess(ctx, *seed+uint64(i)*apart) }()
	}
	var c count
	began := time.Now()
	for range n {
		r := <-results
		c.worlds, c.talks, c.reloads = c.worlds+r.worlds, c.talks+r.talks, c.reloads+r.reloads
		if r.err != nil && !t.Failed() {
			t.Errorf("%v\n%s", r.err, r.output)
			stop()
		}
	}
	c.took = time.Since(began)
	t.Logf("-seed %d -processes %d: %v", *seed, n, c)
}

// ranWorlds is the ranWorlds of one process.
type ranWorlds struct {
	count
	output []byte
	err    error
}

// runProcess runs TestSimulation in another process, from seed on.
func runProcess(ctx context.Context, seed uint64) (r ranWorlds) {
	self, err := os.Executable()
	if err != nil {
		return ranWorlds{err: err}
	}
	args := []string{"-test.run=^TestSimulation$", "-test.v", "-test.timeout=0", "-old=false", "-processes=1", fmt.Sprint("-seed=", seed),
		fmt.Sprint("-for=", *forFlag), fmt.Sprint("-shrink=", *shrinkFlag), fmt.Sprint("-show=", *showFlag),
		fmt.Sprint("-worlds=", *worldsFlag), fmt.Sprint("-conversations=", *talksMost)}
	r.output, r.err = exec.CommandContext(ctx, self, args...).CombinedOutput()
	if m := counted.FindSubmatch(r.output); m != nil {
		r.worlds, r.reloads, r.talks = int(number(string(m[1]))), int(number(string(m[2]))), int(number(string(m[3])))
	}
	return r
}

var counted = regexp.MustCompile(`(\d+) worlds, (\d+) reloads, (\d+) conversations`)
