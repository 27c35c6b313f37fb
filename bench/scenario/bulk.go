package scenario

import (
	"time"

	"sluice/bench/load"
	"sluice/bench/peer"
)

// moving is the Work of moving many bytes.
type moving struct {
	down, up int64 // bytes in each direction, all streams together
	streams  int   // connections at the same time
}

// Unit returns "gb": 10^9 bytes, both directions together.
func (*moving) Unit() string { return "gb" }

// Check moves few bytes in the same way and compares each of them.
func (w *moving) Check(t *Target) error {
	_, err := w.transfer(t, 1<<20*int64(w.streams)).Run(true)
	return err
}

// transfer returns the work as a Transfer, with at most most bytes in each direction.
func (w *moving) transfer(t *Target, most int64) load.Transfer {
	return load.Transfer{
		Addr: t.Addr, Host: peer.Name(0), Streams: w.streams, Down: min(w.down, most), Up: min(w.up, most),
	}
}

// traced is the number of bytes that are moved in each direction under strace.
const traced = 64 << 20

// Do moves all bytes and ignores the time; under strace it moves only a part of them.
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
