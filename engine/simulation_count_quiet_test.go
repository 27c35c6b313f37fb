//go:build simulation

package engine

import (
	"golang.org/x/sys/unix"

	"sluice/pool/stat"
)

// checkQuiet is called when nothing can happen before the next timer.
func (x *simulation) checkQuiet() {
	x.checkRegistered()
	x.checkPlaces()
	for i, l := range x.engine.loops {
		for _, ln := range l.listeners {
			x.checkWaiting(i, l, ln)
		}
	}
}

// checkWaiting: no client waits although the limits allow another session. The accept queue of a
// listener that accepts is empty then. After a shortage of descriptors or memory, the loop's own
// timer ends the wait.
func (x *simulation) checkWaiting(i int, l *loop, ln *listener) {
	if x.ended[i] || !x.hasPlace(ln) {
		return
	}
	if n := len(ln.held); n > 0 {
		x.failf("quiet: %d clients of %s that a drain has accepted wait on loop %d although there is a place", n, ln.frontend.Conf.Name, i)
	}
	_, paused := l.reactor.Due(ownTimer)
	if ln.fd >= 0 && !paused && x.process.Poll(ln.fd)&unix.EPOLLIN != 0 {
		x.failf("quiet: clients of %s wait on loop %d although there is a place", ln.frontend.Conf.Name, i)
	}
}

func (x *simulation) hasPlace(ln *listener) bool {
	for _, l := range ln.limits {
		if l.Max() > 0 && l.Cur() >= l.Max() {
			return false
		}
	}
	return true
}

// checkPlaces: each session counts once in each limit of its listener, and nothing else counts
// there. `show stat` shows the same numbers of current sessions.
func (x *simulation) checkPlaces() {
	places, current := map[*stat.Limit]int64{}, map[*stat.Load]int64{}
	for _, l := range x.engine.loops {
		l.sessions.each(func(id int32) {
			v := l.visit(id)
			for _, limit := range v.ln.limits {
				places[limit]++
			}
			current[&x.engine.stat.Load]++
			current[&v.f.Stat.Load]++
			current[&v.f.Stat.Conns]++
			if v.b != nil {
				current[&v.b.Stat.Load]++
			}
			if v.s.counted {
				current[&v.srv().Stat.Load]++
			}
		})
	}
	for _, l := range x.engine.loops {
		for _, ln := range l.listeners {
			for _, limit := range ln.limits {
				if n := limit.Cur(); n != places[limit] {
					x.failf("quiet: %d places of a limit of %s are taken; %d sessions have one", n, ln.frontend.Conf.Name, places[limit])
				}
			}
		}
	}
	x.checkCurrent(current)
}

// checkCurrent compares the counters of current sessions with the sessions that exist.
func (x *simulation) checkCurrent(want map[*stat.Load]int64) {
	check := func(what string, l *stat.Load) {
		if n := l.Cur(); n != want[l] {
			x.failf("quiet: %s counts %d current sessions; there are %d", what, n, want[l])
		}
	}
	check("the process", &x.engine.stat.Load)
	for _, f := range x.engine.site.Frontends {
		check("frontend "+f.Conf.Name, &f.Stat.Load)
		check("frontend "+f.Conf.Name, &f.Stat.Conns)
	}
	for _, b := range x.engine.site.Backends {
		check("backend "+b.Name, &b.Stat.Load)
		for _, v := range b.Servers() {
			check("server "+v.Name, &v.Stat.Load)
		}
	}
}
