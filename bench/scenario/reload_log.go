package scenario

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"time"

	"sluice/bench/load"
	"sluice/bench/measure"
	"sluice/bench/peer"
	"sluice/bench/result"
)

// reloadEvent is one reload.
type reloadEvent struct {
	peer.Reloaded
	broken bool          // the file had an error, so it should not be accepted
	at     time.Duration // when it was requested, counted from the start of the load
	// effect is the time from the request until a new connection was served by the new
	// configuration. 0: not measured.
	effect time.Duration
	memory measure.Memory // after the reload, under load
}

// end returns the time at which the reload had its effect, counted like at.
func (e *reloadEvent) end() time.Duration { return e.at + max(e.Took, e.effect) }

// reloadLog contains the reloads of one proxy.
type reloadLog struct {
	slot          time.Duration
	events        []reloadEvent
	before, after measure.Memory // without load, but with the tunnels
	tunnels       tunnels
}

const mib = 1 << 20

// figures returns the metrics of the reloads and of the traffic beside them.
func (g *reloadLog) figures(seen traffic) map[string]float64 {
	f := map[string]float64{
		"reloads": float64(len(g.events)), "reloads_wrong_outcome": float64(len(g.surprises())),
		"conn_refused": float64(seen.fresh.Failures.Refused), "conn_reset": float64(seen.fresh.Failures.Reset),
		"conn_lost": float64(seen.fresh.Failures.Lost), "conn_wrong_bytes": float64(seen.fresh.Failures.Wrong),
		"conn_other": float64(seen.fresh.Failures.Other),
		"kept_req":   float64(seen.kept.Done), "kept_failed": float64(seen.kept.Failures.Sum()),
		"kept_reopened":   float64(seen.kept.Reopened),
		"tunnels_failed":  float64(seen.tunnels.Sum()),
		"download_failed": float64(seen.download.Sum()),
	}
	maps.Copy(f, g.durations())
	maps.Copy(f, g.grown())
	with, without := g.pool(seen.fresh.Samples)
	a, b := quantile(with, 0.99), quantile(without, 0.99)
	f["p50_with_us"], f["p50_without_us"] = quantile(with, 0.5), quantile(without, 0.5)
	f["p99_with_us"], f["p99_without_us"] = a, b
	if b > 0 {
		f["p99_ratio"] = a / b
	}
	return f
}

// durations returns the metrics of the durations, without those for which there was no reload.
func (g *reloadLog) durations() map[string]float64 {
	f := map[string]float64{}
	add := func(name string, of func(*reloadEvent) time.Duration, wanted func(*reloadEvent) bool) {
		var all []float64
		for i := range g.events {
			if e := &g.events[i]; wanted(e) {
				all = append(all, of(e).Seconds()*1e3)
			}
		}
		if m := result.Of(all); m != nil {
			f[name+"_ms"], f[name+"_max_ms"] = m.Median, m.Max
		}
	}
	took := func(e *reloadEvent) time.Duration { return e.Took }
	add("reload", took, func(e *reloadEvent) bool { return !e.broken })
	add("refusal", took, func(e *reloadEvent) bool { return e.broken })
	add("effect", func(e *reloadEvent) time.Duration { return e.effect }, func(e *reloadEvent) bool { return e.effect > 0 })
	return f
}

// grown returns the metrics of the memory and of the number of processes.
func (g *reloadLog) grown() map[string]float64 {
	f := map[string]float64{
		"rss_mib_before": float64(g.before.Resident) / mib, "rss_mib_after": float64(g.after.Resident) / mib,
		"pss_mib_before": float64(g.before.Proportional) / mib, "pss_mib_after": float64(g.after.Proportional) / mib,
		"processes_before": float64(g.before.Processes), "processes_after": float64(g.after.Processes),
	}
	for i, e := range g.events {
		f["rss_mib_max"] = max(f["rss_mib_max"], float64(e.memory.Resident)/mib)
		f["processes_max"] = max(f["processes_max"], float64(e.memory.Processes))
		switch i + 1 {
		case 10:
			f["rss_mib_loaded_10"] = float64(e.memory.Resident) / mib
		case len(g.events):
			f["rss_mib_loaded_last"] = float64(e.memory.Resident) / mib
		}
	}
	return f
}

// pool divides the latencies of all exchanges. with contains those of exchanges that were due in a
// slot in which a reload was under way, and without the others.
func (g *reloadLog) pool(samples []load.Sample) (with, without []time.Duration) {
	busy := map[time.Duration]bool{}
	for i := range g.events {
		e := &g.events[i]
		for at := e.at / g.slot; at <= e.end()/g.slot; at++ {
			busy[at] = true
		}
	}
	for _, s := range samples {
		if busy[s.Due/g.slot] {
			with = append(with, s.Took)
		} else {
			without = append(without, s.Took)
		}
	}
	return with, without
}

// quantile returns the q-quantile in microseconds, which is one of the values: at least the share
// q of all values is not above it. It sorts the values. Without values it returns 0.
func quantile(all []time.Duration, q float64) float64 {
	if len(all) == 0 {
		return 0
	}
	slices.Sort(all)
	at := int(math.Ceil(q*float64(len(all)))) - 1
	return float64(all[max(0, at)]) / float64(time.Microsecond)
}

// surprises returns the reloads of a good file that were refused, and those of a broken one that
// were accepted.
func (g *reloadLog) surprises() []int {
	var all []int
	for i, e := range g.events {
		if e.Accepted == e.broken {
			all = append(all, i)
		}
	}
	return all
}

// notes returns messages about all that failed.
func (g *reloadLog) notes(seen traffic) []string {
	var all []string
	for _, i := range g.surprises() {
		e := &g.events[i]
		all = append(all, fmt.Sprintf("reload %d, broken %v, accepted %v: %.300s", i+1, e.broken, e.Accepted, e.Said))
	}
	for _, of := range []struct {
		name     string
		failures load.Failures
	}{
		{"new connections", seen.fresh.Failures}, {"kept requests", seen.kept.Failures},
		{"download", seen.download}, {"tunnels", seen.tunnels},
	} {
		if of.failures.Sum() > 0 {
			all = append(all, fmt.Sprintf("%s failed: %s", of.name, &of.failures))
		}
	}
	return all
}

// memory returns the memory of all processes of the proxy.
func memory(t *Target) measure.Memory { return measure.MemoryOf(t.PIDs()) }

// calm returns the memory when it has not changed for half a second, or after 10 s. Processes
// that end, and the garbage collector, change it after the load.
func calm(t *Target) measure.Memory {
	last, same := measure.Memory{}, 0
	for tries := 0; same < 5 && tries < 100; tries++ {
		time.Sleep(100 * time.Millisecond)
		now := memory(t)
		same++
		if now != last {
			last, same = now, 0
		}
	}
	return last
}
