//go:build simulation

package engine

import (
	"fmt"
	"slices"
	"time"

	"sluice/engine/session"
)

// hardStopAfter sets hard-stop-after in the configuration of a reload, in worlds whose connections may
// end at any time.
func hardStopAfter(t *turn[*simReload]) {
	if !t.scene.hardStops {
		return
	}
	line := "hard-stop-after " + milliseconds(time.Duration(1+t.IntN(1<<t.IntN(12)))*time.Millisecond)
	t.of.edit(func(d *draft) { (*d)[0].replace("hard-stop-after", line) })
}

// doAfter is Engine.after on the clock of the model.
func (x *simulation) doAfter(wait time.Duration, do func()) {
	x.kernel.After(wait, func() {
		if slices.Contains(x.ended, false) {
			x.chores = append(x.chores, do)
		}
	})
}

// mayStop reports whether the balancer may end all sessions, or those of old configurations.
func (s *scene) mayStop() bool { return s.finale.stop || s.hardStops }

// limitEras is called when a configuration with this hard-stop-after becomes the newest one. It sets
// the time at which the sessions of those before end. 0: hard-stop-after is not set.
func (x *simulation) limitEras(limit time.Duration) {
	for _, e := range x.eras {
		if limit > 0 && e.ends == 0 {
			e.ends = x.kernel.Now() + limit
		}
	}
}

// checkHardStop: no session of an old configuration goes on after its time. It may still be sending its
// last bytes.
func (x *simulation) checkHardStop() {
	for i, l := range x.engine.Loops {
		if x.ended[i] {
			continue
		}
		l.Sessions.Each(func(id int32) {
			v := l.Visit(id)
			at := slices.IndexFunc(x.eras, func(e *era) bool { return e.site == v.Site })
			if e := x.eras[at]; e.ends > 0 && x.kernel.Now() > e.ends && v.S.State != session.Leaving {
				x.failf("quiet: a session of loop %d uses configuration %s at %v, and hard-stop-after ends it at %v", i, e.label, x.kernel.Now(), e.ends)
			}
		})
	}
}

// checkKilled returns why a session or request must not end with KD; empty: it may.
func (g *simLog) checkKilled(l *simLine) string {
	switch {
	case l.term[:2] != "KD" || g.finale.stop || g.engine.leaving.Load():
		return ""
	case !g.hardStops:
		return "the balancer has ended it"
	case l.stamp == "":
		return ""
	}
	at, _, wrong := g.parseStamp(g.front, l.stamp)
	if e := g.eras[at]; wrong == "" && (e.ends == 0 || e.ends > l.at) {
		return fmt.Sprintf("the balancer has ended it at %v; hard-stop-after ends %s at %v", l.at, e.label, e.ends)
	}
	return wrong
}
