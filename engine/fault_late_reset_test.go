//go:build !simulation

package engine

import (
	"errors"
	"io"
	"sluice/engine/session"
	"testing"
)

// TestResetWithFIN: if a peer's FIN and RST arrive together, the session ends at once, as it
// does if they arrive one after the other.
func TestResetWithFIN(t *testing.T) {
	for _, by := range []session.Side{session.Client, session.Server} {
		t.Run([]string{"client", "server"}[by], func(t *testing.T) {
			stopped, on := make(chan bool), make(chan bool)
			dies := script{until("the loops are stopped", closed(stopped)), fin, rst}
			asks, serves := script{say("x"), hear("y"), takeAll}, script{hear("x"), say("y"), takeAll}
			if by == session.Client {
				asks = append(asks[:2:2], dies...)
			} else {
				serves = append(serves[:2:2], dies...)
			}
			s := serveScripts(t, overTCP, serves)
			b := start(t, plain+"  timeout client 1h\n  timeout server 1h\n  server s "+s.String()+"\n")
			a := b.follow("f", asks...)
			wait(t, "the exchange", func() bool { return len(s.all()) == 1 && s.all()[0].soFar() == "x" && a.soFar() == "y" })
			b.tell(func(*session.Loop) error { <-on; return nil })
			close(stopped)
			if by == session.Client {
				a.over()
			} else {
				s.conn(0).over()
			}
			close(on)
			b.wantTerm([]string{"CD", "SD"}[by])
			for _, other := range []*actor{a, s.conn(0)} {
				if err := other.failed(); err != nil && !errors.Is(err, io.EOF) {
					t.Error(err)
				}
			}
		})
	}
}

// TestResetWithFINBeforeRouting: a client that resets in the middle of its head, with a FIN
// before, reaches no server.
func TestResetWithFINBeforeRouting(t *testing.T) {
	stopped, on := make(chan bool), make(chan bool)
	s := serveScripts(t, overTCP, script{takeAll})
	b := start(t, "  mode tcp\n  timeout connect 1s\n  timeout client 1h\n  timeout server 1h\nfrontend f\n  bind 127.0.0.1:1\n"+
		"  use_backend b if { hdr(host) a }\n  default_backend b\nbackend b\n  server s "+s.String()+"\n")
	a := b.follow("f", say("GET / HTTP/1.1\r\nHo"), until("the loops are stopped", closed(stopped)), fin, rst)
	wait(t, "half of the head", func() bool { return b.Held() > 0 })
	b.tell(func(*session.Loop) error { <-on; return nil })
	close(stopped)
	a.over()
	close(on)
	b.wantTerm("CR")
	if n := len(s.all()); n != 0 {
		t.Errorf("%d connections to the server; want none", n)
	}
}
