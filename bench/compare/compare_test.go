package main

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"sluice/bench/result"
)

func TestBenchmarks(t *testing.T) {
	v := &result.Variant{Name: "conn-rate", Params: map[string]any{"log": "off", "clients": 64}}
	v.Proxy("sluice").Add(map[string]float64{"cpu_us_per_conn": 70, "cpu_user_us_per_conn": 7, "conn_per_s": 1})
	v.Proxy("sluice").Add(map[string]float64{"cpu_us_per_conn": 72.5, "cpu_user_us_per_conn": 8, "conn_per_s": 2})
	v.Proxy(baseName).Add(map[string]float64{"cpu_us_per_conn": 80})
	r := &result.Report{Scenarios: []*result.Variant{v}}
	want := "BenchmarkConn-rate/clients=64/log=off 1 70 cpu_us_per_conn\n" +
		"BenchmarkConn-rate/clients=64/log=off 1 72.5 cpu_us_per_conn\n"
	if got := benchmarks(r, "sluice"); got != want {
		t.Errorf("%s, wanted %s", got, want)
	}
	if got := benchmarks(r, "nobody"); got != "" {
		t.Errorf("%s of nobody", got)
	}
}

// TestTheSame compares the last commit with the working tree, in a very short run.
func TestTheSame(t *testing.T) {
	t.Chdir("../..")
	c := quick(t, "HEAD")
	if err := c.run(t.Context()); err != nil {
		t.Fatal(err)
	}
	r, err := read(filepath.Join(c.out, "bench.json"))
	if err != nil {
		t.Fatal(err)
	}
	for _, build := range []string{"sluice", baseName} {
		if lines := benchmarks(r, build); !strings.Contains(lines, "BenchmarkConn-rate/clients=64/log=off 1 ") {
			t.Errorf("%s has no figures: %s", build, lines)
		}
	}
	gone(t, c)
}

func TestNoSuchVersion(t *testing.T) {
	t.Chdir("../..")
	c := quick(t, "no-such-version")
	if err := c.run(t.Context()); err == nil || !strings.Contains(err.Error(), "no-such-version") {
		t.Errorf("%v, wanted the version by name", err)
	}
	gone(t, c)
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if c = quick(t, "HEAD"); c.run(ended) == nil {
		t.Error("no error after an interrupt")
	}
	gone(t, c)
}

// TestFailedCommandIsHeard: the error of a failed benchmark contains its output.
func TestFailedCommandIsHeard(t *testing.T) {
	err := appendTo(filepath.Join(t.TempDir(), "out"), command(t.Context(), "", "sh", "-c", "echo because; exit 3"))
	if err == nil || !strings.Contains(err.Error(), "because") {
		t.Errorf("%v, wanted what the command said", err)
	}
}

// quick returns the shortest comparison. It needs no downloads.
func quick(t *testing.T, ref string) *compare {
	t.Helper()
	worktrees(t)
	return &compare{
		ref: ref, count: 0, rounds: 1, each: "50ms", scenarios: "conn-rate", out: t.TempDir(), benchstat: []string{"true"},
	}
}

// gone checks that the directory and the worktree were removed.
func gone(t *testing.T, c *compare) {
	t.Helper()
	if _, err := os.Stat(c.dir); c.dir == "" || !os.IsNotExist(err) {
		t.Errorf("%s is left: %v", c.dir, err)
	}
	if trees := worktrees(t); strings.Contains(trees, c.dir) {
		t.Errorf("%s is left of %s", c.dir, trees)
	}
}

// worktrees returns the list of the repository's git worktrees. It skips the test if there is
// no repository.
func worktrees(t *testing.T) string {
	t.Helper()
	out, err := exec.Command("git", "worktree", "list").Output()
	if err != nil {
		t.Skip("needs the repository's git: ", err)
	}
	return string(out)
}
