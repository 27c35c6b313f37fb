package main

import (
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"sluice/bench/result"
)

// TestMain is also the whole command, for the origin's sake.
func TestMain(m *testing.M) {
	if len(os.Args) == 2 && os.Args[1] == "-serve-origin" {
		main()
		return
	}
	os.Exit(m.Run())
}

func TestOptions(t *testing.T) {
	o, err := parse([]string{"-quick", "-also", "a=/bin/true", "-also", "b=/bin/true"}, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	if o.rounds != 3 || o.each != time.Second/2 || len(o.also) != 2 || !o.wanted()["floor"] {
		t.Errorf("%+v", o)
	}
	for _, bad := range []string{"x", "-scenario x", "-peers envoy", "-rounds -1", "-for -1s", "-for x"} {
		if _, err := parse(strings.Fields(bad), io.Discard); err == nil {
			t.Errorf("no error for %q", bad)
		}
	}
}

// TestSmoke is one very short round of conn-rate with everybody who is here.
func TestSmoke(t *testing.T) {
	out := t.TempDir()
	o, err := parse([]string{"-scenario", "conn-rate,reload", "-quick", "-rounds", "1", "-for", "100ms",
		"-strace=false", "-wrk=false", "-out", out}, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	if err := o.run(t.Context()); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(out, "bench.json"))
	if err != nil {
		t.Fatal(err)
	}
	var got result.Report
	if err := json.Unmarshal(text, &got); err != nil {
		t.Fatal(err)
	}
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

// here are the proxies that can take part.
func here() []string {
	names := []string{"sluice"}
	for program, name := range map[string]string{"haproxy": "haproxy", "gcc": "floor"} {
		if _, err := exec.LookPath(program); err == nil {
			names = append(names, name)
		}
	}
	return names
}
