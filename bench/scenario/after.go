package scenario

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"sluice/bench/measure"
	"sluice/bench/peer"
)

// after makes the runs that are not timed: the count of system calls, and wrk.
func (l *Lab) after(r *run) error {
	for _, t := range r.targets {
		if r.Fresh || t.Name() == peer.DirectName {
			continue
		}
		if l.Strace && !r.Untraced {
			if err := l.trace(r, t); err != nil {
				return fmt.Errorf("system calls of %s: %w", t.Name(), err)
			}
		}
		if l.Wrk && r.Wrk != nil {
			if err := l.wrk(r, t); err != nil {
				return fmt.Errorf("wrk at %s: %w", t.Name(), err)
			}
		}
	}
	return nil
}

// moment is the duration of a run under strace, which makes a proxy many times slower.
const moment = time.Second / 2

// trace counts the proxy's system calls per unit of work.
func (l *Lab) trace(r *run, t *Target) error {
	m := &Meter{pids: t.PIDs(), strace: l.Dir}
	done, err := r.Work.Do(t, m, moment)
	if err = errors.Join(err, m.err); err != nil {
		return err
	}
	all, io := measure.Count(m.calls)
	r.result.Proxy(t.Name()).Add(map[string]float64{
		"syscalls_per_" + r.Work.Unit():     float64(io) / done.Units,
		"syscalls_all_per_" + r.Work.Unit(): float64(all) / done.Units,
	})
	l.Say("%s %s, system calls: %s %s", r.result.Name, Words(r.Params), t.Name(), most(m.calls, done.Units))
	return nil
}

// most returns the calls that occur at least once per ten units, as text.
func most(calls map[string]int64, units float64) string {
	names := slices.SortedFunc(maps.Keys(calls), func(a, b string) int { return int(calls[b] - calls[a]) })
	var words []string
	for _, name := range names {
		if each := float64(calls[name]) / units; each >= 0.1 {
			words = append(words, fmt.Sprintf("%s %.2f", name, each))
		}
	}
	return strings.Join(words, ", ")
}

// wrk measures the proxy with wrk instead of our generator.
func (l *Lab) wrk(r *run, t *Target) error {
	job := *r.Wrk
	job.Addr, job.Host, job.For = t.Addr, peer.Name(0), l.For
	m := &Meter{pids: t.PIDs()}
	m.Start()
	w, err := job.Run()
	m.Stop()
	if err = errors.Join(err, m.err); err != nil {
		return err
	}
	figures := m.figures(r.Work.Unit(), &Done{Units: float64(w.Done), Elapsed: w.Elapsed})
	r.result.Proxy(t.Name()).Add(map[string]float64{
		"wrk_cpu_us_per_" + r.Work.Unit(): figures["cpu_us_per_"+r.Work.Unit()],
		"wrk_" + r.Work.Unit() + "_per_s": figures[r.Work.Unit()+"_per_s"],
	})
	l.Say("%s %s, wrk: %s %s", r.result.Name, Words(r.Params), t.Name(), shown(figures, "cpu_us_per_"+r.Work.Unit()))
	return nil
}

// Words returns parameters as text, as in a report: clients=64 log=off.
func Words(params map[string]any) string {
	var words []string
	for _, name := range slices.Sorted(maps.Keys(params)) {
		words = append(words, fmt.Sprintf("%s=%v", name, params[name]))
	}
	return strings.Join(words, " ")
}
