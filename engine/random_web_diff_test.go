package engine

import (
	"slices"
	"testing"
)

// TestRandomTalksAsHAProxy plays the same random talks through HAProxy and
// through Sluice. Where the outcome does not depend on time, and HAProxy does what
// the test above expects, the clients get the same.
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
		if wrong := theirs.wrong[k.number]; len(wrong) > 0 {
			t.Logf("HAProxy, talk %d: %q", k.number, wrong)
			continue
		}
		if g, w := k.certain(got[k.number]), k.certain(want[k.number]); !slices.Equal(g, w) {
			t.Errorf("-seed %d -talk %d: got %q; HAProxy's client %q\n%s", *seed, k.number, g, w, k)
		}
	}
}

// judged says that HAProxy has an opinion: not of clients that leave, nor of
// final answers that come together with interim ones, whose bytes it loses.
func (k *talk) judged() bool {
	return k.fault == polite && !slices.ContainsFunc(k.requests, func(q *webRequest) bool { return q.answer.interim > 0 })
}

// certain returns the part of an outcome that does not depend on time: up to the
// exchange that a server spoils, and that one if it is the first and the server
// ends before a final answer.
func (k *talk) certain(outcome []string) []string {
	n := k.firstSpoiled()
	if n == 0 && k.requests[0].diesEarly() {
		n = 1
	}
	return outcome[:min(n, len(outcome))]
}

// diesEarly says that the server ends in good order, having read the request,
// before it says a byte of the final answer.
func (q *webRequest) diesEarly() bool {
	a := &q.answer
	return !q.refused && a.fault == shuts && a.early < 0 && a.after <= len(q.interimText())
}
