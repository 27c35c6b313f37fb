package main

import (
	"context"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"sluice/bench/measure"
	"sluice/bench/result"
	"sluice/bench/scenario"
)

// TestMain can also run the whole command, because the origin is this program again.
func TestMain(m *testing.M) {
	if len(os.Args) == 2 && os.Args[1] == "-serve-origin" {
		main()
		return
	}
	// A scenario that is skipped, for tests of runs without results.
	scenario.All = append(scenario.All, scenario.Scenario{Name: "later", Skip: "not yet"})
	os.Exit(m.Run())
}

func TestOptions(t *testing.T) {
	o, err := parse([]string{"-quick", "-also", "a=x", "-also", "b=x"}, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	if o.rounds != 3 || o.each != time.Second/2 || len(o.also) != 2 || !o.wanted()["floor"] {
		t.Errorf("%+v", o)
	}
	for _, bad := range []string{"x", "-scenario x", "-peers envoy", "-rounds -1", "-for -1s", "-for x", "-rounds 0", "-for 0s"} {
		if _, err := parse(strings.Fields(bad), io.Discard); err == nil {
			t.Errorf("no error for %q", bad)
		}
	}
}

// TestEndsBeforeItBegins: wrong settings are reported before the run, with the flag's name.
func TestEndsBeforeItBegins(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	for flags, want := range map[string]string{
		"-json /no/such/x.json":          "/no/such/x.json",
		"-out " + file + "/x":            "-out " + file + "/x",
		"-bin /no/such":                  "/no/such",
		"-bin " + file:                   file,
		"-bin /bin/true":                 "wanted sluice",
		"-also x=/bin/true":              "-also",
		"-haproxy /no/such":              "-haproxy",
		"-haproxy /bin/true -peers none": "wanted HAProxy version",
		"-also sluice=SLUICE":            "by the name of 'sluice'",
		"-also a=SLUICE -also a=SLUICE":  "by the name of 'a'",
	} {
		words := strings.Fields("-bin SLUICE -peers none -scenario later -out " + t.TempDir() + " " + flags)
		for i := range words {
			words[i] = strings.Replace(words[i], "SLUICE", pretending(t), 1)
		}
		o, err := parse(words, io.Discard)
		if err == nil {
			err = o.run(t.Context())
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, wanted %q", flags, err, want)
		}
	}
}

// TestNothingIsAList: without results the JSON has an empty list, not null, because jq needs a
// list.
func TestNothingIsAList(t *testing.T) {
	out := t.TempDir()
	o, err := parse([]string{"-bin", pretending(t), "-peers", "none", "-scenario", "later", "-strace=false", "-out", out}, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	if err := o.run(t.Context()); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(out, "bench.json"))
	if err != nil || !strings.Contains(string(text), `"scenarios": []`) {
		t.Errorf("%s %v, wanted an empty list of scenarios", text, err)
	}
}

// TestInterrupt: after an interrupt the error names the written results, and no process
// remains.
func TestInterrupt(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	o, err := parse([]string{"-scenario", "later,conn-rate", "-quick", "-strace=false", "-out", t.TempDir()}, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	o.files = 20000
	if err := o.run(ctx); err == nil || !strings.Contains(err.Error(), "interrupted in conn-rate: ") {
		t.Errorf("%v, wanted where it was interrupted", err)
	}
	if left := measure.Tree(os.Getpid()); len(left) != 1 {
		t.Errorf("processes %v are left", left)
	}
}

// pretending returns a script that prints the version of Sluice.
func pretending(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "sluice")
	if err := os.WriteFile(path, []byte("#!/bin/sh\necho sluice 1.2\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestSmoke is one very short round of conn-rate with all installed proxies.
func TestSmoke(t *testing.T) {
	out := t.TempDir()
	o, err := parse([]string{"-scenario", "conn-rate,later", "-quick", "-rounds", "1", "-for", "100ms",
		"-strace=false", "-wrk=false", "-out", out}, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	o.files = 20000
	if err := o.run(t.Context()); err != nil {
		t.Fatal(err)
	}
	got := results(t, out)
	if len(got.Scenarios) != 2 {
		t.Fatalf("%d variants, wanted two of conn-rate", len(got.Scenarios))
	}
	for _, v := range got.Scenarios {
		for _, name := range here() {
			p := v.Find(name)
			if p == nil || p.Metrics["cpu_us_per_conn"].Median <= 0 || p.Metrics["conn_per_s"].Median <= 0 {
				t.Errorf("%v: %s has no figures: %+v", v.Params, name, p)
			}
		}
	}
	for _, file := range []string{"report.md", "conn-rate.svg"} {
		if _, err := os.Stat(filepath.Join(out, file)); err != nil {
			t.Error(err)
		}
	}
}

// here returns the names of the proxies that can take part on this machine.
func here() []string {
	names := []string{"sluice"}
	for program, name := range map[string]string{"haproxy": "haproxy", "gcc": "floor"} {
		if _, err := exec.LookPath(program); err == nil {
			names = append(names, name)
		}
	}
	return names
}

// TestReloadSmoke is the scenario reload with very short slots: nothing may be lost.
func TestReloadSmoke(t *testing.T) {
	out := t.TempDir()
	o, err := parse([]string{"-scenario", "reload", "-quick", "-for", "100ms", "-peers", "haproxy", "-strace=false", "-out", out}, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	o.files = 20000
	if err := o.run(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, v := range results(t, out).Scenarios {
		m := v.Find("sluice").Metrics
		if m["reloads"].Median < 1 {
			t.Errorf("%v: no reloads", v.Params)
		}
		for _, name := range []string{
			"reloads_wrong_outcome", "conn_refused", "conn_reset", "conn_lost", "conn_wrong_bytes", "kept_failed", "tunnels_failed", "download_failed",
		} {
			if m[name].Median != 0 {
				t.Errorf("%v: %v %s", v.Params, m[name].Median, name)
			}
		}
	}
}

// results reads the JSON file in a directory.
func results(t *testing.T, out string) *result.Report {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(out, "bench.json"))
	if err != nil {
		t.Fatal(err)
	}
	var got result.Report
	if err := json.Unmarshal(text, &got); err != nil {
		t.Fatal(err)
	}
	return &got
}
