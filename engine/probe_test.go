package engine

import (
	"fmt"
	"slices"
	"sync/atomic"
	"testing"

	"sluice/engine/relay"
)

// inspector is the probe of all engines under test. After each piece of a loop's
// work it looks whether all that the loop holds agrees, and it records which
// events sessions have met. A violation fails the test with the session's dump.
type inspector struct {
	t      testing.TB
	narrow bool // sockets to servers get the smallest buffers
	told   atomic.Int32
	loops  []inspected
	hold   atomic.Pointer[holding]
}

// holding has a loop wait when a session comes to a state, while do gets the
// descriptor of its socket to the server.
type holding struct {
	state state
	do    func(fd int)
	over  chan struct{}
}

// holdIn has the loop of the next session that comes to a state wait for do.
func (i *inspector) holdIn(s state, do func(fd int)) (over <-chan struct{}) {
	h := &holding{s, do, make(chan struct{})}
	i.hold.Store(h)
	return h.over
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

// inspected is what the inspector keeps of a loop, whose goroutine owns it.
type inspected struct {
	touched []int32 // sessions that met something since the last look
	work    int     // pieces of work since all sessions were looked at
}

// mostTold bounds the violations that one engine tells of.
const mostTold = 3

// narrowServers makes the balancer's sockets towards its servers as small as the
// kernel allows.
func narrowServers(o *Options) { o.probe.(*inspector).narrow = true }

// inspect has an engine's loops inspected.
func inspect(t testing.TB, o *Options) {
	t.Helper()
	o.probe = &inspector{t: t, loops: make([]inspected, o.Plan.Loops)}
}

func (i *inspector) opens(fd int) {
	if i.narrow {
		squeezeFD(fd)
	}
}

func (i *inspector) meets(l *loop, id int32, from side, events uint32) {
	visit(l.sessions.at(id).state, from, events)
	mine := &i.loops[l.number]
	mine.touched = append(mine.touched, id)
}

// settled looks at the sessions that met something, and at all of the loop's as
// often as is cheap with so many.
func (i *inspector) settled(l *loop) {
	mine := &i.loops[l.number]
	mine.work++
	i.holds(l)
	if mine.work*8 < l.sessions.open {
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
	wrong := (&sessionCheck{loop: l, session: s, id: id}).errors()
	if len(wrong) > 0 {
		i.tell(dump(l, id, s), wrong)
	}
}

func (i *inspector) tell(what string, wrong []string) {
	if len(wrong) > 0 && i.told.Add(1) <= mostTold {
		i.t.Errorf("after an event, wrong are: %q\n%s", wrong, what)
	}
}

// dump tells all of a session.
func dump(l *loop, id int32, s *session) string {
	text := fmt.Sprintf("session %d on loop %d at %d: %+v", id, l.number, l.now, *s)
	if l.isHTTP(s) {
		text += fmt.Sprintf("\nexchange: %+v", *l.exchanges.at(id))
	}
	return text
}

// flows are all that a session may hold bytes in.
func (l *loop) flows(id int32) []*relay.Flow {
	s := l.sessions.at(id)
	all := []*relay.Flow{&s.flow[client], &s.flow[server]}
	if l.exchanges.all != nil {
		x := l.exchanges.at(id)
		all = append(all, &x.ahead[client], &x.ahead[server], &x.logPieces, &x.sent)
	}
	return all
}

// wrongs collects what does not hold.
type wrongs []string

func (w *wrongs) unless(holds bool, what string, args ...any) {
	if !holds {
		*w = append(*w, fmt.Sprintf(what, args...))
	}
}

// ledger compares what a loop counts with what its sessions have.
type ledger struct {
	*loop
	wrongs
}

func (g *ledger) errors() []string {
	g.slab()
	g.lent()
	if len(g.engine.loops) == 1 {
		g.counts()
	}
	return g.wrongs
}

// slab: each entry that was ever used is open or in the free list, once; and a
// free one has no timer and holds nothing.
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
		_, armed := g.clock.wheel.Due(id)
		g.unless(!armed, "entry %d is free and has a timer", id)
		for _, f := range g.flows(id) {
			g.unless(f.Pending() == 0, "entry %d is free and holds %d bytes", id, f.Pending())
		}
	}
	g.unless(open == b.open, "%d entries are open, %d are counted", open, b.open)
}

// lent: stores and pipes have one owner each.
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
	for purpose, budget := range g.engine.memory {
		mine, used := charged[purpose], budget.Used()
		g.unless(mine == used || mine < used && len(g.engine.loops) > 1, "flows hold %d bytes for purpose %d, %d are counted", mine, purpose, used)
	}
}

// counts compares the limits and the numbers of show stat with the sessions.
// With more loops than one, the others change them all the while.
func (g *ledger) counts() {
	frontends, servers := map[*frontend]int64{}, map[any]int64{}
	g.sessions.each(func(id int32) {
		s := g.sessions.at(id)
		frontends[g.listeners[s.line].frontend]++
		if s.counted {
			servers[g.serverOf(s)]++
		}
	})
	open := int64(g.sessions.open)
	g.unless(g.engine.limit.Cur() == open, "%d sessions are open, the limit counts %d", open, g.engine.limit.Cur())
	g.unless(g.engine.stat.Cur() == open, "%d sessions are open, the process counts %d", open, g.engine.stat.Cur())
	for _, f := range g.site.frontends {
		g.unless(f.limit.Cur() == frontends[f], "frontend %s has %d sessions, its limit counts %d", f.conf.Name, frontends[f], f.limit.Cur())
		g.unless(f.stat.Cur() == frontends[f], "frontend %s has %d sessions and counts %d", f.conf.Name, frontends[f], f.stat.Cur())
	}
	for _, b := range g.site.backends {
		for _, v := range b.Servers {
			g.unless(v.Stat.Cur() == servers[v], "server %s has %d sessions and counts %d", v, servers[v], v.Stat.Cur())
		}
	}
}

// hasTurn reports whether a session's socket waits in the loop's list.
func (l *loop) hasTurn(id int32, s *session, which side) bool {
	return slices.Contains(l.turns, tokenOf(id, which, s.sock[which].turn))
}
