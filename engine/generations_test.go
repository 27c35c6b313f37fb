//go:build !simulation

package engine

import (
	"context"
	"errors"
	"fmt"
	"io"
	"testing"

	"sluice/engine/admin"
)

// Each configuration in use is listed with its sessions, until its last session has ended.
func TestGenerationsAreListed(t *testing.T) {
	cfg := unbound(newPeer(t, echo).String())
	at := fmt.Sprintf("127.0.0.1:%d", unusedPort(t))
	r := rebindable(t, cfg, at)
	first := opened(r)
	opened(r)
	r.rebind(at + " name x")
	opened(r)
	want := func(what string, want ...admin.Generation) {
		t.Helper()
		var got []admin.Generation
		wait(t, what, func() bool {
			var err error
			if got, err = r.Generations(t.Context()); err != nil {
				t.Fatal(err)
			}
			if len(got) != len(want) {
				return false
			}
			for i, g := range got {
				if g.Serial != want[i].Serial || g.Sessions != want[i].Sessions || g.Newest != want[i].Newest || g.Loaded.IsZero() {
					return false
				}
			}
			return true
		})
	}
	want("both with their sessions", admin.Generation{Serial: 1, Sessions: 2}, admin.Generation{Serial: 2, Sessions: 1, Newest: true})
	_ = first.Close()
	want("a session less", admin.Generation{Serial: 1, Sessions: 1}, admin.Generation{Serial: 2, Sessions: 1, Newest: true})
}

// opened returns a connection to frontend f whose server has answered.
func opened(r *rebinder) io.Closer {
	r.t.Helper()
	c := r.dial("f")
	bound(c)
	if _, err := io.WriteString(c, "word"); err != nil {
		r.t.Fatal(err)
	}
	if _, err := io.ReadFull(c, make([]byte, 4)); err != nil {
		r.t.Fatal(err)
	}
	return c
}

// Nobody waits for loops that have ended, or when the client of the command has left.
func TestGenerationsOfAProcessThatStops(t *testing.T) {
	r := rebindable(t, unbound(newPeer(t, echo).String()), fmt.Sprintf("127.0.0.1:%d", unusedPort(t)))
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	for range 100 { // the loops may answer first
		if _, err := r.Generations(gone); err != nil && !errors.Is(err, context.Canceled) {
			t.Errorf("after the client has left: %v", err)
		}
	}
	r.Stop()
	wait(t, "an error", func() bool {
		_, err := r.Generations(t.Context())
		return errors.Is(err, ErrLeaving)
	})
}
