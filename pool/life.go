package pool

import (
	"sync/atomic"

	"sluice/pool/stat"
)

// life records when a server or backend last went up or down, how often it went down, and for
// how long. Changes are made under the backend's mutex. Any goroutine may read; a reader during
// a change may get one inconsistent value.
type life struct {
	since   atomic.Int64 // stat.Now of the last change of state
	down    atomic.Bool
	downs   stat.Counter
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
