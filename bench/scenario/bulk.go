package scenario

import (
	"time"

	"sluice/bench/load"
	"sluice/bench/peer"
)

// moving is the work of bulk.
type moving struct {
	down, up int64
	streams  int
}

// Unit is 10^9 bytes, of both directions together.
func (*moving) Unit() string { return "gb" }

// Check moves a little in the same way and compares every byte.
func (w *moving) Check(t *Target) error {
	_, err := w.transfer(t, 1<<20*int64(w.streams)).Run(true)
	return err
}

// transfer is the work, with at most so many bytes in each direction.
func (w *moving) transfer(t *Target, most int64) load.Transfer {
	return load.Transfer{
		Addr: t.Addr, Host: peer.Name(0), Streams: w.streams, Down: min(w.down, most), Up: min(w.up, most),
	}
}

// traced is how much is moved under strace.
const traced = 64 << 20

// Do moves everything, whatever the time; under strace, a part.
func (w *moving) Do(t *Target, m *Meter, _ time.Duration) (*Done, error) {
	job := w.transfer(t, 1<<62)
	if m.strace != "" {
		job = w.transfer(t, traced)
	}
	m.Start()
	took, err := job.Run(false)
	m.Stop()
	return &Done{Units: float64(job.Down+job.Up) / 1e9, Elapsed: took}, err
}
