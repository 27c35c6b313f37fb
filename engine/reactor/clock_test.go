//go:build !simulation

package reactor

import (
	"slices"
	"testing"
)

// until handles batches until as many timers have fired.
func (h *recorder) until(t *testing.T, timers int) {
	t.Helper()
	for len(h.timers) < timers {
		if err := h.batch(t); err != nil {
			t.Fatal(err)
		}
	}
}

func TestTimersFireInTheirOrder(t *testing.T) {
	h := open(t)
	start := h.Now()
	h.Arm(1, start+60)
	h.Arm(2, start+20) // earlier than the timerfd is set for
	h.Arm(3, start+40)
	h.Arm(4, start+10)
	h.Arm(3, start+1000) // later than it is armed for: no change
	h.Disarm(4)
	at, third := h.Due(3)
	_, fourth := h.Due(4)
	if h.Timers() != 3 || !third || at != start+40 || fourth {
		t.Errorf("%d timers are armed; 3: %v at %d, 4: %v", h.Timers(), third, at-start, fourth)
	}
	for i, at := range []int64{20, 40, 60} {
		h.until(t, i+1)
		if h.Now() < start+at {
			t.Errorf("a timer for %d ms fires after %d ms", at, h.Now()-start)
		}
	}
	if !slices.Equal(h.timers, []int32{2, 3, 1}) || h.Timers() != 0 {
		t.Errorf("timers %v have fired, %d are armed", h.timers, h.Timers())
	}
}

// TestTimerfdIsDisarmedWithoutTimers: while no timer is armed, the loop is not woken.
func TestTimerfdIsDisarmedWithoutTimers(t *testing.T) {
	h := open(t)
	h.Arm(1, h.Now())
	h.until(t, 1)
	if h.clock.next != 0 {
		t.Errorf("the timerfd is armed for %d", h.clock.next)
	}
	h.Arm(1, h.Now()+5)
	h.until(t, 2)
	if h.clock.next != 0 {
		t.Errorf("the timerfd is armed for %d", h.clock.next)
	}
}

// TestTimerMayArmItself: while a timer fires, the same timer may be armed again.
func TestTimerMayArmItself(t *testing.T) {
	h := open(t)
	h.onTimer = func(id int32) { h.Arm(id, h.Now()+1) }
	h.Arm(1, h.Now())
	h.until(t, 3)
	if !slices.Equal(h.timers, []int32{1, 1, 1}) || h.Timers() != 1 {
		t.Errorf("timers %v have fired, %d are armed", h.timers, h.Timers())
	}
}
