package pool

import (
	"context"
	"net/netip"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"sluice/conf"
)

// A check under way when the server's address or administrative state changes does not count.
func TestCheckUnderWayIsDiscarded(t *testing.T) {
	tests := []struct {
		name   string
		change func(s *Server)
		want   string
	}{
		{"nothing", func(*Server) {}, "DOWN"},
		{"weight", func(s *Server) { _ = s.SetWeight(7) }, "DOWN"},
		{"drain", func(s *Server) { s.SetAdmin(AdminDrain) }, "DOWN"},
		{"address", func(s *Server) { _ = s.SetAddress(conf.Address{IP: netip.MustParseAddr("127.0.0.1"), Port: 9}) }, "UP 1/3"},
		{"maint", func(s *Server) { s.SetAdmin(AdminMaint) }, "MAINT"},
		{"maint and ready", func(s *Server) { s.SetAdmin(AdminMaint); s.SetAdmin(AdminReady) }, "UP 1/3"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := weighted(1)
				c.Servers[0].Check = true
				b := mustNew(t, c)
				ctx, cancel := context.WithTimeout(t.Context(), time.Second)
				defer cancel()
				b.check(ctx, func(s *Server) prober {
					return probeFunc(func() Result {
						tt.change(s)
						return result('-')
					})
				}, func(Event) {})
				s := b.Servers()[0]
				if got := s.State().String(); got != tt.want {
					t.Errorf("state %s, want %s", got, tt.want)
				}
				if counts := s.FailedChecks() == 1 && s.LastCheck() != nil; counts != (tt.want == "DOWN") {
					t.Errorf("%d failed checks, the last one %v", s.FailedChecks(), s.LastCheck())
				}
			})
		})
	}
}

// Checks pause in maintenance. They follow servers that are added and removed.
func TestChecksFollowTheServers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := weighted(1, 1)
		c.Servers[0].Check, c.Servers[0].Disabled = true, true
		b := mustNew(t, c)
		ctx, cancel := context.WithCancel(t.Context())
		var checks sync.Map
		go b.check(ctx, func(s *Server) prober {
			return probeFunc(func() Result {
				n, _ := checks.LoadOrStore(s.Name, new(atomic.Int64))
				n.(*atomic.Int64).Add(1)
				return result('+')
			})
		}, func(Event) {})
		counted := func(name string) int64 {
			time.Sleep(11 * time.Second)
			if n, ok := checks.LoadAndDelete(name); ok {
				return n.(*atomic.Int64).Load()
			}
			return 0
		}
		if n := counted("a"); n != 0 {
			t.Errorf("%d checks in maintenance", n)
		}
		b.Find("a").SetAdmin(AdminReady)
		if n := counted("a"); n < 5 {
			t.Errorf("%d checks in 11s after maintenance, want one in 2s", n)
		}
		added := server("c")
		added.Check = true
		s, ps := b.Add(added)
		if n := counted("c"); ps.Err() != nil || n < 5 {
			t.Errorf("%v: %d checks of an added server in 11s, want one in 2s", ps.Err(), n)
		}
		s.Hold()
		if err := b.Remove(s); err != nil {
			t.Error(err)
		}
		if n := counted("c"); n != 0 {
			t.Errorf("%d checks of a removed server", n)
		}
		cancel()
	})
}

// untilEnd is a check that never finds anything.
type untilEnd struct{ ended chan<- struct{} }

func (u untilEnd) probe(ctx context.Context) Result {
	<-ctx.Done()
	close(u.ended)
	return Result{}
}

// The check under way of a removed server ends at once.
func TestRemoveEndsTheCheck(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := weighted(1)
		c.Servers[0].Check = true
		b := mustNew(t, c)
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go b.check(ctx, func(*Server) prober { return untilEnd{ended} }, func(Event) {})
		synctest.Wait()
		if err := b.Remove(b.Servers()[0]); err != nil {
			t.Error(err)
		}
		synctest.Wait()
		select {
		case <-ended:
		default:
			t.Error("the check of a removed server goes on")
		}
		cancel()
	})
}

// locked is a picker that finds out whether another change of the server could begin.
type locked struct {
	picker
	server *Server
	free   bool
}
