//go:build !simulation

package engine

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"sluice/engine/session"
	"strings"
	"testing"
)

var (
	stateNames = [session.Leaving + 1]string{session.Inspecting: "inspecting", session.Dialing: "dialing", session.Pausing: "pausing", session.Relaying: "relaying", session.Asking: "asking", session.Exchanging: "exchanging", session.Leaving: "leaving"}
	meetNames  = [meetings]string{meetIn: "in", meetLast: "in+fin", meetHup: "hup", meetErr: "err", meetOut: "out", meetPri: "pri", meetTurn: "turn", meetTimeout: "timeout", meetDrain: "drain", meetStop: "stop"}
	sideNames  = [2]string{session.Client: "client", session.Server: "server"}
)

// unvisited returns the combinations of state, event and side that no session has handled so
// far. Events of the whole session have no side.
func unvisited() (all []string) {
	for s := session.Inspecting; s <= session.Leaving; s++ {
		for what := range meetings {
			for from := range session.Side(2) {
				name := stateNames[s] + " " + meetNames[what]
				if what < meetTimeout {
					name += " " + sideNames[from]
				} else if from == session.Server {
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
