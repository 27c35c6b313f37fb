package engine

import (
	"sluice/engine/session"
	"sync/atomic"

	"golang.org/x/sys/unix"
)

// Classes of what a session can handle. If an epoll event belongs to several, only the worst counts.
// A writable socket and urgent data are counted in addition.
const (
	meetIn   = iota
	meetLast // in, with FIN
	meetHup  // both directions ended
	meetErr
	meetOut
	meetPri
	meetTurn
	meetTimeout
	meetDrain
	meetStop
	meetings
)

// visited counts which events sessions have met in which state, on which side.
var visited [session.Leaving + 1][meetings][2]atomic.Int64

func countVisit(s session.State, from session.Side, events uint32) {
	for _, what := range classes(events) {
		visited[s][what][from].Add(1)
	}
}

func classes(events uint32) (all []int) {
	switch {
	case events == 0:
		return []int{meetTurn}
	case events&session.MetTimeout != 0:
		return []int{meetTimeout}
	case events&session.MetDrain != 0:
		return []int{meetDrain}
	case events&session.MetStop != 0:
		return []int{meetStop}
	case events&unix.EPOLLERR != 0:
		all = append(all, meetErr)
	case events&unix.EPOLLHUP != 0:
		all = append(all, meetHup)
	case events&unix.EPOLLRDHUP != 0:
		all = append(all, meetLast)
	case events&unix.EPOLLIN != 0:
		all = append(all, meetIn)
	}
	if events&unix.EPOLLOUT != 0 {
		all = append(all, meetOut)
	}
	if events&unix.EPOLLPRI != 0 {
		all = append(all, meetPri)
	}
	return all
}
