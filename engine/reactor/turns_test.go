//go:build !simulation

package reactor

import (
	"slices"
	"testing"

	"golang.org/x/sys/unix"
)

// TestTurnsFollowTheBatch: a socket that calls Yield is served again after all events of the batch,
// in the order of the calls.
func TestTurnsFollowTheBatch(t *testing.T) {
	h := open(t)
	a, b := Token{Session: 1}, Token{Session: 2, Side: 1, Serial: 7}
	write(t, h.watched(t, a))
	write(t, h.watched(t, b))
	h.onSocket = func(one Token) {
		if len(h.sockets) <= 2 {
			h.Yield(one)
			if !h.HasTurn(one) || h.Turns() != len(h.sockets) {
				t.Errorf("after Yield %d sockets have a turn; %+v: %v", h.Turns(), one, h.HasTurn(one))
			}
		}
	}
	if err := h.batch(t); err != nil {
		t.Fatal(err)
	}
	first, second := h.sockets[0].Token, h.sockets[1].Token
	want := []socketEvent{{first, unix.EPOLLIN}, {second, unix.EPOLLIN}, {first, 0}, {second, 0}}
	if !slices.Equal(h.sockets, want) || first == second || h.Turns() != 0 {
		t.Errorf("calls: %+v, want %+v; %d sockets have a turn", h.sockets, want, h.Turns())
	}
	if h.settled != 3 {
		t.Errorf("Ended was called %d times, want once for each event and once for the turns", h.settled)
	}
}

// TestWaitDoesNotBlockWhileThereAreTurns: a socket that calls Yield in its own turn has the next one
// after the events that are present.
func TestWaitDoesNotBlockWhileThereAreTurns(t *testing.T) {
	h := open(t)
	slow, other := Token{Session: 1}, Token{Session: 2}
	peer := h.watched(t, other)
	h.onSocket = func(one Token) {
		switch {
		case one == slow && len(h.sockets) == 1:
			h.Yield(slow)
			write(t, peer)
		case one == other:
			h.Yield(other)
		}
	}
	h.Yield(slow)
	h.more = true
	for range 2 { // a batch that waited for another event would not end
		if err := h.batch(t); err != nil {
			t.Fatal(err)
		}
	}
	want := []socketEvent{{slow, 0}, {other, unix.EPOLLIN}, {slow, 0}, {other, 0}}
	if !slices.Equal(h.sockets, want) || !h.more {
		t.Errorf("calls: %+v, want %+v; more %v", h.sockets, want, h.more)
	}
}
