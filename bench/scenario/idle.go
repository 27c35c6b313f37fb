package scenario

import (
	"errors"
	"fmt"
	"time"

	"sluice/bench/load"
	"sluice/bench/measure"
)

// resting is the Work of keeping idle connections open. Its result is the memory per
// connection.
type resting struct {
	held int // connections
}

// Unit returns "conn".
func (*resting) Unit() string { return "conn" }

// first is the number of connections that are opened and closed before the memory is read. So
// the result does not include memory that a process needs only once.
const first = 100

// Check opens and closes first connections.
func (w *resting) Check(t *Target) error {
	held, err := w.hold(t, first)
	if err != nil {
		return err
	}
	return held.Close()
}

func (w *resting) hold(t *Target, n int) (*load.Held, error) {
	all, err := exchanges(kept, t.Running)
	if err != nil {
		return nil, err
	}
	return load.Hold(t.Addr, all[0], n)
}

// Do opens the connections and reads the memory when it no longer changes.
func (w *resting) Do(t *Target, m *Meter, _ time.Duration) (done *Done, err error) {
	before, err := settled(t.PIDs())
	if err != nil {
		return nil, err
	}
	began := time.Now()
	m.Start()
	held, err := w.hold(t, w.held)
	m.Stop()
	if err != nil {
		return nil, err
	}
	took := time.Since(began)
	defer func() { err = errors.Join(err, held.Close()) }()
	after, err := settled(t.PIDs())
	if err != nil {
		return nil, err
	}
	return &Done{Units: float64(w.held), Elapsed: took, Extra: map[string]float64{
		"rss_bytes_per_conn": float64(after-before) / float64(w.held),
		"rss_base_kib":       float64(before >> 10),
	}}, nil
}

// settled returns the memory of the processes once it has not changed for half a second.
func settled(pids []int) (int64, error) {
	again := time.NewTicker(100 * time.Millisecond)
	defer again.Stop()
	late := time.After(10 * time.Second)
	last, same := int64(-1), 0
	for same < 5 {
		now, err := measure.Resident(pids)
		if err != nil {
			return 0, err
		}
		same++
		if now != last {
			last, same = now, 0
		}
		select {
		case <-again.C:
		case <-late:
			return 0, fmt.Errorf("memory still changes after 10 s: %d bytes", now)
		}
	}
	return last, nil
}
