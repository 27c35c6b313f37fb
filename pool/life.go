package pool

import (
	"sync/atomic"

	"sluice/engine/stat"
)

// life remembers when something last went up or down, how often it went down
// and for how long. It is changed under the backend's mutex and read anywhere;
// a reader may see a flip half done and be off by it for one answer.
type life struct {
	since   atomic.Int64 // stat.Now of the last flip
	down    atomic.Bool
	downs   stat.Counter
	downFor stat.Counter // milliseconds, without the running spell
}

// turn ends one spell at now and begins the next.
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

func (l *life) age(now int64) int64 { return max(now-l.since.Load(), 0) }

func (l *life) downtime(now int64) int64 {
	if l.down.Load() {
		return l.downFor.Load() + l.age(now)
	}
	return l.downFor.Load()
}
