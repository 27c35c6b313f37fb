//go:build simulation

package engine

import (
	"golang.org/x/sys/unix"

	"sluice/engine/session"
	"sluice/pool/stat"
)

// checkQuiet is called when nothing can happen before the next timer.
func (x *simulation) checkQuiet() {
	x.checkRegistered()
	x.checkPlaces()
	x.checkGenerations()
	for i, l := range x.engine.Loops {
		for _, ln := range l.Listeners {
			x.checkWaiting(i, l, ln)
		}
	}
}

// checkWaiting: no client waits although the limits allow another session. The accept queue of a
// listener that accepts is empty then. After a shortage of descriptors or memory, the loop's own
// timer ends the wait.
func (x *simulation) checkWaiting(i int, l *session.Loop, ln *session.Listener) {
	if x.ended[i] || !x.hasPlace(ln) {
		return
	}
	if n := len(ln.Held); n > 0 {
		x.failf("quiet: %d clients of %s that a drain has accepted wait on loop %d although there is a place", n, lineName(ln), i)
	}
	_, paused := l.Reactor.Due(session.OwnTimer)
	if ln.FD >= 0 && !paused && x.process.Poll(ln.FD)&unix.EPOLLIN != 0 {
		x.failf("quiet: clients of %s wait on loop %d although there is a place", lineName(ln), i)
	}
}

func (x *simulation) hasPlace(ln *session.Listener) bool {
	for _, l := range ln.Limits {
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
	for _, l := range x.engine.Loops {
		l.Sessions.Each(func(id int32) {
			v := l.Visit(id)
			for _, limit := range v.Listener.Limits {
				places[limit]++
			}
			current[&x.engine.Stat.Load]++
			current[&v.Frontend.Stat.Load]++
			current[&v.Frontend.Stat.Conns]++
			if v.Backend != nil {
				current[&v.Backend.Stat.Load]++
			}
			if v.S.Counted {
				current[&v.Server().Stat.Load]++
			}
		})
	}
	for _, l := range x.engine.Loops {
		for _, ln := range l.Listeners {
			for _, limit := range ln.Limits {
				if n := limit.Cur(); n != places[limit] {
					x.failf("quiet: %d places of a limit of %s are taken; %d sessions have one", n, lineName(ln), places[limit])
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
	check("the process", &x.engine.Stat.Load)
	for i := range x.fronts {
		for _, f := range x.metAt[i] {
			check("frontend "+f.Name, &f.Stat.Load)
			check("frontend "+f.Name, &f.Stat.Conns)
		}
	}
	for i := range x.backs {
		b := x.backNow(i)
		check("backend "+b.Name, &b.Stat.Load)
		for _, same := range x.met[i] {
			for _, v := range same {
				check("server "+v.Name, &v.Stat.Load)
			}
		}
	}
}
