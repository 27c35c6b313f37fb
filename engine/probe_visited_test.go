package engine

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"strings"
	"sync/atomic"
	"testing"

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
var visited [leaving + 1][meetings][2]atomic.Int64

func visit(s state, from side, events uint32) {
	for _, what := range classes(events) {
		visited[s][what][from].Add(1)
	}
}

func classes(events uint32) (all []int) {
	switch {
	case events == 0:
		return []int{meetTurn}
	case events&metTimeout != 0:
		return []int{meetTimeout}
	case events&metDrain != 0:
		return []int{meetDrain}
	case events&metStop != 0:
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

var (
	stateNames = [leaving + 1]string{inspecting: "inspecting", dialing: "dialing", pausing: "pausing", relaying: "relaying", asking: "asking", exchanging: "exchanging", leaving: "leaving"}
	meetNames  = [meetings]string{meetIn: "in", meetLast: "in+fin", meetHup: "hup", meetErr: "err", meetOut: "out", meetPri: "pri", meetTurn: "turn", meetTimeout: "timeout", meetDrain: "drain", meetStop: "stop"}
	sideNames  = [2]string{client: "client", server: "server"}
)

// unvisited returns the combinations of state, event and side that no session has handled so
// far. Events of the whole session have no side.
func unvisited() (all []string) {
	for s := inspecting; s <= leaving; s++ {
		for what := range meetings {
			for from := range side(2) {
				name := stateNames[s] + " " + meetNames[what]
				if what < meetTimeout {
					name += " " + sideNames[from]
				} else if from == server {
					continue
				}
				if visited[s][what][from].Load() == 0 {
					all = append(all, name)
				}
			}
		}
	}
	return all
}

// impossible returns the combinations that cannot occur, each with its reason.
func impossible() (map[string]string, error) {
	text, err := os.ReadFile("testdata/impossible.txt")
	all := map[string]string{}
	for line := range strings.Lines(string(text)) {
		name, reason, found := strings.Cut(strings.TrimSpace(line), ": ")
		switch {
		case name == "" || name[0] == '#':
		case !found || all[name] != "":
			return nil, fmt.Errorf("testdata/impossible.txt: %q; want a combination, a colon and the reason, once", line)
		default:
			all[name] = reason
		}
	}
	return all, err
}

// checkVisited prints the combinations that no test has visited. It fails for those that are
// not listed as impossible, and for listed ones that were visited. It is only useful after a
// run of all tests.
func checkVisited() error {
	listed, err := impossible()
	if err != nil {
		return err
	}
	for _, name := range unvisited() {
		if listed[name] == "" {
			err = errors.Join(err, fmt.Errorf("no test visits %s: write one, or give its reason in testdata/impossible.txt", name))
		}
		delete(listed, name)
	}
	for name := range listed {
		err = errors.Join(err, fmt.Errorf("testdata/impossible.txt lists %s, which a test visits", name))
	}
	return err
}

// allTestsRun reports whether no test was left out.
func allTestsRun() bool {
	for _, name := range []string{"test.run", "test.skip", "test.list", "test.fuzz"} {
		if flag.Lookup(name).Value.String() != "" {
			return false
		}
	}
	return !testing.Short()
}
