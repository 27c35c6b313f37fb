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

func (l *life) goDown(now int64) {
	l.since.Store(now)
	l.downs.Inc()
	l.down.Store(true)
}

func (l *life) goUp(now int64) {
	l.downFor.Add(now - l.since.Load())
	l.down.Store(false)
	l.since.Store(now)
}

func (l *life) age(now int64) int64 { return max(now-l.since.Load(), 0) }

func (l *life) downtime(now int64) int64 {
	if l.down.Load() {
		return l.downFor.Load() + l.age(now)
	}
	return l.downFor.Load()
}
