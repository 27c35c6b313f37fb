package engine

import (
	"sluice/engine/session"
	"sync/atomic"
	"testing"
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
	state session.State
	do    func(fd int)
	over  chan struct{}
}

func (i *inspector) holds(l *session.Loop) {
	h := i.hold.Load()
	if h == nil {
		return
	}
	l.Sessions.Each(func(id int32) {
		if s := l.Sessions.At(id); s.State == h.state && i.hold.CompareAndSwap(h, nil) {
			h.do(int(s.Sock[session.Server].FD))
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

func (i *inspector) Opens(fd int) {
	if i.open != nil {
		i.open(fd)
	}
}

func (i *inspector) Meets(l *session.Loop, id int32, from session.Side, events uint32) {
	countVisit(l.Sessions.At(id).State, from, events)
	mine := &i.loops[l.Number]
	mine.touched = append(mine.touched, id)
}

// Settled checks the sessions that have handled an event. It checks all sessions of the loop
// less often the more there are. At the end of a simulation they are checked, too.
func (i *inspector) Settled(l *session.Loop) {
	mine := &i.loops[l.Number]
	mine.work++
	i.holds(l)
	if mine.work < max(l.Sessions.Open/8, i.seldom) {
		for _, id := range mine.touched {
			if l.Sessions.At(id).State != session.Free {
				i.look(l.Visit(id))
			}
		}
		mine.touched = mine.touched[:0]
		return
	}
	mine.work, mine.touched = 0, mine.touched[:0]
	l.Sessions.Each(func(id int32) { i.look(l.Visit(id)) })
	i.tell("loop", l.Audit())
}

func (i *inspector) look(v *session.Visit) {
	if wrong := v.Audit(); len(wrong) > 0 {
		i.tell(v.Dump(), wrong)
	}
}

func (i *inspector) tell(what string, wrong []string) {
	if len(wrong) > 0 && i.told.Add(1) <= mostTold {
		i.t.Errorf("after an event, wrong are: %q\n%s", wrong, what)
	}
}
