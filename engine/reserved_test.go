//go:build !simulation

package engine

import (
	"reflect"
	"testing"

	"sluice/engine/exchange"
	"sluice/engine/reserve"
	"sluice/engine/session"
)

// TestSessionsHoldNoPointer: the garbage collector does not see the arrays of sessions and exchanges,
// so it would free what only they point to. New refuses the types of all such arrays; this test says
// where the pointer is.
func TestSessionsHoldNoPointer(t *testing.T) {
	for _, of := range []reflect.Type{reflect.TypeFor[session.Session](), reflect.TypeFor[exchange.Exchange]()} {
		for _, path := range reserve.Pointers(of) {
			t.Error(path)
		}
	}
}

// TestMemoryIsReservedForTheDescriptors: maxconn can be raised to what the descriptors allow.
func TestMemoryIsReservedForTheDescriptors(t *testing.T) {
	if !reserve.Costless() {
		t.Skip("address space costs something here, so memory is reserved for maxconn only")
	}
	b := start(t, plain+"  server s 127.0.0.1:9\nglobal\n  maxconn 3\n")
	if got, want := b.Loops[0].Sessions.Len(), b.Plan().Capacity+1; got != want || want <= 4 {
		t.Errorf("%d entries, want %d", got, want)
	}
}
