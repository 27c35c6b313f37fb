package session

import (
	"fmt"

	"sluice/engine/relay"
	"sluice/pool"
)

// wrongs collects the texts of violations.
type wrongs []string

func (w *wrongs) unless(holds bool, what string, args ...any) {
	if !holds {
		*w = append(*w, fmt.Sprintf(what, args...))
	}
}

// ledger compares the counts of a loop with its sessions.
type ledger struct {
	*Loop
	wrongs
}

// Audit returns the violations that it finds in the loop; nil: none. It looks for lost entries of
// the slab, for bytes without an owner, and for counts that differ from the sessions. Only tests
// call it. No work on a session may be under way.
func (l *Loop) Audit() []string {
	g := ledger{Loop: l}

	g.slab()
	g.lent()
	g.listeners()
	g.users()
	if len(g.process.Loops) == 1 {
		g.counts()
	}
	return g.wrongs
}

// slab: each entry that was ever used is either in use, or exactly once in the free list. A free
// entry has no timer and holds no bytes.
func (g *ledger) slab() {
	b, open, listed := g.Sessions, 0, map[int32]bool{}
	for id := b.free; id != 0; id = b.At(id).wait {
		if listed[id] || b.At(id).State != Free {
			g.unless(false, "the free list leads to %d twice, or it is open", id)
			return
		}
		listed[id] = true
	}
	for id := int32(1); id < b.fresh; id++ {
		if b.At(id).State != Free {
			open++
			continue
		}
		g.unless(listed[id], "entry %d is free and not in the list", id)
		_, armed := g.Reactor.Due(id)
		g.unless(!armed, "entry %d is free and has a timer", id)
		for _, f := range g.flows(id) {
			g.unless(f.Pending() == 0, "entry %d is free and holds %d bytes", id, f.Pending())
		}
	}
	g.unless(open == b.Open, "%d entries are open, %d are counted", open, b.Open)
}

// flows returns all flows of an entry, in use or not, in which bytes may be held. It does not ask for
// the entry's site, because the site of a free entry may be gone.
func (g *ledger) flows(id int32) []*relay.Flow {
	v := &g.Current
	v.ID, v.S = id, g.Sessions.At(id)
	all := []*relay.Flow{&v.S.Flow[Client], &v.S.Flow[Server]}
	for _, m := range g.modes {
		m.Resume()
		all = append(all, m.Flows()...)
	}
	return all
}

// lent: each borrowed store or pipe has exactly one owner.
func (g *ledger) lent() {
	charged, err := g.Stock.Audit(func(yield func(*relay.Flow) bool) {
		for id := int32(1); id < g.Sessions.fresh; id++ {
			for _, f := range g.flows(id) {
				if !yield(f) {
					return
				}
			}
		}
	})
	g.unless(err == nil, "%v", err)
	for purpose, budget := range g.process.Memory {
		mine, used := charged[purpose], budget.Used()
		g.unless(mine == used || mine < used && len(g.process.Loops) > 1, "flows hold %d bytes for purpose %d, %d are counted", mine, purpose, used)
	}
}

// listeners: each listener counts its sessions. An index is either in use by one listener, or exactly
// once in the list of unused ones. A listener that has no socket has a session or a held client,
// unless the loop drains.
func (g *ledger) listeners() {
	sessions := map[int32]int{}
	g.Sessions.Each(func(id int32) { sessions[g.Sessions.At(id).line]++ })
	unused, held, open := map[int32]bool{}, 0, 0
	for _, i := range g.unused {
		g.unless(!unused[i] && g.lines[i] == nil && sessions[i] == 0, "index %d of a listener is unused, and also in use or listed twice", i)
		unused[i] = true
	}
	g.unless(len(g.Listeners)+len(unused) == len(g.lines), "%d listeners and %d unused indexes; there are %d indexes", len(g.Listeners), len(unused), len(g.lines))
	for _, ln := range g.Listeners {
		g.unless(g.lines[ln.index] == ln, "listener %d is not in the table", ln.index)
		g.unless(ln.sessions == sessions[ln.index], "listener %d has %d sessions and counts %d", ln.index, sessions[ln.index], ln.sessions)
		g.unless(ln.FD >= 0 || ln.sessions > 0 || len(ln.Held) > 0 || g.Draining, "listener %d is closed, without use, and still listed", ln.index)
		held += len(ln.Held)
		if ln.FD >= 0 {
			open++
		}
	}
	g.unless(open == g.accepting, "%d listeners are open, %d are counted", open, g.accepting)
	g.unless(held == g.holding, "%d clients are held, %d are counted", held, g.holding)
}

// users: each site counts the sessions and the listeners that use it. A site is known exactly while it
// is in use or the newest one. New clients get the newest site, if it has their frontend.
func (g *ledger) users() {
	users := [Generations]int{}
	g.Sessions.Each(func(id int32) { users[g.Sessions.At(id).site]++ })
	for _, ln := range g.Listeners {
		if ln.Frontend != nil {
			users[ln.site]++
			last := ln.site == g.newest || g.successor(ln.Frontend) == nil || g.Draining
			g.unless(last, "listener %d of frontend %s has an old site", ln.index, ln.Frontend.Conf.Name)
		}
	}
	for number, n := range users {
		known := g.sites[number] != nil
		g.unless(g.generations.users[number] == n, "site %d has %d users and counts %d", number, n, g.generations.users[number])
		g.unless(known == (n > 0 || number == int(g.newest)), "site %d has %d users, and is known: %v", number, n, known)
	}
}

// Uses reports whether the loop uses the site with this number. Only tests call it.
func (l *Loop) Uses(number uint8) bool { return l.sites[number] != nil }

// Indexes returns the number of indexes of listeners, in use or not. Only tests call it.
func (l *Loop) Indexes() int { return len(l.lines) }

// counts compares limits and the counts of show stat with the sessions. With several loops this
// is not possible, because the other loops change the counts at the same time.
func (g *ledger) counts() {
	frontends, servers, references := map[*pool.Frontend]int64{}, map[any]int64{}, map[any]int64{}
	g.Sessions.Each(func(id int32) {
		v := g.Visit(id)
		frontends[v.Frontend.Frontend]++
		if v.S.Counted {
			servers[v.Server()]++
		}
		for _, srv := range v.References() {
			references[srv]++
		}
	})
	open := int64(g.Sessions.Open)
	g.unless(g.process.Limit.Cur() == open, "%d sessions are open, the limit counts %d", open, g.process.Limit.Cur())
	g.unless(g.process.Stat.Cur() == open, "%d sessions are open, the process counts %d", open, g.process.Stat.Cur())
	for _, f := range g.sites[g.newest].Frontends {
		g.unless(f.Limit.Cur() == frontends[f.Frontend], "frontend %s has %d sessions, its limit counts %d", f.Conf.Name, frontends[f.Frontend], f.Limit.Cur())
		g.unless(f.Stat.Cur() == frontends[f.Frontend], "frontend %s has %d sessions and counts %d", f.Conf.Name, frontends[f.Frontend], f.Stat.Cur())
	}
	for _, b := range g.sites[g.newest].Backends {
		for _, v := range b.Servers() {
			g.unless(v.Stat.Cur() == servers[v], "server %s has %d sessions and counts %d", v, servers[v], v.Stat.Cur())
			g.unless(v.References() == references[v], "server %s is stored %d times and has %d references", v, references[v], v.References())
		}
	}
}
