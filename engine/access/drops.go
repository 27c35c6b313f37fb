package access

import (
	"sync/atomic"
	"time"

	"go.uber.org/zap"
)

// reportEvery is the time between two reports of drops.
const reportEvery = time.Second

// drops counts lost lines and remembers how many of them were reported.
type drops struct{ count, told atomic.Uint64 }

func (d *drops) add(n int) { d.count.Add(uint64(n)) }

func (d *drops) untold() bool { return d.count.Load() != d.told.Load() }

// tell returns how many were lost since it was last asked. One asks at a time.
func (d *drops) tell() uint64 {
	n := d.count.Load()
	return n - d.told.Swap(n)
}

// Dropped returns how many lines were lost since the log was opened. A line for
// two targets that both lost it counts twice.
func (l *Log) Dropped() uint64 {
	var n uint64
	for _, s := range *l.sinks.Load() {
		n += s.drops.count.Load()
	}
	for _, c := range *l.carriers.Load() {
		n += c.drops.count.Load()
	}
	return n
}

// lost sees to it that drops are reported soon, and not one by one.
func (l *Log) lost() {
	if l.reporting.CompareAndSwap(false, true) {
		time.AfterFunc(reportEvery, func() {
			l.reporting.Store(false)
			l.report()
		})
	}
}

// report tells the process's own log what was lost since the last report.
func (l *Log) report() {
	l.telling.Lock()
	defer l.telling.Unlock()
	for _, c := range *l.carriers.Load() {
		if n := c.drops.tell(); n > 0 {
			l.logger.Warn("access log: lines dropped, the target is too slow",
				zap.String("target", c.name), zap.Uint64("lines", n), zap.Error(c.trouble()))
		}
	}
	for _, s := range *l.sinks.Load() {
		if n := s.drops.tell(); n > 0 {
			l.logger.Warn("access log: lines dropped, a loop logs faster than they can be sorted",
				zap.Uint64("lines", n))
		}
	}
}
