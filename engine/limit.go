package engine

import (
	"sluice/engine/site"
	"sluice/pool/stat"
)

// setLimits sets maxconn of the frontends to the values of the site's configuration.
func (e *Engine) setLimits(s *site.Site) {
	for _, f := range s.Frontends {
		e.setMax(&f.Limit, f.Conf.MaxConn)
	}
}

// setMax sets the maximum of a limit; 0 means no limit. For each place that this makes free, it
// wakes a loop that waits for the limit. It may be called from any goroutine.
func (e *Engine) setMax(limit *stat.Limit, most int) {
	e.gate.RLock()
	defer e.gate.RUnlock()
	wake := limit.SetMax(most)
	if e.closed {
		return
	}
	for _, loop := range wake {
		e.Wake(loop, limit)
	}
}
