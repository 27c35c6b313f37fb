package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"sluice/bench/peer"
)

// benchstat has an exact version, so that its tables stay comparable.
var benchstat = []string{"go", "run", "golang.org/x/perf/cmd/benchstat@v0.0.0-20260908200009-22c9c6c9d4da"}

// compare is one run of the command. The fields are the flags, except benchstat and dir.
type compare struct {
	ref       string
	count     int
	rounds    int
	time      string
	packages  string
	scenarios string
	each      string // duration of one round of the harness
	out       string
	benchstat []string
	dir       string // temporary directory for all files of the run
}

func main() {
	c := &compare{benchstat: benchstat, out: filepath.Join("bench", "out", "compare")}
	flag.StringVar(&c.ref, "ref", "main", "branch, tag or `commit` to compare the working tree with")
	flag.IntVar(&c.count, "count", 6, "runs of each Go benchmark; 0: none")
	flag.StringVar(&c.time, "benchtime", "200ms", "`time` of one run of a Go benchmark")
	flag.StringVar(&c.packages, "packages", "./sniff/... ./engine/... ./pool/...", "`packages` with the benchmarks to run")
	flag.IntVar(&c.rounds, "rounds", 6, "rounds of the harness; 0: none")
	flag.StringVar(&c.each, "for", "2s", "`time` of one round")
	flag.StringVar(&c.scenarios, "scenario", "conn-rate,keepalive,bulk", "`names` of scenarios for the harness, separated by commas")
	flag.Parse()
	if c.count < 0 || c.rounds < 0 || flag.NArg() > 0 {
		fmt.Fprintf(os.Stderr, "compare: -count %d -rounds %d %s, wanted flags only, and none below 0\n", c.count, c.rounds, strings.Join(flag.Args(), " "))
		os.Exit(2)
	}
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
		// Remove it also after an interrupt, which has canceled ctx.
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

// functions runs the Go benchmarks of both trees alternately, and then benchstat.
func (c *compare) functions(ctx context.Context, base string) error {
	args := []string{"test", "-run", "^$", "-bench", ".", "-benchmem", "-benchtime", c.time}
	args = append(args, strings.Fields(c.packages)...)
	files := c.files("functions")
	for i := range c.count {
		for side, tree := range []string{base, ""} {
			fmt.Fprintf(os.Stderr, "Go benchmarks of %s, run %d of %d\n", [...]string{c.ref, "the working tree"}[side], i+1, c.count)
			if err := appendTo(files[side], command(ctx, tree, "go", args...)); err != nil {
				return fmt.Errorf("go benchmarks: %w", err)
			}
		}
	}
	return c.stat(ctx, files)
}

// files returns the names of the files for benchstat: first of the other version, then of the
// working tree.
func (c *compare) files(of string) [2]string {
	return [2]string{filepath.Join(c.dir, of+"-base"), filepath.Join(c.dir, of+"-here")}
}

// stat runs benchstat on two files.
func (c *compare) stat(ctx context.Context, files [2]string) error {
	args := append(slices.Clone(c.benchstat), "base="+files[0], "here="+files[1])
	// Run benchstat outside of this module. Inside, this module's go.mod would choose the versions
	// of benchstat's packages.
	stat := command(ctx, c.dir, args[0], args[1:]...)
	stat.Env = append(os.Environ(), "GOFLAGS=-mod=mod")
	if err := stat.Run(); err != nil {
		return fmt.Errorf("benchstat (fetched once, from proxy.golang.org): %w", err)
	}
	return nil
}

// harness runs the scenarios with both builds in the same rounds, and then benchstat on the CPU
// time.
func (c *compare) harness(ctx context.Context, base string) error {
	bin := filepath.Join(c.dir, "sluice")
	build := command(ctx, base, "go", "build", "-trimpath", "-o", bin, "./cmd/sluice")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if err := build.Run(); err != nil {
		return fmt.Errorf("build %s: %w", c.ref, err)
	}
	err := command(ctx, "", "go", "run", "./bench", "-quick", "-scenario", c.scenarios, "-peers", "none",
		"-also", baseName+"="+bin, "-rounds", strconv.Itoa(c.rounds), "-for", c.each, "-wrk=false", "-out", c.out).Run()
	if err != nil {
		return fmt.Errorf("the harness: %w", err)
	}
	r, err := read(filepath.Join(c.out, "bench.json"))
	if err != nil {
		return err
	}
	files := c.files("harness")
	for i, proxy := range []string{baseName, peer.SluiceName} {
		if err := os.WriteFile(files[i], []byte(benchmarks(r, proxy)), 0o644); err != nil {
			return err
		}
	}
	return c.stat(ctx, files)
}
