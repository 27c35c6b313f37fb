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

// checkedBy returns a backend with one server and its checks.
func checkedBy(rise, fall int) *conf.Backend {
	c := weighted(1)
	c.Servers[0].Check, c.Servers[0].Rise, c.Servers[0].Fall = true, rise, fall
	return c
}

// Health keeps its meaning when rise and fall change. The checks before and after the reload stand
// on both sides of the bar.
func TestFollowKeepsTheMeaningOfHealth(t *testing.T) {
	tests := []struct {
		rise, fall   int
		before       string
		rise2, fall2 int
		state        string
		after, want  string
	}{
		{2, 3, "+", 5, 7, "UP", "-------", "DOWN"},
		{2, 3, "+", 1, 1, "UP", "-", "DOWN"},
		{2, 3, "+-", 5, 7, "UP 6/7", "-----", "UP 1/7"},
		{2, 3, "+--", 2, 2, "UP 1/2", "-", "DOWN"},
		{2, 5, "+----", 2, 2, "UP 1/2", "-", "DOWN"},
		{2, 5, "+---", 2, 1, "UP", "-", "DOWN"},
		{2, 3, "c", 5, 7, "NOLB", "+", "UP"},
		{2, 3, "c-", 2, 9, "NOLB 8/9", "c", "NOLB"},
		{2, 3, "", 5, 7, "UP 1/7", "-", "DOWN"},
		{2, 3, "-", 5, 7, "DOWN", "+++++", "UP"},
		{5, 3, "-++", 7, 3, "DOWN 2/7", "+++++", "UP"},
		{5, 3, "-++++", 3, 3, "DOWN 2/3", "+", "UP"},
		{5, 3, "-++++", 1, 3, "DOWN", "+", "UP"},
		{5, 3, "-+", 4, 3, "DOWN 1/4", "-", "DOWN"},
		{2, 3, "+-", 2, 3, "UP 2/3", "--", "DOWN"},
	}
	for _, tt := range tests {
		t.Run(fmt.Sprintf("%d/%d %s | %d/%d %s", tt.rise, tt.fall, tt.before, tt.rise2, tt.fall2, tt.after), func(t *testing.T) {
			b := mustNew(t, checkedBy(tt.rise, tt.fall))
			s := b.Servers()[0]
			feed := Feed(s, func(Event) {})
			for i := range len(tt.before) {
				feed(result(tt.before[i]))
			}
			reload(t, b, checkedBy(tt.rise2, tt.fall2))
			if got := s.State().String(); got != tt.state {
				t.Errorf("state %s after the reload, want %s", got, tt.state)
			}
			if got := b.Active(); got == 1 != (s.State().Status == Up) {
				t.Errorf("%d active servers while %s", got, s.State())
			}
			for i := range len(tt.after) {
				feed(result(tt.after[i]))
			}
			if got := s.State().String(); got != tt.want {
				t.Errorf("state %s at the end, want %s", got, tt.want)
			}
		})
	}
}

// followTests are changes of the configuration of a checked server that is DOWN.
var followTests = []struct {
	name  string
	edit  func(c *conf.Backend, s *conf.Server)
	state string
	begin string // what begins anew: checks, also health, or nothing
}{
	{"nothing", func(*conf.Backend, *conf.Server) {}, "DOWN", ""},
	{"weight", func(_ *conf.Backend, s *conf.Server) { s.Weight = 5 }, "DOWN", ""},
	{"mode", func(c *conf.Backend, _ *conf.Server) { c.Mode = conf.HTTP }, "DOWN", ""},
	{"cookie", func(_ *conf.Backend, s *conf.Server) { s.Cookie = "x" }, "DOWN", ""},
	{"rise", func(_ *conf.Backend, s *conf.Server) { s.Rise = 5 }, "DOWN", ""},
	{"disabled", func(_ *conf.Backend, s *conf.Server) { s.Disabled = true }, "MAINT", ""},
	{"expect", func(c *conf.Backend, _ *conf.Server) { c.HTTPCheck.Expect = []conf.StatusRange{{Low: 200, High: 200}} }, "DOWN", ""},
	{"disable-on-404", func(c *conf.Backend, _ *conf.Server) { c.HTTPCheck.DisableOn404 = true }, "DOWN", ""},
	{"inter", func(_ *conf.Backend, s *conf.Server) { s.Inter = time.Second }, "DOWN", "checks"},
	{"fastinter", func(_ *conf.Backend, s *conf.Server) { s.FastInter = time.Second }, "DOWN", "checks"},
	{"downinter", func(_ *conf.Backend, s *conf.Server) { s.DownInter = time.Second }, "DOWN", "checks"},
	{"timeout check", func(c *conf.Backend, _ *conf.Server) { c.Timeout.Check = time.Second }, "DOWN", "checks"},
	{"timeout connect", func(c *conf.Backend, _ *conf.Server) { c.Timeout.Connect = time.Second }, "DOWN", "checks"},
	{"no check", func(_ *conf.Backend, s *conf.Server) { s.Check = false }, "no check", "health"},
	{"port", func(_ *conf.Backend, s *conf.Server) { s.Address.Port = 2 }, "UP 1/3", "health"},
	{"address", func(_ *conf.Backend, s *conf.Server) {
		s.Address = conf.Address{Net: conf.NetUnix, Path: "/run/web"}
	}, "UP 1/3", "health"},
	{"no httpchk", func(c *conf.Backend, _ *conf.Server) { c.HTTPCheck = nil }, "UP 1/3", "health"},
	{"request", func(c *conf.Backend, _ *conf.Server) { c.HTTPCheck.URI = "/other" }, "UP 1/3", "health"},
	{"header of the request", func(c *conf.Backend, _ *conf.Server) {
		c.HTTPCheck.Headers = []conf.CheckHeader{{Name: "x", Value: "y"}}
	}, "UP 1/3", "health"},
}

// followed returns the configuration of a checked server.
func followed() *conf.Backend {
	c := checkedBy(2, 3)
	c.HTTPCheck = &conf.HTTPCheck{Method: "HEAD", URI: "/", Version: "HTTP/1.0"}
	return c
}

func TestFollowStartsHealthAnew(t *testing.T) {
	for _, tt := range followTests {
		t.Run(tt.name, func(t *testing.T) {
			b := mustNew(t, followed())
			s := b.Servers()[0]
			Feed(s, func(Event) {})(result('-'))
			under := &checker{server: s, say: func(Event) {}, begun: s.starts.Load()}
			c := followed()
			tt.edit(c, c.Servers[0])
			reload(t, b, c)
			if got := s.State().String(); got != tt.state {
				t.Errorf("state %s, want %s", got, tt.state)
			}
			if up, usable := strings.HasPrefix(tt.state, "UP") || tt.state == "no check", b.Active() == 1 && s.Usable(); up != usable {
				t.Errorf("usable %v while %s", usable, tt.state)
			}
			if kept := s.LastCheck() != nil; kept != (tt.begin != "health") {
				t.Errorf("last check %v", s.LastCheck())
			}
			failed := s.FailedChecks()
			s.last.Store(nil)
			under.observe(result('+')) // the check under way
			if counts := s.LastCheck() != nil; counts != (tt.begin != "health" && tt.state != "MAINT") || s.FailedChecks() != failed {
				t.Errorf("the check under way counts: %v", counts)
			}
		})
	}
}

// A server that the new configuration enables starts as at the start of the process, too, as with the
// command.
func TestFollowEnablesAServer(t *testing.T) {
	b := mustNew(t, both("a+")())
	feed := Feed(b.Servers()[0], func(Event) {})
	feed(result('-'))
	reload(t, b, both("a+!")())
	if s := b.Servers()[0].State().String(); s != "MAINT" {
		t.Errorf("state %s, want MAINT", s)
	}
	reload(t, b, both("a+")())
	if s := b.Servers()[0].State().String(); s != "UP 1/3" || b.Active() != 1 || b.Downs() != 1 {
		t.Errorf("state %s, want UP 1/3; %d active servers, the backend was down %d times", s, b.Active(), b.Downs())
	}
	feed(result('-'))
	apply(t, b, "ad")
	reload(t, b, both("a+!")())
	apply(t, b, "ad")
	feed(result('-'))
	reload(t, b, both("a+")())
	if s := b.Servers()[0].State().String(); s != "DOWN" {
		t.Errorf("state %s after drain, want DOWN", s)
	}
}

// recorder counts the checks of servers, with the time of each.
type recorder struct {
	mu    sync.Mutex
	began time.Time
	all   []string
}

func (r *recorder) prober(s *Server) prober {
	return probeFunc(func() Result {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.all = append(r.all, fmt.Sprintf("%s:%d@%s", s.Name, s.Target().Addr.Port(), time.Since(r.began)))
		return result('+')
	})
}

// take returns the checks since the last call, in the order of time.
func (r *recorder) take() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	text := strings.Join(r.all, " ")
	r.all, r.began = nil, time.Now()
	return text
}

// recorded starts the checks of a backend under a recorder, until the test ends.
func recorded(t *testing.T, c *conf.Backend) (*Backend, *recorder, func()) {
	t.Helper()
	b, r := mustNew(t, c), &recorder{began: time.Now()}
	ctx, cancel := context.WithCancel(t.Context())
	over := make(chan struct{})
	go func() {
		defer close(over)
		b.check(ctx, r.prober, func(Event) {})
	}()
	synctest.Wait()
	return b, r, func() {
		cancel()
		<-over
	}
}

// hourly sets the interval of all checks to one hour.
func hourly(c *conf.Backend) *conf.Backend {
	for _, s := range c.Servers {
		s.Inter = time.Hour
	}
	return c
}

func TestFollowStartsAndEndsChecks(t *testing.T) {
	tests := []struct {
		name       string
		old, fresh func() *conf.Backend
		want       string // checks in the 2.7 seconds after the reload, which is 2.5 seconds after the start
	}{
		{"the same", both("a+ b+"), both("a+ b+"), "b:1@500ms a:1@1.5s b:1@2.5s"},
		{"another weight", both("a+ b+"), both("a+*2 b+!"), "a:1@1.5s"},
		{"switched on", both("a b"), both("a+ b+"), "a:1@0s b:1@1s a:1@2s"},
		{"one more", both("a+ b"), both("a+ b+"), "b:1@0s a:1@1.5s b:1@2s"},
		{"switched off", both("a+ b+"), both("a+ b"), "a:1@1.5s"},
		{"added", both("a+"), both("a+ c+ d+"), "c:1@0s d:1@1s a:1@1.5s c:1@2s"},
		{"removed", both("a+ b+"), both("b+"), "b:1@500ms b:1@2.5s"},
		{"address", both("a+ b+"), both("a+:2 b+"), "a:2@0s b:1@500ms a:2@2s b:1@2.5s"},
		{"after an hour before", func() *conf.Backend { return hourly(both("a+ b+")()) }, both("a+ b+"), "a:1@0s b:1@1s a:1@2s"},
		{"after an hour", both("a+ b+"), func() *conf.Backend { return hourly(both("a+ b+")()) }, "a:1@0s"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b, r, end := recorded(t, tt.old())
				time.Sleep(2500 * time.Millisecond)
				r.take()
				reload(t, b, tt.fresh())
				time.Sleep(2700 * time.Millisecond)
				if got := r.take(); got != tt.want {
					t.Errorf("checks %s, want %s", got, tt.want)
				}
				end()
				time.Sleep(time.Minute)
				if got := r.take(); got != "" {
					t.Errorf("checks after the end: %s", got)
				}
			})
		})
	}
}

// both returns a function that makes the configuration of these servers, see declare.
func both(words string) func() *conf.Backend {
	return func() *conf.Backend { return declare(weighted(), words) }
}

// Checks of a backend that does not run them begin with Check, not with a reload.
func TestFollowWithoutCheck(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, r, end := recorded(t, both("a+")())
		end()
		r.take()
		reload(t, b, both("a+:2 b+")())
		time.Sleep(time.Minute)
		if got := r.take(); got != "" {
			t.Errorf("checks %s, want none", got)
		}
	})
}

// A check under way whose interval or address has changed ends at once: its time limit may be an
// hour.
func TestFollowEndsTheCheckUnderWay(t *testing.T) {
	for _, tt := range followTests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := mustNew(t, followed())
				ctx, cancel := context.WithCancel(t.Context())
				ended := make(chan struct{}, 9)
				go b.check(ctx, func(*Server) prober { return untilCancelled{ended} }, func(Event) {})
				synctest.Wait()
				c := followed()
				tt.edit(c, c.Servers[0])
				reload(t, b, c)
				synctest.Wait()
				if over := len(ended) > 0; over != (tt.begin != "") {
					t.Errorf("the check has ended: %v", over)
				}
				cancel()
				synctest.Wait()
			})
		})
	}
}

// The check under way of a server that the new configuration does not name ends, too.
func TestFollowEndsTheCheckOfARemovedServer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := mustNew(t, both("a+ b")())
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan struct{}, 9)
		go b.check(ctx, func(*Server) prober { return untilCancelled{ended} }, func(Event) {})
		synctest.Wait()
		reload(t, b, both("b")())
		synctest.Wait()
		if len(ended) != 1 {
			t.Error("the check of a removed server goes on")
		}
		cancel()
		synctest.Wait()
	})
}

// untilCancelled is a check that never finds anything. Further ones may follow it.
type untilCancelled struct{ ended chan<- struct{} }

func (u untilCancelled) probe(ctx context.Context) Result {
	<-ctx.Done()
	u.ended <- struct{}{}
	return Result{}
}

// A check under way has the settings with which it began, also if the backend has none any more.
func TestCheckKeepsItsSettings(t *testing.T) {
	c := followed()
	c.HTTPCheck.Expect = []conf.StatusRange{{Low: 418, High: 418}}
	b := mustNew(t, c)
	q := newQuestion(b.Servers()[0], c)
	reload(t, b, checkedBy(2, 3))
	if r := q.verdict(418, ""); r.Status != L7OK {
		t.Errorf("%s, want L7OK", r.Status)
	}
	_ = q.deadline(time.Now(), time.Now())
}
