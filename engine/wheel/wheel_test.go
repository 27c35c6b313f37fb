package wheel

import (
	"flag"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

var seed = flag.Uint64("seed", uint64(time.Now().UnixNano()), "seed of the random tests")

func newWheel(t testing.TB, entries int) *Wheel {
	t.Helper()
	w, err := New(entries, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.Close)
	return w
}

func TestFiresOnceAndNeverEarly(t *testing.T) {
	for _, after := range []int64{0, 1, 7, 8, 9, 100, slots*Tick - 1, slots * Tick, slots*Tick*3 + 5} {
		w := newWheel(t, 1)
		w.Arm(0, after)
		fired := int64(-1)
		for now := int64(0); now <= after+2*Tick; now++ {
			w.Expire(now, func(int32) {
				if fired >= 0 {
					t.Errorf("after %d ms: fired a second time at %d", after, now)
				}
				fired = now
			})
		}
		if fired < after || fired > after+2*Tick {
			t.Errorf("armed for %d ms, fired at %d", after, fired)
		}
	}
}

func TestArmKeepsTheEarliestTime(t *testing.T) {
	w := newWheel(t, 1)
	w.Arm(0, 500)
	w.Arm(0, 9000)
	w.Arm(0, 100)
	if at, ok := w.Next(); !ok || at < 100 || at > 100+Tick {
		t.Errorf("next is %d, %v; want about 100", at, ok)
	}
	if w.Armed() != 1 {
		t.Errorf("%d entries armed; want 1", w.Armed())
	}
	w.Cancel(0)
	if _, ok := w.Next(); ok || w.Armed() != 0 {
		t.Error("a cancelled entry still waits")
	}
}

func TestFireMayArmAndCancelOthers(t *testing.T) {
	w := newWheel(t, 3)
	for id := range int32(3) {
		w.Arm(id, 100)
	}
	var fired []int32
	w.Expire(200, func(id int32) {
		fired = append(fired, id)
		for other := range int32(3) {
			if other != id {
				w.Cancel(other)
			}
		}
		w.Arm(id, 300)
	})
	if len(fired) != 1 || w.Armed() != 1 {
		t.Errorf("fired %v, %d armed; want one of each", fired, w.Armed())
	}
}

// TestAgainstSortedList makes the same random calls on the wheel and on a plain map. Both must
// fire the same entries at the same times.
func TestAgainstSortedList(t *testing.T) {
	t.Logf("seed %d", *seed)
	rng := rand.New(rand.NewPCG(*seed, 0))
	const entries = 200
	w, plain, now := newWheel(t, entries), map[int32]int64{}, int64(0)
	for range 20000 {
		id := rng.Int32N(entries)
		switch rng.IntN(4) {
		case 0, 1:
			at := now + rng.Int64N(1<<rng.IntN(20))
			w.Arm(id, at)
			if old, ok := plain[id]; !ok || at < old {
				plain[id] = at
			}
		case 2:
			w.Cancel(id)
			delete(plain, id)
		case 3:
			now += rng.Int64N(1 << rng.IntN(16))
			checkExpired(t, w, plain, now)
		}
		if w.Armed() != len(plain) {
			t.Fatalf("%d armed; want %d", w.Armed(), len(plain))
		}
	}
}

// checkExpired allows for the wheel's resolution: an entry that is due within the last two
// ticks may or may not have fired.
func checkExpired(t *testing.T, w *Wheel, plain map[int32]int64, now int64) {
	t.Helper()
	var fired []int32
	w.Expire(now, func(id int32) { fired = append(fired, id) })
	for _, id := range fired {
		at, ok := plain[id]
		if !ok || at > now {
			t.Fatalf("at %d entry %d fired, which is due at %d (armed: %v)", now, id, at, ok)
		}
		delete(plain, id)
	}
	var left []int64
	for _, at := range plain {
		left = append(left, at)
	}
	slices.Sort(left)
	if len(left) == 0 {
		return
	}
	if left[0] <= now-2*Tick {
		t.Fatalf("at %d an entry due at %d has not fired", now, left[0])
	}
	if next, ok := w.Next(); !ok || next > left[0]+2*Tick {
		t.Fatalf("at %d next is %d, %v; the earliest entry is due at %d", now, next, ok, left[0])
	}
}

func TestWorkingAllocatesNothing(t *testing.T) {
	w, now := newWheel(t, 100), int64(0)
	fire := func(int32) {}
	work := func() {
		for id := range int32(100) {
			w.Arm(id, now+int64(id))
		}
		w.Cancel(50)
		now += 2000
		w.Expire(now, fire)
	}
	work()
	if n := testing.AllocsPerRun(100, work); n != 0 {
		t.Errorf("%v allocations a round; want none", n)
	}
}

func BenchmarkArmCancel(b *testing.B) {
	w := newWheel(b, 10000)
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		id := int32(i % 10000)
		w.Arm(id, 50000)
		w.Cancel(id)
	}
}
