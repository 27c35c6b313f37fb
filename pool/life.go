package pool

import (
	"sync/atomic"

	"sluice/pool/stat"
)

// life records the changes of a server or backend between up and down: the time of the last change,
// the number of changes to down, and the total time down. Changes are made while Backend.mu is
// held. Any goroutine may read. The values that one reader gets during a change may be
// inconsistent.
type life struct {
	since   atomic.Int64 // stat.Now of the last change of state, or of the start
	down    atomic.Bool  // present state
	downs   stat.Counter // number of changes from up to down
	downFor stat.Counter // milliseconds, without the current time down
}

// turn records at time now that the state has changed. down is the new state.
func (l *life) turn(now int64, down bool) {
	switch was := l.down.Load(); {
	case was:
		l.downFor.Add(now - l.since.Load())
	case down:
		l.downs.Inc()
	}
	l.down.Store(down)
	l.since.Store(now)
}

// age returns the milliseconds since the last change.
func (l *life) age(now int64) int64 { return max(now-l.since.Load(), 0) }

// downtime returns the milliseconds down in total, the current time down included.
func (l *life) downtime(now int64) int64 {
	if l.down.Load() {
		return l.downFor.Load() + l.age(now)
	}
	return l.downFor.Load()
}
