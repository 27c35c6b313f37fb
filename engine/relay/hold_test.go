//go:build !simulation

package relay

import (
	"bytes"
	"testing"
)

// TestHoldsAnyLength: rules may make a head longer than the largest store that is kept for
// reuse. Bytes added to such a head must be held, too.
func TestHoldsAnyLength(t *testing.T) {
	budgets := budgetsOf(64 << 20)
	s := NewStock(DefaultSizes(), budgets, 0, 0)
	for _, size := range []int{1<<20 + 1, 5 << 20} {
		var f Flow
		text := bytes.Repeat([]byte("0123456789abcdef"), size/16+1)[:size]
		s.Hold(&f, text)
		s.Hold(&f, text)
		s.Consume(&f, size-1)
		if got := s.Held(&f); got[0] != text[size-1] || !bytes.Equal(got[1:], text) {
			t.Errorf("twice %d bytes are held wrong", size)
		}
		s.Release(&f)
	}
	if budgets.Used() != 0 {
		t.Errorf("%d bytes in use after release", budgets.Used())
	}
}

// TestPurposesShareNothing: a purpose that uses up its budget does not reduce the budgets of
// the others. Each flow may still hold its share. Assign moves the held bytes to the new
// budget.
func TestPurposesShareNothing(t *testing.T) {
	budgets := budgetsOf(1000)
	budgets[ForInspection] = NewBudget(1000, 300)
	s := NewStock(DefaultSizes(), budgets, 0, 0)
	f, other := Flow{}, Flow{}
	s.Assign(&f, ForInspection)
	s.Assign(&other, ForInspection)
	s.Hold(&f, make([]byte, 1000))
	if s.Room(&other, 301) || !s.Room(&other, 300) {
		t.Error("with the budget used up, there is room for more than the share, or not for the share")
	}
	if reader := (Flow{}); !s.Room(&reader, 1000) {
		t.Error("slow readers have no room although they hold nothing")
	}
	s.Assign(&f, ForReader)
	if n, m := budgets[ForInspection].Used(), budgets[ForReader].Used(); n != 0 || m != 1024 {
		t.Errorf("%d and %d bytes are charged; want 0 and 1024", n, m)
	}
	s.Release(&f)
	if budgets.Used() != 0 {
		t.Errorf("%d bytes in use after release", budgets.Used())
	}
}
