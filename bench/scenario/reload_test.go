package scenario

import (
	"io"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"sluice/bench/load"
	"sluice/bench/measure"
	"sluice/bench/peer"
)

const ms = time.Millisecond

// event returns a reload that took some time.
func event(at, took time.Duration, broken, accepted bool) reloadEvent {
	return reloadEvent{Reloaded: peer.Reloaded{Took: took, Accepted: accepted}, at: at, broken: broken}
}

// TestPool: a slot counts as one with a reload if any reload overlaps it, also one that began
// earlier.
func TestPool(t *testing.T) {
	log := reloadLog{slot: time.Second, events: []reloadEvent{
		event(1000*ms, 100*ms, false, true), event(3010*ms, 1500*ms, false, true),
	}}
	log.events[0].effect = 200 * ms
	var samples []load.Sample
	for i := range 7 {
		due := time.Duration(i)*time.Second + 999*ms
		samples = append(samples, load.Sample{Due: due, Took: time.Duration(i)})
	}
	with, without := log.pool(samples)
	if diff := cmp.Diff([]time.Duration{1, 3, 4}, with); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]time.Duration{0, 2, 5, 6}, without); diff != "" {
		t.Error(diff)
	}
}

func TestQuantile(t *testing.T) {
	var hundred []time.Duration
	for i := range 100 {
		hundred = append(hundred, time.Duration(100-i)*time.Microsecond)
	}
	for _, test := range []struct {
		all  []time.Duration
		q    float64
		want float64
	}{
		{nil, 0.99, 0}, {hundred, 0.99, 99}, {hundred, 0.5, 50}, {hundred, 0.991, 100}, {hundred, 1, 100},
		{hundred, 0, 1}, {[]time.Duration{5 * time.Microsecond}, 0.99, 5},
	} {
		if got := quantile(test.all, test.q); got != test.want {
			t.Errorf("quantile %v of %d values: %v, wanted %v", test.q, len(test.all), got, test.want)
		}
	}
}

// TestReloadFigures: durations of refused reloads are separate, and a reload with the wrong
// outcome is counted and reported.
func TestReloadFigures(t *testing.T) {
	log := reloadLog{slot: time.Second, before: measure.Memory{Resident: 8 << 20, Processes: 2}, after: measure.Memory{Resident: 16 << 20, Processes: 3}}
	for i, took := range []time.Duration{10 * ms, 30 * ms, 20 * ms} {
		log.events = append(log.events, event(time.Duration(2*i+1)*time.Second, took, false, true))
	}
	log.events = append(log.events, event(7*time.Second, 5*ms, true, false), event(9*time.Second, 40*ms, true, true))
	log.events[1].memory = measure.Memory{Resident: 32 << 20, Processes: 4}
	seen := traffic{fresh: &load.Result{Samples: []load.Sample{{Due: 0, Took: 2 * ms}, {Due: 1500 * ms, Took: 3 * ms}}}}
	seen.fresh.Failures.Add(io.EOF)
	got := log.figures(seen)
	for name, want := range map[string]float64{
		"reloads": 5, "reloads_wrong_outcome": 1, "reload_ms": 20, "reload_max_ms": 30, "refusal_ms": 22.5, "refusal_max_ms": 40,
		"rss_mib_before": 8, "rss_mib_after": 16, "rss_mib_max": 32, "processes_max": 4, "processes_after": 3,
		"p99_with_us": 3000, "p99_without_us": 2000, "p99_ratio": 1.5, "conn_lost": 1, "conn_reset": 0,
	} {
		if got[name] != want {
			t.Errorf("%s %v, wanted %v", name, got[name], want)
		}
	}
	if _, has := got["effect_ms"]; has {
		t.Error("a median of no effects")
	}
	notes := strings.Join(log.notes(seen), "\n")
	for _, want := range []string{"reload 5, broken true, accepted true", "new connections failed: 0 refused, 0 reset, 1 lost"} {
		if !strings.Contains(notes, want) {
			t.Errorf("no %q in %q", want, notes)
		}
	}
}
