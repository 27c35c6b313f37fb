package pool

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"sluice/conf"
)

// Each character stands for one check. + is a success, c a success of a server that wants no
// new clients, - a failure, and ! a lack of our own resources.
func result(mark byte) Result {
	switch mark {
	case '+':
		return Result{OK: true, Status: L4OK}
	case 'c':
		return Result{OK: true, Status: L7OKC, Code: 404}
	case '-':
		return Result{Status: L4CON, Info: "Connection refused"}
	}
	return Result{Local: true, Status: SOCKERR, Info: "General socket error (Too many open files)"}
}

func TestHealth(t *testing.T) {
	tests := []struct {
		rise, fall int
		checks     string
		want       string
		failed     int64
	}{
		{2, 3, "", "UP 1/3", 0},
		{2, 3, "-", "DOWN", 1},
		{2, 3, "+", "UP", 0},
		{2, 3, "+-", "UP 2/3", 1},
		{2, 3, "+--", "UP 1/3", 2},
		{2, 3, "+--+", "UP", 2},
		{2, 3, "+---", "DOWN", 3},
		{2, 3, "+-----", "DOWN", 3},
		{2, 3, "-+", "DOWN 1/2", 1},
		{2, 3, "-+-", "DOWN", 2},
		{2, 3, "-++", "UP", 1},
		{2, 3, "+!!!!", "UP", 0},
		{2, 3, "-!+!+", "UP", 1},
		{2, 3, "c", "NOLB", 0},
		{2, 3, "+c", "NOLB", 0},
		{2, 3, "c--", "NOLB 1/3", 2},
		{2, 3, "c--c", "NOLB", 2},
		{2, 3, "c--+", "UP", 2},
		{2, 3, "c---", "DOWN", 3},
		{2, 3, "c---+", "DOWN 1/2", 3},
		{2, 3, "c---++", "UP", 3},
		{1, 1, "+", "UP", 0},
		{1, 1, "+-", "DOWN", 1},
		{1, 1, "+-+", "UP", 1},
		{4, 1, "-+++", "DOWN 3/4", 1},
	}
	for _, tt := range tests {
		t.Run(fmt.Sprintf("%d/%d %s", tt.rise, tt.fall, tt.checks), func(t *testing.T) {
			c := weighted(1)
			c.Servers[0].Check, c.Servers[0].Rise, c.Servers[0].Fall = true, tt.rise, tt.fall
			s := mustNew(t, c).Servers()[0]
			check := checker{server: s, say: func(Event) {}}
			for i := range len(tt.checks) {
				check.observe(result(tt.checks[i]))
			}
			if got := s.State().String(); got != tt.want {
				t.Errorf("state %s, want %s", got, tt.want)
			}
			if got := s.Running(); got != !strings.HasPrefix(tt.want, "DOWN") {
				t.Errorf("running %v while %s", got, tt.want)
			}
			if got := s.FailedChecks(); got != tt.failed {
				t.Errorf("%d failed checks, want %d", got, tt.failed)
			}
		})
	}
}

func TestStateWithoutChecks(t *testing.T) {
	c := weighted(1, 1)
	c.Servers[1].Disabled = true
	b := mustNew(t, c)
	for i, want := range []string{"no check", "MAINT"} {
		if got := b.Servers()[i].State().String(); got != want {
			t.Errorf("state %s, want %s", got, want)
		}
	}
}

// script takes the results of checks from a string and records the time of each check.
type script struct {
	marks string
	began time.Time
	at    []time.Duration
	done  func()
}

func (s *script) probe(context.Context) Result {
	s.at = append(s.at, time.Since(s.began))
	if len(s.at) == len(s.marks) {
		s.done()
	}
	return result(s.marks[len(s.at)-1])
}

func TestIntervalsFollowTheState(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := weighted(1)
		s := c.Servers[0]
		s.Check, s.Inter, s.FastInter, s.DownInter = true, 5*time.Second, time.Second, 20*time.Second
		ctx, cancel := context.WithCancel(t.Context())
		sc := &script{marks: "++---++.", began: time.Now(), done: cancel}
		mustNew(t, c).check(ctx, func(*Server) prober { return sc }, func(Event) {})
		want := "[0s 5s 10s 11s 12s 32s 33s 38s]"
		if got := fmt.Sprint(sc.at); got != want {
			t.Errorf("checks at %s, want %s", got, want)
		}
	})
}

func TestFirstChecksAreSpread(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := weighted(1, 1, 1, 1, 1)
		c.Servers[2].Disabled = true
		for _, s := range c.Servers {
			s.Check = true
		}
		b := mustNew(t, c)
		began := time.Now()
		var mu sync.Mutex
		var got []time.Duration
		ctx, cancel := context.WithTimeout(t.Context(), 1900*time.Millisecond)
		defer cancel()
		b.check(ctx, func(*Server) prober {
			return probeFunc(func() Result {
				mu.Lock()
				defer mu.Unlock()
				got = append(got, time.Since(began))
				return result('+')
			})
		}, func(Event) {})
		if fmt.Sprint(got) != "[0s 400ms 1.2s 1.6s]" {
			t.Errorf("first checks at %v", got)
		}
	})
}

type probeFunc func() Result

func (f probeFunc) probe(context.Context) Result { return f() }

func TestCheckWithoutServersReturns(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	mustNew(t, &conf.Backend{Name: "none"}).check(ctx, newProber, func(Event) {})
}

// TestChecksRestart: checks can be stopped and started again. The server keeps its health, and the
// check that was under way at the stop has no result.
func TestChecksRestart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := weighted(1)
		c.Servers[0].Check, c.Servers[0].Inter, c.Servers[0].Rise, c.Servers[0].Fall = true, time.Second, 2, 3
		b := mustNew(t, c)
		for round, want := range []string{"UP", "UP 2/3", "UP 1/3", "DOWN"} {
			ctx, cancel := context.WithCancel(t.Context())
			checks := 0
			b.check(ctx, func(*Server) prober {
				return probeFunc(func() Result {
					if checks++; checks == 2 {
						cancel()
					}
					return result("+---"[(round+checks-1)%4])
				})
			}, func(Event) {})
			if got := b.Servers()[0].State().String(); got != want || checks != 2 {
				t.Errorf("round %d: state %s after %d checks, want %s after 2", round, got, checks, want)
			}
		}
	})
}
