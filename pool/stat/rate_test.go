package stat

import (
	"sync"
	"testing"
)

func TestRate(t *testing.T) {
	type at struct{ ms, events int64 }
	tests := []struct {
		name      string
		events    []at
		read      int64
		want, max int64
	}{
		{"nothing", nil, 5000, 0, 0},
		{"this second", []at{{5000, 10}}, 5999, 10, 10},
		{"half of the second before", []at{{5000, 10}}, 6500, 5, 10},
		{"all of the second before", []at{{5000, 10}}, 6000, 10, 10},
		{"gone after two", []at{{5000, 10}}, 7000, 0, 10},
		{"gone for long", []at{{5000, 10}}, 5000 + 3_600_000, 0, 10},
		{"both", []at{{5999, 10}, {6750, 4}}, 6750, 6, 10},
		{"max blends", []at{{5999, 10}, {6000, 4}}, 6999, 4, 14},
		{"a loop that lags", []at{{5000, 3}, {4999, 2}, {5000, 1}}, 5100, 6, 6},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var r Rate
			for _, e := range tt.events {
				for range e.events {
					r.Add(e.ms)
				}
			}
			if got := r.Per(tt.read); got != tt.want {
				t.Errorf("rate %d, want %d", got, tt.want)
			}
			if got := r.Max(); got != tt.max {
				t.Errorf("max %d, want %d", got, tt.max)
			}
		})
	}
}

func TestRateSaturates(t *testing.T) {
	var r Rate
	r.word.Store(7<<(2*countBits) | countMask<<countBits)
	r.Add(7000)
	if got := r.Per(7000); got != countMask {
		t.Errorf("rate %d, want %d", got, countMask)
	}
}

func TestRateLosesNothing(t *testing.T) {
	var r Rate
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 1000 {
				r.Add(9000)
			}
		})
	}
	wg.Wait()
	if got := r.Per(9000); got != 8000 {
		t.Errorf("rate %d, want 8000", got)
	}
	if got := r.Max(); got != 8000 {
		t.Errorf("max %d, want 8000", got)
	}
}

func TestMean(t *testing.T) {
	var m Mean
	if m.Avg() != 0 {
		t.Errorf("average of nothing %d, want 0", m.Avg())
	}
	m.Add(-1)
	m.Add(10)
	m.Add(30)
	if m.Avg() != 20 || m.Max() != 30 {
		t.Errorf("average %d, max %d, want 20 and 30", m.Avg(), m.Max())
	}
	for range 20 * meanWindow {
		m.Add(5)
	}
	if m.Avg() != 5 {
		t.Errorf("average %d after many fives, want 5", m.Avg())
	}
}

func TestNowGoesOn(t *testing.T) {
	a := Now()
	if b := Now(); a < 0 || b < a {
		t.Errorf("clock went from %d to %d", a, b)
	}
}
