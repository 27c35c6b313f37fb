//go:build !simulation

package engine

import (
	"slices"
	"testing"
)

// TestRandomTalksAsHAProxy plays the same random talks through HAProxy and Sluice. The clients
// must get the same, except if the outcome depends on time or HAProxy fails the test above.
func TestRandomTalksAsHAProxy(t *testing.T) {
	place := landscape{bind: "127.0.1.0:1", clients: overTCP, servers: overTCP}
	ours, talks := planWorld(t, 50001, talksWanted(100))
	talks = slices.DeleteFunc(talks, func(k *talk) bool { return !k.judged() })
	got, want := map[int][]string{}, map[int][]string{}
	ours.run(talks, start(t, ours.config(place)).addrs["f"], overTCP, got)
	ours.report(talks)

	theirs := newWebWorld(t, talks)
	theirs.shares = true
	theirs.run(talks, haproxy(t, "defaults\n"+theirs.config(place), 1)[0], overTCP, want)
	for _, k := range talks {
		if wrong := theirs.failures(k.number); len(wrong) > 0 {
			t.Logf("HAProxy, talk %d: %q", k.number, wrong)
			continue
		}
		if g, w := k.certain(got[k.number]), k.certain(want[k.number]); !slices.Equal(g, w) {
			t.Errorf("-seed %d -talk %d: got %q; HAProxy's client %q\n%s", *seed, k.number, g, w, k)
		}
	}
}

// judged reports whether HAProxy's outcome is compared. It is not for clients that end early.
// It is not for final answers that arrive together with interim ones, because HAProxy loses
// their bytes.
func (k *talk) judged() bool {
	return k.fault == polite && !slices.ContainsFunc(k.requests, func(q *webRequest) bool { return q.answer.interim > 0 })
}

// certain returns the part of an outcome that does not depend on time. It ends before the
// exchange in which a server fails. That exchange is included if it is the first and the server
// ends before a final answer.
func (k *talk) certain(outcome []string) []string {
	n := k.firstSpoiled()
	if n == 0 && k.requests[0].diesEarly() {
		n = 1
	}
	return outcome[:min(n, len(outcome))]
}

// diesEarly reports whether the server reads the whole request and then sends FIN before any
// byte of the final answer.
func (q *webRequest) diesEarly() bool {
	a := &q.answer
	return !q.refused && a.fault == shuts && a.early < 0 && a.after <= len(q.interimText())
}
