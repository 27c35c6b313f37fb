package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// benchstat is by exact version, so that a table means the same next year.
const benchstat = "golang.org/x/perf/cmd/benchstat@v0.0.0-20260908200009-22c9c6c9d4da"

// compare is one run of the command.
type compare struct {
	ref       string
	count     int
	rounds    int
	time      string
	packages  string
	scenarios string
	dir       string // for all that is made
}

func main() {
	c := &compare{}
	flag.StringVar(&c.ref, "ref", "main", "branch, tag or `commit` to compare the working tree with")
	flag.IntVar(&c.count, "count", 6, "runs of each Go benchmark; 0: none")
	flag.StringVar(&c.time, "benchtime", "200ms", "`time` of one run of a Go benchmark")
	flag.StringVar(&c.packages, "packages", "./sniff/... ./engine/... ./pool/...", "whose benchmarks")
	flag.IntVar(&c.rounds, "rounds", 5, "rounds of the harness; 0: none")
	flag.StringVar(&c.scenarios, "scenario", "conn-rate,keepalive,bulk", "`names` for the harness")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := c.run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "compare:", err)
		os.Exit(1)
	}
}

func (c *compare) run(ctx context.Context) (err error) {
	if c.dir, err = os.MkdirTemp("", "sluice-compare-"); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(c.dir)) }()
	base := filepath.Join(c.dir, "tree")
	if err := command(ctx, "", "git", "worktree", "add", "--detach", "--quiet", base, c.ref).Run(); err != nil {
		return fmt.Errorf("check %s out: %w", c.ref, err)
	}
	defer func() {
		// Also after an interrupt, which has ended the context.
		remove := command(context.WithoutCancel(ctx), "", "git", "worktree", "remove", "--force", base)
		err = errors.Join(err, remove.Run())
	}()
	if c.count > 0 {
		if err := c.functions(ctx, base); err != nil {
			return err
		}
	}
	if c.rounds > 0 {
		return c.harness(ctx, base)
	}
	return nil
}

// functions runs the Go benchmarks of both trees in turn, and benchstat.
func (c *compare) functions(ctx context.Context, base string) error {
	args := []string{"test", "-run", "^$", "-bench", ".", "-benchmem", "-benchtime", c.time}
	args = append(args, strings.Fields(c.packages)...)
	files := []string{filepath.Join(c.dir, "base"), filepath.Join(c.dir, "here")}
	for i := range c.count {
		for side, tree := range []string{base, ""} {
			fmt.Fprintf(os.Stderr, "Go benchmarks of %s, run %d of %d\n", [...]string{c.ref, "the working tree"}[side], i+1, c.count)
			if err := appendTo(files[side], command(ctx, tree, "go", args...)); err != nil {
				return fmt.Errorf("go benchmarks: %w", err)
			}
		}
	}
	stat := command(ctx, c.dir, "go", "run", benchstat, "base", "here")
	// Not in the module: it shall not choose versions for benchstat.
	stat.Env = append(os.Environ(), "GOFLAGS=-mod=mod")
	if err := stat.Run(); err != nil {
		return fmt.Errorf("benchstat: %w", err)
	}
	return nil
}

// harness runs the scenarios with both builds in the same rounds.
func (c *compare) harness(ctx context.Context, base string) error {
	bin := filepath.Join(c.dir, "sluice")
	build := command(ctx, base, "go", "build", "-trimpath", "-o", bin, "./cmd/sluice")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if err := build.Run(); err != nil {
		return fmt.Errorf("build %s: %w", c.ref, err)
	}
	return command(ctx, "", "go", "run", "./bench", "-quick", "-scenario", c.scenarios, "-peers", "none",
		"-also", "base="+bin, "-rounds", strconv.Itoa(c.rounds), "-for", "2s", "-wrk=false", "-out", "bench/out/compare").Run()
}
