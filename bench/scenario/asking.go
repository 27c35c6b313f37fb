package scenario

import (
	"errors"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"sluice/bench/load"
)

// asking is the Work of exchanges. It is a closed loop or, with a rate, an open one.
type asking struct {
	kind    kind
	clients int     // connections at the same time, see load.Plan
	rate    float64 // exchanges per second; 0: a closed loop
	held    int     // connections that are kept open during the work
	slow    bool    // each held connection sends one byte per second
	latency bool    // the metrics include the latency
}

// Unit returns "req" if connections are kept, else "conn".
func (a *asking) Unit() string {
	if a.kind == kept {
		return "req"
	}
	return "conn"
}

// Check makes exchanges for a short time. Every answer is compared, as in Do.
func (a *asking) Check(t *Target) error {
	plan, err := a.plan(t)
	if err != nil {
		return err
	}
	plan.Rate, plan.For = 0, 200*time.Millisecond
	_, err = load.Run(plan)
	return err
}

func (a *asking) plan(t *Target) (load.Plan, error) {
	all, err := exchanges(a.kind, t.Running)
	if err == nil && t.Site.HTTP {
		err = inOwnWords(all, t.Addr)
	}
	return load.Plan{Addr: t.Addr, Exchanges: all, Clients: a.clients, Keep: a.kind == kept, Rate: a.rate}, err
}

// Do opens the held connections, if any, and makes exchanges at the same time.
func (a *asking) Do(t *Target, m *Meter, d time.Duration) (done *Done, err error) {
	plan, err := a.plan(t)
	if err != nil {
		return nil, err
	}
	held, err := a.hold(t)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, held.Close()) }()
	if a.slow {
		held.Drip()
	}
	plan.For, plan.Started = d, m.Start
	lines, dripped := t.Sink.Lines(), held.Dripped()
	r, err := load.Run(plan)
	m.Stop()
	if err != nil {
		return nil, err
	}
	done = &Done{Units: float64(r.Done), Elapsed: r.Elapsed, Extra: map[string]float64{}}
	if a.slow {
		done.Extra["dripped_bytes_per_s"] = float64(held.Dripped()-dripped) / r.Elapsed.Seconds()
	}
	if t.Site.Log.IsValid() {
		done.Extra["log_lines_per_conn"] = float64(t.Sink.Await(lines, r.Done)) / done.Units
	}
	if a.latency {
		quantiles(done.Extra, r.Latency)
	}
	return done, nil
}

func (a *asking) hold(t *Target) (*load.Held, error) {
	k := kept
	if a.slow {
		k = drip
	}
	first, err := exchanges(k, t.Running)
	if err != nil {
		return nil, err
	}
	return load.Hold(t.Addr, first[0], a.held)
}

// latencies are the metrics of latency, with their percentiles.
var latencies = map[string]float64{"p50_us": 50, "p99_us": 99, "p999_us": 99.9}

func quantiles(into map[string]float64, h *hdrhistogram.Histogram) {
	for name, q := range latencies {
		into[name] = float64(h.ValueAtQuantile(q)) / 1e3
	}
}
