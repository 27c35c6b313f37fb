//go:build simulation

package engine

import (
	"sluice/conf"
	"sluice/engine/session"
)

// checkDescriptors: the process never has more open descriptors than the engine's plan allows.
func (w *simWire) checkDescriptors() {
	if w.engine == nil {
		return
	}
	p := w.engine.Plan()
	w.conns, w.lent = max(w.conns, p.MaxConn), max(w.lent, p.Pipes) // sessions and lent pipes go on after a reload
	if w.opening {
		return
	}
	most := w.fixed + 2*w.lent + conf.FDsPerConn*w.conns
	if w.engine.leaving.Load() { // a drain accepts more clients than the limits allow
		most = w.fixed + int(p.Nofile) - p.Fixed
	}
	if n := w.process.Open() - w.listen; n > most && !w.over {
		w.over = true
		w.failf("left: %d descriptors are open; the plan says %d at most: %s", n, most, p.Sum())
	}
}

// checkRegistered: exactly the files that a loop waits for are registered with its epoll instance.
func (x *simulation) checkRegistered() {
	for i, l := range x.engine.Loops {
		want := 2 // the loop's eventfd and timerfd
		for _, ln := range l.Listeners {
			if ln.Watched {
				want++
			}
		}
		l.Sessions.Each(func(id int32) {
			for _, one := range l.Sessions.At(id).Sock {
				if one.FD >= 0 && one.Has(session.Watched) {
					want++
				}
			}
		})
		if n := x.process.Registered(l.Reactor.Epoll()); n != want {
			x.failf("left: %d files are registered with epoll on loop %d; it waits for %d", n, i, want)
		}
	}
}

// checkClosed ends the engine and checks that no session, timer or descriptor remains.
func (x *simulation) checkClosed() {
	x.checkRegistered()
	x.checkOneGeneration()
	x.checkPlan()
	for i, l := range x.engine.Loops {
		x.checkIdle(i, l)
	}
	x.checkSockets()
	x.process.Fault, x.process.Limit = nil, 0
	if x.plan.seed%2 == 0 {
		x.engine.Drain()
	} else {
		x.engine.Stop()
	}
	for i, l := range x.engine.Loops {
		x.checkEnds(i, l)
	}
	if len(x.wrong) > 0 {
		return
	}
	for len(x.chores) > 0 {
		x.doChore()
	}
	x.closeLoops()
	x.checkForgotten()
	if n := x.process.Open(); n != 0 {
		x.failf("left: %d descriptors are open when all loops are closed", n)
	}
}

// checkIdle: in a loop without sessions, only the loop's own timer may be armed, and all its pipes
// and memory are free. If the engine is leaving, the loop has ended.
func (x *simulation) checkIdle(i int, l *session.Loop) {
	for _, text := range l.Audit() {
		x.failf("left: loop %d: %s", i, text)
	}
	armed := l.Reactor.Timers()
	if _, own := l.Reactor.Due(session.OwnTimer); own {
		armed--
	}
	if armed != 0 {
		x.failf("left: %d timers of loop %d", armed, i)
	}
	if n := l.Reactor.Turns(); n != 0 && !x.ended[i] {
		x.failf("left: %d turns of loop %d", n, i)
	}
	if x.engine.leaving.Load() && !x.ended[i] {
		x.failf("left: loop %d goes on without sessions, although the engine leaves", i)
	}
}

// checkSockets: no connection is open without a session.
func (x *simulation) checkSockets() {
	for i := range x.wire.clients {
		if n := x.wire.clients[i].open; n != 0 {
			x.failf("left: %d connections of clients of %s", n, x.fronts[i].name)
		}
	}
	for i, servers := range x.wire.servers {
		for j := range servers {
			if n := servers[j].open; n != 0 {
				x.failf("left: %d connections to %s", n, x.backs[i].servers[j].name)
			}
		}
	}
}

// checkEnds: a loop that is stopped, or drained without sessions, ends at once and closes its
// listening sockets.
func (x *simulation) checkEnds(i int, l *session.Loop) {
	for range 100 {
		if x.ended[i] {
			break
		}
		_, over, err := l.Step()
		if err != nil {
			x.failf("left: loop %d fails at its end: %v", i, err)
		}
		x.ended[i] = over
	}
	if !x.ended[i] {
		x.failf("left: loop %d does not end", i)
	}
	for _, ln := range l.Listeners {
		if ln.FD >= 0 || len(ln.Held) > 0 {
			x.failf("left: loop %d has ended with descriptor %d and %d clients of a listener", i, ln.FD, len(ln.Held))
		}
	}
}
