//go:build !simulation

package session

import (
	"testing"

	"sluice/engine/reactor"
)

// TestNewSocketHasAnotherToken: the tokens of the sockets that a side has one after the other differ,
// also if another session has the entry of the slab.
func TestNewSocketHasAnotherToken(t *testing.T) {
	b, err := newSlab(2)
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	met := map[reactor.Token]bool{}
	const sockets = 1 << 16
	for range sockets {
		id := b.take()
		s := b.At(id)
		for which := range Side(2) {
			s.Sock[which].open(1<<30, 0) // not an open file, so close has no effect on the process
			k := s.Token(id, which)
			if met[k] || k.Session != id || Side(k.Side) != which {
				t.Fatalf("%+v is the token of session %d, side %d; used before: %v", k, id, which, met[k])
			}
			met[k] = true
			s.Sock[which].close(false)
		}
		b.give(id)
	}
}

// TestBatchHasFewerSocketsThanSerialNumbers: an event of a batch may wait while all other events of
// the batch accept clients, which get the same entry of the slab one after the other.
func TestBatchHasFewerSocketsThanSerialNumbers(t *testing.T) {
	if s := DefaultSizes(); s.Events*s.Accepts >= 1<<16 {
		t.Errorf("a batch may accept %d clients, and a session has %d serial numbers", s.Events*s.Accepts, 1<<16)
	}
}
