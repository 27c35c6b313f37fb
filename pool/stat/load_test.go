package stat

import (
	"sync"
	"testing"
)

func TestLoad(t *testing.T) {
	var l Load
	if l.Idle(50) != -1 {
		t.Errorf("idle %d before any session, want -1", l.Idle(50))
	}
	if n := l.Open(0); n != 1 {
		t.Errorf("open gave %d, want 1", n)
	}
	l.Open(10)
	l.Close(3, 5)
	l.Open(20)
	l.Close(4, 6)
	got := [...]int64{l.Cur(), l.Max(), l.Total(), l.In(), l.Out(), l.Idle(120), l.Rate().Per(20)}
	if want := [...]int64{1, 2, 3, 7, 11, 100, 3}; got != want {
		t.Errorf("cur max total in out idle rate: %v, want %v", got, want)
	}
}

func TestLoadOfManyLoops(t *testing.T) {
	var l Load
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 1000 {
				l.Open(1)
				l.Close(1, 2)
			}
		})
	}
	wg.Wait()
	if l.Cur() != 0 || l.Total() != 8000 || l.In() != 8000 || l.Out() != 16000 {
		t.Errorf("cur %d total %d in %d out %d", l.Cur(), l.Total(), l.In(), l.Out())
	}
	if l.Max() < 1 || l.Max() > 8 {
		t.Errorf("max %d, want 1 to 8", l.Max())
	}
}

func TestRequests(t *testing.T) {
	var r Requests
	r.Request(0)
	for _, status := range []int{100, 200, 204, 302, 404, 503, 0, 999} {
		r.Response(status)
	}
	var got [6]int64
	for i := range got {
		got[i] = r.Class(i)
	}
	if want := [6]int64{2, 1, 2, 1, 1, 1}; got != want {
		t.Errorf("classes %v, want %v", got, want)
	}
	if r.Total() != 1 || r.Rate().Per(0) != 1 {
		t.Errorf("total %d rate %d, want 1 and 1", r.Total(), r.Rate().Per(0))
	}
}

func TestHotPathAllocatesNothing(t *testing.T) {
	var p Proxy
	limit := limitOf(10)
	got := testing.AllocsPerRun(100, func() {
		if limit.TryAcquire() {
			p.Open(Now())
			p.Requests.Request(1)
			p.Times.Total.Add(7)
			p.Close(1, 2)
			limit.Wait(3)
			limit.Release()
		}
	})
	if got != 0 {
		t.Errorf("%v allocations a session, want 0", got)
	}
}
