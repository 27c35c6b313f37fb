//go:build simulation

package engine

import (
	"slices"

	"sluice/engine/session"
	"sluice/engine/site"
	"sluice/pool"
)

// backNow returns the backend of the newest site that has the number i in the world.
func (x *simulation) backNow(i int) *site.Backend { return x.engine.today().Backend(x.backs[i].name) }

// lineName returns the name of a listener's frontend.
func lineName(ln *session.Listener) string {
	if ln.Frontend == nil {
		return "a former frontend"
	}
	return ln.Frontend.Name
}

// meet notes the servers and frontends of the newest site. A reload that removes a server and one that
// adds it again make two servers of the same name. So do reloads with a frontend, if nothing used the
// first one any more.
func (x *simulation) meet() {
	x.meetFronts()
	for i, b := range x.backs {
		if len(x.met) <= i {
			x.met = append(x.met, make([][]*pool.Server, len(b.servers)))
		}
		for j, v := range b.servers {
			if s := x.backNow(i).Find(v.name); s != nil && !slices.Contains(x.met[i][j], s) {
				x.met[i][j] = append(x.met[i][j], s)
			}
		}
	}
}

// meetFronts notes the frontends of the newest site.
func (x *simulation) meetFronts() {
	for i, f := range x.fronts {
		if len(x.metAt) <= i {
			x.metAt = append(x.metAt, nil)
		}
		for _, name := range f.names() {
			if now := x.engine.today().Frontend(name); now != nil && !slices.Contains(x.metAt[i], now.Frontend) {
				x.metAt[i] = append(x.metAt[i], now.Frontend)
			}
		}
	}
}

// checkGenerations is called when nothing can happen before the next timer. A site is open exactly
// while it is the newest one or a loop uses it. Each reference to a server belongs to a session, and
// a removed server without references has no slot.
func (x *simulation) checkGenerations() {
	e := x.engine
	for i, l := range e.Loops {
		sessions := l.Users()
		for number, n := range sessions {
			if n > 0 && e.byNumber[number] == nil {
				x.failf("quiet: %d sessions of loop %d use site %d, which is closed", n, i, number)
			}
		}
	}
	if len(x.chores) == 0 {
		x.checkHardStop()
	}
	if len(x.chores) == 0 && x.reload == nil && !e.leaving.Load() {
		x.checkLive()
	}
	x.checkReferences()
}

// checkLive: a site that is not the newest one is in use. All loops have taken the newest one.
func (x *simulation) checkLive() {
	e := x.engine
	for _, one := range e.live {
		loops := 0
		for _, l := range e.Loops {
			if l.Uses(one.number) {
				loops++
			}
		}
		if n := int(one.loops.Load()); n != loops {
			x.failf("quiet: %d loops use the site of generation %d; %d are counted", loops, one.serial, n)
		}
		if loops == 0 {
			x.failf("quiet: the site of generation %d is open, and no loop uses it", one.serial)
		}
	}
}

// checkTaken: when all loops have taken a site, its listeners are those that accept.
func (x *simulation) checkTaken(u *update) {
	for i, l := range x.engine.Loops {
		for _, ln := range u.fresh[i] {
			if !x.ended[i] && !l.Draining && !slices.Contains(l.Listeners, ln) {
				x.failf("loop %d has taken the new site without its listener %d of frontend %s", i, ln.Number, lineName(ln))
			}
		}
	}
}

// checkReferences counts the references to servers of all sessions of all loops.
func (x *simulation) checkReferences() {
	want := map[*pool.Server]int64{}
	for _, l := range x.engine.Loops {
		l.Sessions.Each(func(id int32) {
			for _, v := range l.Visit(id).References() {
				want[v]++
			}
		})
	}
	for i := range x.backs {
		b := x.backNow(i)
		for _, text := range b.Audit() {
			x.failf("quiet: %s", text)
		}
		for _, same := range x.met[i] {
			for _, v := range same {
				if n := v.References(); n != want[v] {
					x.failf("quiet: server %s has %d references; sessions have %d", v, n, want[v])
				}
				slot := slices.Contains(b.Servers(), v) || slices.Contains(b.Removed(), v)
				if !slot && want[v] > 0 {
					x.failf("quiet: server %s has %d references and no slot", v, want[v])
				}
			}
		}
	}
}

// checkOneGeneration: when all sessions have ended, only the newest site is open, and only its names
// are in use. A loop that has drained keeps its sites.
func (x *simulation) checkOneGeneration() {
	e := x.engine
	if e.leaving.Load() {
		return
	}
	if len(e.live) != 1 || e.live[0] != e.newest.Load() {
		x.failf("left: %d generations are in use, the oldest is %d", len(e.live), e.live[0].serial)
		return
	}
	var want [3][]string
	for _, f := range e.today().Frontends {
		want[0] = append(want[0], f.Name)
	}
	for _, b := range e.sockets.Binds() {
		want[1] = append(want[1], b.Local().String())
	}
	for _, b := range e.today().Backends {
		want[2] = append(want[2], b.Name)
		if n := len(b.Removed()); n > 0 {
			x.failf("left: %d removed servers of backend %s have slots", n, b.Name)
		}
	}
	f, l, b := e.State.Names()
	for i, got := range [...][]string{f, l, b} {
		slices.Sort(want[i])
		if !slices.Equal(got, slices.Compact(want[i])) {
			x.failf("left: the registry knows %q; the newest site has %q", got, want[i])
		}
	}
}

// checkPlan: when only the newest configuration is in use, others have only the descriptors of removed
// listening sockets that are still open.
func (x *simulation) checkPlan() {
	e, removed := x.engine, -len(x.engine.Loops)*len(x.engine.sockets.Binds())
	if e.leaving.Load() || len(x.chores) > 0 {
		return
	}
	for _, l := range e.Loops {
		for _, ln := range l.Listeners {
			if ln.FD >= 0 {
				removed++
			}
		}
	}
	if p := e.Plan(); p.Others != removed || removed == 0 && p.MaxConn != p.Alone {
		x.failf("left: %d listening sockets are removed and open; the plan is %s", removed, p.Sum())
	}
}

// checkForgotten: when the engine is closed, nothing is left of its sites.
func (x *simulation) checkForgotten() {
	f, l, b := x.engine.State.Names()
	if n := len(x.engine.live); n+len(f)+len(l)+len(b) > 0 {
		x.failf("left: %d generations and the names %q %q %q after the end of the engine", n, f, l, b)
	}
}
