package engine

import (
	"fmt"
	"sync/atomic"
	"testing"

	"sluice/engine/relay"
	"sluice/engine/site"
)

// inspector is the probe of all engines under test. After each piece of work of a loop, it
// checks that the loop's data are consistent. It records the events that sessions handle. A
// violation fails the test and prints the session.
type inspector struct {
	t      testing.TB
	open   func(fd int) // called with each new socket to a server; nil: nothing
	told   atomic.Int32
	seldom int // pieces of work between two checks of all sessions, at least
	loops  []inspected
	hold   atomic.Pointer[holding]
}

// holding stops a loop when a session enters a state. Meanwhile do gets the descriptor of that
// session's socket to the server.
type holding struct {
	state state
	do    func(fd int)
	over  chan struct{}
}

func (i *inspector) holds(l *loop) {
	h := i.hold.Load()
	if h == nil {
		return
	}
	l.sessions.each(func(id int32) {
		if s := l.sessions.at(id); s.state == h.state && i.hold.CompareAndSwap(h, nil) {
			h.do(int(s.sock[server].fd))
			close(h.over)
		}
	})
}

// inspected contains what the inspector knows of a loop. It belongs to that loop's goroutine.
type inspected struct {
	touched []int32 // sessions that have handled an event since the last check
	work    int     // pieces of work since all sessions were checked
}

// mostTold is the maximum number of violations that are printed for one engine.
const mostTold = 3

// inspect gives an engine an inspector.
func inspect(t testing.TB, o *Options) {
	t.Helper()
	o.probe = &inspector{t: t, loops: make([]inspected, o.Plan.Loops)}
}

func (i *inspector) opens(fd int) {
	if i.open != nil {
		i.open(fd)
	}
}

func (i *inspector) meets(l *loop, id int32, from side, events uint32) {
	countVisit(l.sessions.at(id).state, from, events)
	mine := &i.loops[l.number]
	mine.touched = append(mine.touched, id)
}

// settled checks the sessions that have handled an event. It checks all sessions of the loop
// less often the more there are. At the end of a simulation they are checked, too.
func (i *inspector) settled(l *loop) {
	mine := &i.loops[l.number]
	mine.work++
	i.holds(l)
	if mine.work < max(l.sessions.open/8, i.seldom) {
		for _, id := range mine.touched {
			if s := l.sessions.at(id); s.state != free {
				i.look(l, id, s)
			}
		}
		mine.touched = mine.touched[:0]
		return
	}
	mine.work, mine.touched = 0, mine.touched[:0]
	l.sessions.each(func(id int32) { i.look(l, id, l.sessions.at(id)) })
	i.tell("loop", (&ledger{loop: l}).errors())
}

func (i *inspector) look(l *loop, id int32, s *session) {
	wrong := (&sessionCheck{visit: l.visit(id), session: s, x: exchangeOf(l.visit(id))}).errors()
	if len(wrong) > 0 {
		i.tell(dump(l, id, s), wrong)
	}
}

func (i *inspector) tell(what string, wrong []string) {
	if len(wrong) > 0 && i.told.Add(1) <= mostTold {
		i.t.Errorf("after an event, wrong are: %q\n%s", wrong, what)
	}
}

// dump describes a session for a failure message.
func dump(l *loop, id int32, s *session) string {
	text := fmt.Sprintf("session %d on loop %d at %d: %+v", id, l.number, l.now(), *s)
	if x := exchangeOf(l.visit(id)); x != nil {
		text += fmt.Sprintf("\nexchange: %+v", *x)
	}
	return text
}

// exchangeOf returns the exchange of a session, or nil in mode tcp.
func exchangeOf(v *visit) *exchange {
	if m, ok := v.mode.(*modeHTTP); ok {
		return m.x
	}
	return nil
}

// flows returns all flows in which a session may hold bytes.
func (l *loop) flows(id int32) []*relay.Flow {
	s := l.sessions.at(id)
	all := []*relay.Flow{&s.flow[client], &s.flow[server]}
	if x := exchangeOf(l.visit(id)); x != nil {
		all = append(all, &x.ahead[client], &x.ahead[server], &x.logPieces, &x.sent)
	}
	return all
}

// wrongs collects violations.
type wrongs []string

func (w *wrongs) unless(holds bool, what string, args ...any) {
	if !holds {
		*w = append(*w, fmt.Sprintf(what, args...))
	}
}

// ledger compares the counts of a loop with its sessions.
type ledger struct {
	*loop
	wrongs
}

func (g *ledger) errors() []string {
	g.slab()
	g.lent()
	if len(g.process.loops) == 1 {
		g.counts()
	}
	return g.wrongs
}

// slab: each entry that was ever used is either in use or once in the free list. A free entry
// has no timer and holds no bytes.
func (g *ledger) slab() {
	b, open, listed := g.sessions, 0, map[int32]bool{}
	for id := b.free; id != 0; id = b.all[id].next {
		if listed[id] || b.all[id].state != free {
			g.unless(false, "the free list leads to %d twice, or it is open", id)
			return
		}
		listed[id] = true
	}
	for id := int32(1); id < b.fresh; id++ {
		if b.all[id].state != free {
			open++
			continue
		}
		g.unless(listed[id], "entry %d is free and not in the list", id)
		_, armed := g.reactor.Due(id)
		g.unless(!armed, "entry %d is free and has a timer", id)
		for _, f := range g.flows(id) {
			g.unless(f.Pending() == 0, "entry %d is free and holds %d bytes", id, f.Pending())
		}
	}
	g.unless(open == b.open, "%d entries are open, %d are counted", open, b.open)
}

// lent: each borrowed store or pipe has exactly one owner.
func (g *ledger) lent() {
	charged, err := g.stock.Audit(func(yield func(*relay.Flow) bool) {
		for id := int32(1); id < g.sessions.fresh; id++ {
			for _, f := range g.loop.flows(id) {
				if !yield(f) {
					return
				}
			}
		}
	})
	g.unless(err == nil, "%v", err)
	for purpose, budget := range g.process.memory {
		mine, used := charged[purpose], budget.Used()
		g.unless(mine == used || mine < used && len(g.process.loops) > 1, "flows hold %d bytes for purpose %d, %d are counted", mine, purpose, used)
	}
}

// counts compares limits and the counts of show stat with the sessions. With several loops this
// is not possible, because the other loops change the counts at the same time.
func (g *ledger) counts() {
	frontends, servers := map[*site.Frontend]int64{}, map[any]int64{}
	g.sessions.each(func(id int32) {
		v := g.visit(id)
		frontends[v.f]++
		if v.s.counted {
			servers[v.srv()]++
		}
	})
	open := int64(g.sessions.open)
	g.unless(g.process.limit.Cur() == open, "%d sessions are open, the limit counts %d", open, g.process.limit.Cur())
	g.unless(g.process.stat.Cur() == open, "%d sessions are open, the process counts %d", open, g.process.stat.Cur())
	for _, f := range g.site.Frontends {
		g.unless(f.Limit.Cur() == frontends[f], "frontend %s has %d sessions, its limit counts %d", f.Conf.Name, frontends[f], f.Limit.Cur())
		g.unless(f.Stat.Cur() == frontends[f], "frontend %s has %d sessions and counts %d", f.Conf.Name, frontends[f], f.Stat.Cur())
	}
	for _, b := range g.site.Backends {
		for _, v := range b.Servers {
			g.unless(v.Stat.Cur() == servers[v], "server %s has %d sessions and counts %d", v, servers[v], v.Stat.Cur())
		}
	}
}

// hasTurn reports whether a session's socket is in the loop's list of sockets to serve again.
func (l *loop) hasTurn(id int32, s *session, which side) bool {
	return l.reactor.HasTurn(s.token(id, which))
}
