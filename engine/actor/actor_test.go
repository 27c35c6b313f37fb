package actor

import (
	"fmt"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"sluice/engine/kernel"
)

// play runs a cast until nothing can happen any more.
func play(c *Cast) {
	k := c.Kernel
	for {
		network := k.Pending() > 0 && k.Rand.IntN(2) == 0 && k.Step()
		if network || c.Step() || k.Step() {
			continue
		}
		at, armed := k.NextTimer()
		if !armed {
			return
		}
		k.Advance(at)
	}
}

// The order of actors depends on the seed only.
func TestOrder(t *testing.T) {
	order := func(seed uint64) (names []string) {
		c := NewCast(kernel.New(kernel.Options{Seed: seed}))
		for i := range 10 {
			c.Spawn(fmt.Sprint(i), func(a *Actor) {
				for range 3 {
					a.Pause(time.Duration(a.Rand.IntN(3)) * time.Millisecond)
					names = append(names, a.Name)
				}
			})
		}
		play(c)
		return names
	}
	if one, two := order(1), order(1); !slices.Equal(one, two) || len(one) != 30 {
		t.Errorf("the same seed: %v and then %v", one, two)
	}
	if one, two := order(1), order(2); slices.Equal(one, two) {
		t.Errorf("two seeds: twice %v", one)
	}
}

// What an actor draws does not depend on the others.
func TestOwnRand(t *testing.T) {
	drawn := func(names ...string) (got uint64) {
		c := NewCast(kernel.New(kernel.Options{Seed: 5}))
		for _, name := range names {
			c.Spawn(name, func(a *Actor) {
				if n := a.Rand.Uint64(); a.Name == "b" {
					got = n
				}
			})
		}
		play(c)
		return got
	}
	if drawn("a", "b", "c") != drawn("b") {
		t.Error("an actor draws something else when others are taken out")
	}
}

// Actors wait for each other.
func TestJoin(t *testing.T) {
	c := NewCast(kernel.New(kernel.Options{}))
	var lines []string
	c.Trace = func(line string) { lines = append(lines, line) }
	c.Spawn("client 1", func(a *Actor) {
		b := a.Go("reader", func(b *Actor) {
			b.Pause(time.Second)
			b.Logf("is done after %v", c.Kernel.Now())
		})
		a.Join(b)
		a.Yield()
		a.Logf("is done")
	})
	play(c)
	want := []string{"client 1 reader is done after 1s", "client 1 is done"}
	if !slices.Equal(lines, want) || len(c.Waiting()) > 0 {
		t.Errorf("%q", lines)
	}
}

// A panic of an actor reaches the scheduler with the actor's name.
func TestPanic(t *testing.T) {
	c := NewCast(kernel.New(kernel.Options{}))
	c.Spawn("client 9", func(*Actor) { panic("alas") })
	defer func() {
		if text := fmt.Sprint(recover()); !strings.HasPrefix(text, "actor client 9: alas\n") {
			t.Errorf("%s", text)
		}
	}()
	c.Step()
	t.Error("no panic")
}

// Stop ends all coroutines, those that have not started, too. Deferred calls run.
func TestStop(t *testing.T) {
	before := runtime.NumGoroutine()
	c := NewCast(kernel.New(kernel.Options{}))
	deferred := 0
	for i := range 100 {
		c.Spawn(fmt.Sprint(i), func(a *Actor) {
			defer func() { deferred++ }()
			defer a.Pause(1) // a wait while it is stopped
			a.Until("waits for ever", func() bool { return false })
		})
	}
	for c.Step() {
	}
	c.Spawn("late", func(a *Actor) { t.Error("a stopped actor started") })
	if waits := c.Waiting(); len(waits) != 101 || waits[3].Waits() != "3 waits for ever" {
		t.Errorf("%d wait, the fourth %s", len(waits), waits[3].Waits())
	}
	c.Stop()
	if deferred != 100 || len(c.Waiting()) > 0 {
		t.Errorf("%d deferred calls; %d wait", deferred, len(c.Waiting()))
	}
	runtime.GC()
	if after := runtime.NumGoroutine(); after > before {
		t.Errorf("%d goroutines before, %d after", before, after)
	}
}

func BenchmarkStep(b *testing.B) {
	for _, others := range []int{0, 30} {
		b.Run(fmt.Sprintf("with %d that wait", others), func(b *testing.B) {
			c := NewCast(kernel.New(kernel.Options{}))
			defer c.Stop()
			for i := range others {
				c.Spawn(fmt.Sprint(i), func(a *Actor) { a.Until("", func() bool { return false }) })
			}
			for c.Step() {
			}
			c.Spawn("busy", func(a *Actor) {
				for {
					a.Yield()
				}
			})
			b.ResetTimer()
			b.ReportAllocs()
			for range b.N {
				c.Step()
			}
		})
	}
}

func BenchmarkSpawn(b *testing.B) {
	c := NewCast(kernel.New(kernel.Options{}))
	b.ReportAllocs()
	for range b.N {
		c.Spawn("one", func(*Actor) {})
		c.Step()
	}
}
