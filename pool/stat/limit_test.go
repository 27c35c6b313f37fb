package stat

import (
	"sync"
	"sync/atomic"
	"testing"
)

func TestLimitIsUsedToTheLastPlace(t *testing.T) {
	l := NewLimit(2)
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
	l := NewLimit(0)
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
	l := NewLimit(1)
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

// Each loop has its own queue of clients, as with SO_REUSEPORT, and sleeps when there is no
// free place. If one wake-up were lost, the test would hang.
func TestNoWakeUpIsLost(t *testing.T) {
	const loops, clients, places = 16, 2000, 3
	l := NewLimit(places)
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
