package pool

import (
	"context"
	"fmt"
	"net"
	"strings"
	"sync"
	"testing"
	"time"
)

// checkedAt returns a backend whose server is checked every 10 ms.
func checkedAt(t *testing.T, name string, l net.Listener) *Backend {
	t.Helper()
	c := checked(tcpAddress(l))
	c.Name = name
	return mustNew(t, c)
}

// until waits until the condition holds.
func until(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for late := time.Now().Add(10 * time.Second); !holds(); time.Sleep(time.Millisecond) {
		if time.Now().After(late) {
			t.Fatalf("%s: not within 10s", what)
		}
	}
}

// Checks run for backends that a lease uses before or after the call of Check. They run until the
// last lease of the backend ends, also if that is not the newest one.
func TestRegistryChecksWhatIsInUse(t *testing.T) {
	l := listen(t, "tcp", "127.0.0.1:0")
	var r Registry
	leases := []*Lease{r.Lease(), r.Lease()}
	early, _ := leases[0].Backend(checkedAt(t, "early", l), nobody)
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() { r.Check(ctx, nobody) })
	checks := func(b *Backend) bool {
		s := b.Servers()[0]
		s.last.Store(nil)
		for began := time.Now(); time.Since(began) < time.Second; time.Sleep(time.Millisecond) {
			if s.LastCheck() != nil {
				return true
			}
		}
		return false
	}
	until(t, "checks of an early backend", func() bool { return early.Servers()[0].LastCheck() != nil })
	late, _ := leases[1].Backend(checkedAt(t, "late", l), nobody)
	leases[1].Backend(checkedAt(t, "early", l), nobody)
	until(t, "checks of a late backend", func() bool { return late.Servers()[0].LastCheck() != nil })
	leases[1].End()
	if !checks(early) {
		t.Error("the checks have ended although a lease uses the backend")
	}
	until(t, "the end of the checks", func() bool { return !started(late) })
	leases[0].End()
	until(t, "the end of all checks", func() bool { return !started(early) })
	again, _ := r.Lease().Backend(checkedAt(t, "early", l), nobody)
	until(t, "checks of a backend that came again", func() bool { return again.Servers()[0].LastCheck() != nil })
	cancel()
	running.Wait()
	if started(again) {
		t.Error("checks go on after the end of Check")
	}
	third, _ := r.Lease().Backend(checkedAt(t, "third", l), nobody)
	if started(third) || r.check != nil {
		t.Error("checks can begin after the end of Check")
	}
}

// started reports whether the checks of b run.
func started(b *Backend) bool {
	b.listing.Lock()
	defer b.listing.Unlock()
	return b.start != nil
}

// The newest lease that uses the backend gets its events, and nobody gets them after End.
func TestEventsGoToTheNewestLease(t *testing.T) {
	var r Registry
	var got []string
	var leases []*Lease
	var b *Backend
	for i := range 3 {
		leases = append(leases, r.Lease())
		b, _ = leases[i].Backend(mustNew(t, weighted(1)), func(e Event) { got = append(got, fmt.Sprint(i, e.Text)) })
	}
	say := func(text string) {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.log(Event{Text: text})
	}
	say("a")
	leases[1].End()
	say("b")
	leases[2].End()
	say("c")
	leases[0].End()
	say("d")
	if want := "2a 2b 0c"; strings.Join(got, " ") != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
