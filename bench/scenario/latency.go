package scenario

import (
	"fmt"
	"math"
	"time"

	"sluice/bench/peer"
	"sluice/bench/result"
)

// share is the part of HAProxy's capacity that is the rate for measuring latency.
const share = 0.6

// crowd is the highest number of open connections if each exchange has its own connection. Only
// a proxy that stalls needs so many.
const crowd = 1000

func latency(s Scale) []*Variant {
	conns := scheduled(short, crowd, "conn")
	requests := scheduled(kept, 64, "req")
	if s.Quick {
		return []*Variant{conns}
	}
	return []*Variant{conns, requests}
}

func scheduled(k kind, clients int, of string) *Variant {
	w := &asking{kind: k, clients: clients, latency: true}
	v := &Variant{
		Params: map[string]any{"of": of, "clients": clients}, Headline: "added_p99_us", Untraced: true,
		Wants: func(p peer.Peer) bool { return plain(p) || p.Name() == peer.DirectName },
		Site:  peer.Site{Route: peer.Host, Rules: 2, MaxConn: fewConns},
		Work:  w,
	}
	v.Prepare = func(l *Lab, targets []*Target) error {
		of, capacity, err := l.capacity(k, targets)
		if err != nil {
			return err
		}
		w.rate = math.Round(capacity*share/100) * 100
		v.Params["rate"], v.Params["capacity"], v.Params["capacity_of"] = w.rate, math.Round(capacity), of
		return nil
	}
	return v
}

// capacity returns the exchanges per second that HAProxy completes in a closed loop with 64
// clients, the median of three runs. Without HAProxy it measures Sluice. of is the name of the
// measured proxy.
func (l *Lab) capacity(k kind, targets []*Target) (of string, perSecond float64, err error) {
	var t *Target
	for _, at := range targets {
		if at.Name() == "haproxy" || t == nil && at.Name() == peer.SluiceName {
			t = at
		}
	}
	if t == nil {
		return "", 0, fmt.Errorf("nobody to measure the capacity of, wanted haproxy or %s", peer.SluiceName)
	}
	busy := &run{Variant: &Variant{Work: &asking{kind: k, clients: 64}}}
	var rates []float64
	for range 3 {
		figures, err := l.work(busy, t, min(l.For, 2*time.Second))
		if err != nil {
			return "", 0, fmt.Errorf("capacity of %s: %w", t.Name(), err)
		}
		rates = append(rates, figures[busy.Work.Unit()+"_per_s"])
	}
	return t.Name(), result.Of(rates).Median, nil
}
