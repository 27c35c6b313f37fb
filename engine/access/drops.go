package access

import (
	"sync/atomic"
	"time"

	"go.uber.org/zap"
)

// reportEvery is the time between two reports of dropped lines.
const reportEvery = time.Second

// drops counts dropped lines, and how many of them were reported.
type drops struct{ count, reported atomic.Uint64 }

func (d *drops) add(n int) { d.count.Add(uint64(n)) }

func (d *drops) unreported() bool { return d.count.Load() != d.reported.Load() }

// takeUnreported returns the number of lines dropped since the last call. The caller must hold
// Log.reportMu.
func (d *drops) takeUnreported() uint64 {
	n := d.count.Load()
	return n - d.reported.Swap(n)
}

// Dropped returns the number of lines dropped since the log was opened. A line that two targets
// dropped counts twice.
func (l *Log) Dropped() uint64 {
	n := l.dropped.Load()
	for _, s := range *l.sinks.Load() {
		n += s.drops.count.Load()
	}
	return n
}

// lost schedules a report of dropped lines, unless one is already scheduled. So many drops give one
// report.
func (l *Log) lost() {
	if l.reporting.CompareAndSwap(false, true) {
		time.AfterFunc(reportEvery, func() {
			l.reporting.Store(false)
			l.report()
		})
	}
}

// report writes the number of lines dropped since the last report to the process log.
func (l *Log) report() {
	l.reportMu.Lock()
	defer l.reportMu.Unlock()
	for _, c := range *l.carriers.Load() {
		if n := c.drops.takeUnreported(); n > 0 {
			l.logger.Warn("access log: lines dropped, the target is too slow",
				zap.String("target", c.name), zap.Uint64("lines", n), zap.Error(c.trouble()))
		}
	}
	for _, s := range *l.sinks.Load() {
		if n := s.drops.takeUnreported(); n > 0 {
			l.logger.Warn("access log: lines dropped, a loop logs faster than they can be sorted",
				zap.Uint64("lines", n))
		}
	}
}
