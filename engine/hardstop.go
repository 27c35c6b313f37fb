package engine

import (
	"time"

	"sluice/engine/session"
	"sluice/pool/stat"
)

// limitDrain stops the process after hard-stop-after, if it is set and sessions are left then.
func (e *Engine) limitDrain() {
	if limit := e.today().Conf.Global.HardStop; limit > 0 {
		e.after(limit, e.Stop)
	}
}

// limitOld ends the sessions of the configurations that are not the newest one after
// hard-stop-after, if the newest one sets it. The time of each begins when a reload sets it first.
func (e *Engine) limitOld() {
	limit := e.today().Conf.Global.HardStop
	if limit == 0 {
		return
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, old := range e.live[:len(e.live)-1] {
		if old.ends.IsZero() {
			old.ends = stat.Clock().Add(limit)
			e.after(limit, func() {
				e.tell(func(l *session.Loop) error { return l.EndSite(old.number, old.site) })
			})
		}
	}
}

// afterwards calls do after a time, unless the loops have ended by then.
func (e *Engine) afterwards(wait time.Duration, do func()) {
	timer := time.NewTimer(wait)
	go func() {
		defer timer.Stop()
		select {
		case <-timer.C:
			do()
		case <-e.over:
		}
	}()
}
