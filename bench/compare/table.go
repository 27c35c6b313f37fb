package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"

	"sluice/bench/result"
)

// baseName is the name of the other version's build in the harness.
const baseName = "base"

// read reads the JSON file of the harness.
func read(path string) (*result.Report, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var r result.Report
	if err := json.Unmarshal(text, &r); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return &r, nil
}

// benchmarks returns a proxy's CPU time in the format of Go benchmarks for benchstat, one line
// per round and variant.
func benchmarks(r *result.Report, proxy string) string {
	var b strings.Builder
	for _, v := range r.Scenarios {
		p := v.Find(proxy)
		if p == nil {
			continue
		}
		for _, metric := range slices.Sorted(maps.Keys(p.Metrics)) {
			if !strings.HasPrefix(metric, "cpu_us_") && !strings.HasPrefix(metric, "cpu_ms_") {
				continue
			}
			for _, run := range p.Metrics[metric].Runs {
				fmt.Fprintf(&b, "Benchmark%s 1 %g %s\n", name(v), run, metric)
			}
		}
	}
	return b.String()
}

// name returns the name of a benchmark with sub-benchmarks: Conn-rate/clients=64/log=off.
func name(v *result.Variant) string {
	words := []string{strings.ToUpper(v.Name[:1]) + v.Name[1:]}
	for _, param := range slices.Sorted(maps.Keys(v.Params)) {
		words = append(words, fmt.Sprintf("%s=%v", param, v.Params[param]))
	}
	return strings.Join(words, "/")
}
