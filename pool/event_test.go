package pool

import (
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// The expected texts are those that HAProxy 2.6.12 wrote to its log in the same situations.
func TestEventsSpeakLikeHAProxy(t *testing.T) {
	c := weighted(1, 1, 1, 0)
	c.Servers[2].Backup = true
	for _, s := range c.Servers {
		s.Check, s.Rise, s.Fall = true, 1, 1
	}
	b := mustNew(t, c)
	b.Servers()[0].Stat.Open(0)
	var got []Event
	checks := make([]checker, len(b.Servers()))
	for i, s := range b.Servers() {
		checks[i] = checker{server: s, say: func(e Event) { got = append(got, e) }}
	}
	for _, what := range []string{"b-", "a-", "c-", "c!", "c!", "c+", "d-", "b+"} {
		checks[what[0]-'a'].observe(result(what[1]))
	}
	refused := `reason: Layer4 connection problem, info: "Connection refused", check duration: 0ms. `
	passed := "reason: Layer4 check passed, check duration: 0ms. "
	want := []Event{
		{Alert, "Server bk/b is DOWN, " + refused + "1 active and 1 backup servers left. 0 sessions active, 0 requeued, 0 remaining in queue.", b.Servers()[1]},
		{Alert, "Server bk/a is DOWN, " + refused + "0 active and 1 backup servers left. Running on backup. 1 sessions active, 0 requeued, 0 remaining in queue.", b.Servers()[0]},
		{Alert, "Backup Server bk/c is DOWN, " + refused + "0 active and 0 backup servers left. 0 sessions active, 0 requeued, 0 remaining in queue.", b.Servers()[2]},
		{Emerg, "backend bk has no server available!", nil},
		{Warning, `Health check for backup server bk/c failed, reason: Socket error, info: "General socket error (Too many open files)", check duration: 0ms, status: 0/1 DOWN.`, b.Servers()[2]},
		{Notice, "Backup Server bk/c is UP, " + passed + "0 active and 1 backup servers online. Running on backup. 0 sessions requeued, 0 total in queue.", b.Servers()[2]},
		{Alert, "Server bk/d is DOWN, " + refused + "0 active and 1 backup servers left. Running on backup. 0 sessions active, 0 requeued, 0 remaining in queue.", b.Servers()[3]},
		{Notice, "Server bk/b is UP, " + passed + "1 active and 1 backup servers online. 0 sessions requeued, 0 total in queue.", b.Servers()[1]},
	}
	if diff := cmp.Diff(want, got, cmp.Comparer(func(a, b *Server) bool { return a == b })); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
	if b.Downs() != 1 || b.Servers()[0].Downs() != 1 || b.Active() != 1 || b.Weight() != 1 {
		t.Errorf("backend down %d times, a %d, %d active of weight %d", b.Downs(), b.Servers()[0].Downs(), b.Active(), b.Weight())
	}
}

// A server that wants no new clients is not DOWN. A backend without any other server is DOWN.
func TestServersThatStop(t *testing.T) {
	c := weighted(1, 1)
	for _, s := range c.Servers {
		s.Check = true
	}
	b := mustNew(t, c)
	var got []Event
	checks := make([]checker, len(b.Servers()))
	for i, s := range b.Servers() {
		checks[i] = checker{server: s, say: func(e Event) { got = append(got, e) }}
	}
	observe := func(marks string) {
		for i := 0; i < len(marks); i += 2 {
			checks[marks[i]-'a'].observe(result(marks[i+1]))
		}
	}
	observe("acac")
	if who := picks(b, 3, nil); who != "bbb" || !b.Servers()[0].Running() || b.Weight() != 1 {
		t.Errorf("picked %s of weight %d, a runs: %v", who, b.Weight(), b.Servers()[0].Running())
	}
	observe("bc")
	if who := picks(b, 2, nil); who != "--" || b.Available() || b.Downs() != 1 || b.Servers()[1].Downs() != 0 {
		t.Errorf("picked %s, available %v, down %d times, server %d", who, b.Available(), b.Downs(), b.Servers()[1].Downs())
	}
	observe("a+")
	if who := picks(b, 2, nil); who != "aa" || !b.Available() {
		t.Errorf("picked %s, available %v", who, b.Available())
	}
	passed := "reason: Layer7 check conditionally passed, code: 404, check duration: 0ms. "
	want := []Event{
		{Notice, "Server bk/a is stopping, " + passed + "1 active and 0 backup servers online. 0 sessions requeued, 0 total in queue.", b.Servers()[0]},
		{Notice, "Server bk/b is stopping, " + passed + "0 active and 0 backup servers online. 0 sessions requeued, 0 total in queue.", b.Servers()[1]},
		{Emerg, "backend bk has no server available!", nil},
		{Notice, "Server bk/a is UP, reason: Layer4 check passed, check duration: 0ms. 1 active and 0 backup servers online. 0 sessions requeued, 0 total in queue.", b.Servers()[0]},
	}
	if diff := cmp.Diff(want, got, cmp.Comparer(func(a, b *Server) bool { return a == b })); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
}

func TestListenIsCalledProxy(t *testing.T) {
	c := weighted(1)
	c.Listen = true
	if got, want := noServer(mustNew(t, c)).Text, "proxy bk has no server available!"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestLife(t *testing.T) {
	var l life
	l.turn(1000, true)
	if got := l.downtime(1500); got != 500 {
		t.Errorf("downtime %d while down, want 500", got)
	}
	l.turn(3000, false)
	l.turn(3500, false) // both states are up, for example NOLB and UP
	l.turn(4000, true)
	l.turn(4500, false)
	if l.downtime(9000) != 2500 || l.age(9000) != 4500 || l.downs.Load() != 2 {
		t.Errorf("downtime %d, age %d, downs %d", l.downtime(9000), l.age(9000), l.downs.Load())
	}
}

// When checks of many servers change states at once, orders and counts must be correct at the
// end. The events about the last usable server must agree with them.
func TestManyServersChangeAtOnce(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	c := weighted(slices.Repeat([]int{1, 2, 3}, 8)...)
	for i, s := range c.Servers {
		s.Check, s.Rise, s.Fall, s.Backup = true, 1, 1, i%4 == 0
	}
	b := mustNew(t, c)
	left := 0
	say := func(e Event) {
		if e.Level == Emerg && b.Available() {
			left++
		}
	}
	var wg sync.WaitGroup
	for i, s := range b.Servers() {
		wg.Go(func() {
			check := checker{server: s, say: say}
			rnd := rand.New(rand.NewPCG(seed, uint64(i)))
			for range 200 {
				check.observe(result("+-c"[rnd.IntN(3)]))
				b.Pick(Key{}, nil)
			}
		})
	}
	wg.Wait()
	var active, backup, weight int
	for _, s := range b.inUse() {
		weight += s.Weight()
	}
	for _, s := range b.Servers() {
		switch {
		case s.Usable() && s.Conf().Backup:
			backup++
		case s.Usable():
			active++
		}
	}
	if b.Active() != active || b.Backup() != backup || b.Weight() != weight || left != 0 {
		t.Errorf("seed %d: counted %d+%d servers, there are %d+%d; weight %d, want %d; %d false alarms", seed,
			b.Active(), b.Backup(), active, backup, b.Weight(), weight, left)
	}
}
