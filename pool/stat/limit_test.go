package stat

import (
	"slices"
	"sync"
	"sync/atomic"
	"testing"
)

func limitOf(most int) *Limit {
	l := new(Limit)
	l.SetMax(most)
	return l
}

func TestLimitIsUsedToTheLastPlace(t *testing.T) {
	l := limitOf(2)
	for i, want := range []bool{true, true, false} {
		if got := l.TryAcquire(); got != want {
			t.Errorf("place %d: %v, want %v", i+1, got, want)
		}
	}
	if wake := l.Release(); wake != -1 {
		t.Errorf("woke loop %d, want none", wake)
	}
	if !l.TryAcquire() || l.Cur() != 2 || l.Max() != 2 {
		t.Errorf("after a release: cur %d of %d", l.Cur(), l.Max())
	}
}

func TestNoLimitStillCounts(t *testing.T) {
	l := new(Limit)
	for range 100 {
		if !l.TryAcquire() {
			t.Fatal("no place without a limit")
		}
	}
	if l.Cur() != 100 || l.Release() != -1 || l.Cur() != 99 {
		t.Errorf("cur %d, want 99", l.Cur())
	}
}

func TestWaitingLoopsTakeTurns(t *testing.T) {
	l := limitOf(1)
	for _, loop := range []int{0, 3, 63, 64, 200, MaxLoops - 1} {
		l.Wait(loop)
	}
	l.woken.Store(0)
	for i, want := range []int{3, 63, 64, 200, MaxLoops - 1, 0, 3, -1} {
		l.TryAcquire()
		if got := l.Release(); got != want {
			t.Errorf("release %d woke %d, want %d", i, got, want)
		}
		if i == 2 { // loop 3 waits again, now after all loops that still wait
			l.Wait(3)
		}
	}
}

func TestAChangedMaximumWakesALoopForEachFreePlace(t *testing.T) {
	for _, tt := range []struct {
		name                string
		from, taken, to     int
		waiting, woken, and []int // and: woken by the Release of all places that are taken
	}{
		{"raised", 2, 2, 4, []int{5, 6, 7}, []int{5, 6}, []int{7}},
		{"raised for more loops than wait", 2, 2, 9, []int{5, 6}, []int{5, 6}, nil},
		{"removed", 2, 2, 0, []int{5, 70, 6, 800}, []int{5, 6, 70, 800}, nil},
		{"the same", 2, 2, 2, []int{5, 6, 7}, nil, []int{5, 6}},
		{"lowered", 3, 3, 1, []int{5, 6}, nil, []int{5}},
		{"raised to what is taken", 3, 3, 3, []int{5}, nil, []int{5}},
		{"introduced", 0, 3, 2, []int{5, 6, 7}, nil, []int{5, 6}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			l := limitOf(tt.from)
			for range tt.taken {
				l.TryAcquire()
			}
			for _, loop := range tt.waiting {
				l.Wait(loop)
			}
			if woken := l.SetMax(tt.to); !slices.Equal(woken, tt.woken) {
				t.Errorf("woke %v, want %v", woken, tt.woken)
			}
			var and []int
			for range tt.taken {
				if loop := l.Release(); loop >= 0 {
					and = append(and, loop)
				}
			}
			if !slices.Equal(and, tt.and) {
				t.Errorf("releasing woke %v, want %v", and, tt.and)
			}
		})
	}
}

func TestALoweredMaximumOnlyStopsAccepting(t *testing.T) {
	l := limitOf(3)
	for range 3 {
		l.TryAcquire()
	}
	l.SetMax(1)
	for taken := int64(3); taken > 0; taken-- {
		if l.Cur() != taken || l.TryAcquire() {
			t.Errorf("%d places are taken, want %d; maximum %d", l.Cur(), taken, l.Max())
		}
		l.Release()
	}
	if !l.TryAcquire() || l.TryAcquire() {
		t.Error("below the lower maximum not exactly one place is free")
	}
}

// Each loop has its own queue of clients, as with SO_REUSEPORT, and sleeps when there is no
// free place. If one wake-up were lost, the test would hang.
func TestNoWakeUpIsLost(t *testing.T) {
	const loops, clients, places = 16, 2000, 3
	l := limitOf(places)
	wake := make([]chan struct{}, loops)
	for i := range wake {
		wake[i] = make(chan struct{}, 1)
	}
	release := func() {
		if loop := l.Release(); loop >= 0 {
			select {
			case wake[loop] <- struct{}{}:
			default: // a wake-up is on its way already
			}
		}
	}
	var busy, all sync.WaitGroup
	busy.Add(loops)
	idle := make(chan struct{})
	var most atomic.Int64
	for loop := range loops {
		all.Go(func() {
			for range clients {
				for !acquire(l, loop) {
					<-wake[loop]
				}
				raise(&most, l.Cur())
				all.Go(release)
			}
			busy.Done()
			handOn(l, wake[loop], release, idle)
		})
	}
	busy.Wait()
	close(idle)
	all.Wait()
	if l.Cur() != 0 || most.Load() > places {
		t.Errorf("cur %d at the end, most %d of %d", l.Cur(), most.Load(), places)
	}
}

// handOn is a loop without clients: it frees each place for which it is woken.
func handOn(l *Limit, wake <-chan struct{}, release func(), idle <-chan struct{}) {
	for {
		select {
		case <-wake:
			if l.TryAcquire() {
				release()
			}
		case <-idle:
			return
		}
	}
}

func acquire(l *Limit, loop int) bool {
	if l.TryAcquire() {
		return true
	}
	l.Wait(loop)
	return l.TryAcquire()
}
