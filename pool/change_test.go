package pool

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"sluice/conf"
	"sluice/pool/stat"
)

// Each step is a server and its new state: r ready, d drain, m maint, + or - the result of a check,
// and a digit the weight.
func apply(t *testing.T, b *Backend, steps string) {
	t.Helper()
	for step := range strings.FieldsSeq(steps) {
		s := b.Find(step[:1])
		switch what := step[1]; what {
		case 'r', 'd', 'm':
			s.SetAdmin(map[byte]Admin{'r': AdminReady, 'd': AdminDrain, 'm': AdminMaint}[what])
		case '+', '-', 'c':
			Feed(s, func(Event) {})(result(what))
		default:
			if err := s.SetWeight(int(what - '0')); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// The states and counts were compared with HAProxy 2.6.12 and its command `set server`.
func TestRunTimeState(t *testing.T) {
	tests := []struct {
		steps string
		picks string // of eight turns
		state string // of server a
		want  string // active/weight, how often a and the backend were down
	}{
		{"", "abababab", "UP 1/3", "2/2 0 0"},
		{"ad", "bbbbbbbb", "DRAIN 1/3", "1/1 0 0"},
		{"a+ ad", "bbbbbbbb", "DRAIN", "1/1 0 0"},
		{"ad a-", "bbbbbbbb", "DOWN", "1/1 1 0"},
		{"ad a- ar", "bbbbbbbb", "DOWN", "1/1 1 0"},
		{"ad a- ar a+ a+", "abababab", "UP", "2/2 1 0"},
		{"ad ac", "bbbbbbbb", "NOLB", "1/1 0 0"},
		{"ad ar", "abababab", "UP 1/3", "2/2 0 0"},
		{"am", "bbbbbbbb", "MAINT", "1/1 1 0"},
		{"am a- am", "bbbbbbbb", "MAINT", "1/1 1 0"},
		{"a+ am ar", "abababab", "UP 1/3", "2/2 1 0"},
		{"a- am", "bbbbbbbb", "MAINT", "1/1 1 0"},
		{"a- am ar", "abababab", "UP 1/3", "2/2 1 0"},
		{"ac am ar", "abababab", "UP 1/3", "2/2 1 0"},
		{"a- am ar a-", "bbbbbbbb", "DOWN", "1/1 2 0"},
		{"am ad", "bbbbbbbb", "DRAIN 1/3", "1/1 1 0"},
		{"a+ ar", "abababab", "UP", "2/2 0 0"},
		{"a3", "aabaaaba", "UP 1/3", "2/4 0 0"},
		{"a0", "bbbbbbbb", "UP 1/3", "1/1 0 0"},
		{"a0 a2 b2", "abababab", "UP 1/3", "2/4 0 0"},
		{"am a3", "bbbbbbbb", "MAINT", "1/1 1 0"},
		{"am a3 ar", "aabaaaba", "UP 1/3", "2/4 1 0"},
		{"a0 a-", "bbbbbbbb", "DOWN", "1/1 1 0"},
		{"ad bd", "--------", "DRAIN 1/3", "0/0 0 1"},
		{"ad b0", "--------", "DRAIN 1/3", "0/0 0 1"},
		{"am bm ar br", "abababab", "UP 1/3", "2/2 1 1"},
		{"am bm b- a0", "--------", "MAINT", "0/0 1 1"},
	}
	for _, tt := range tests {
		t.Run(tt.steps, func(t *testing.T) {
			c := weighted(1, 1)
			c.Servers[0].Check, c.Servers[1].Check = true, true
			b := mustNew(t, c)
			apply(t, b, tt.steps)
			s := b.Find("a")
			got := fmt.Sprintf("%d/%d %d %d", b.Active(), b.Weight(), s.Downs(), b.Downs())
			if who := picks(b, 8, nil); who != tt.picks || s.State().String() != tt.state || got != tt.want {
				t.Errorf("got  %s, a is %s, %s\nwant %s, a is %s, %s", who, s.State(), got, tt.picks, tt.state, tt.want)
			}
			if running := s.Running(); running != !strings.HasPrefix(tt.state, "DOWN") && tt.state != "MAINT" {
				t.Errorf("running %v while %s", running, s.State())
			}
			if up := b.Available(); up != (b.Active() > 0) {
				t.Errorf("available %v with %d active servers", up, b.Active())
			}
		})
	}
}

func TestRunTimeStateWithoutChecks(t *testing.T) {
	c := weighted(1, 1)
	c.Servers[0].Disabled = true
	b := mustNew(t, c)
	for _, tt := range []struct{ steps, state, picks string }{
		{"", "MAINT", "bb"}, {"ar", "no check", "ab"}, {"ad", "DRAIN", "bb"}, {"am", "MAINT", "bb"}, {"ar a0", "no check", "bb"},
	} {
		apply(t, b, tt.steps)
		pickerOf(b).(*roundRobin).turn.n.Store(0)
		if got, state := picks(b, 2, nil), b.Find("a").State().String(); got != tt.picks || state != tt.state {
			t.Errorf("after %q: picked %s, a is %s; want %s, %s", tt.steps, got, state, tt.picks, tt.state)
		}
	}
}

// As in HAProxy, a server that is disabled counts as down, also if it is so from the start.
func TestDowntimeInMaintenance(t *testing.T) {
	c := weighted(1, 1)
	c.Servers[0].Disabled = true
	b := mustNew(t, c)
	a, start := b.Servers()[0], b.Servers()[0].life.since.Load()
	if got := a.Downtime(start + 500); got != 500 || a.Downs() != 0 {
		t.Errorf("down %d times for %dms, want 0 times for 500ms", a.Downs(), got)
	}
	a.SetAdmin(AdminReady)
	is := stat.Now()
	if got := a.Downtime(is + 500); got > is-start || a.Since(is+500) < 500 {
		t.Errorf("down for %dms of %d after its end, in this state for %dms", got, is-start, a.Since(is+500))
	}
}

func TestSetWeightRefuses(t *testing.T) {
	b := mustNew(t, weighted(5, 1))
	s := b.Servers()[0]
	for _, n := range []int{-1, 257} {
		want := fmt.Sprintf("server 'bk/a': weight %d: wanted 0 to 256", n)
		if err := s.SetWeight(n); err == nil || err.Error() != want || s.Weight() != 5 {
			t.Errorf("got %v and weight %d, want %s", err, s.Weight(), want)
		}
	}
	for _, n := range []int{0, 256} {
		if err := s.SetWeight(n); err != nil || s.Weight() != n || b.Weight() != n+1 {
			t.Errorf("%v, weight %d of %d, want %d", err, s.Weight(), b.Weight(), n)
		}
	}
}

// path is a Socket for tests.
type path string

func (p path) IsUnix() bool { return true }

func TestSetAddress(t *testing.T) {
	tests := []struct {
		name    string
		address conf.Address
		want    string // the address, or the error
		fresh   bool   // the server's health starts anew
	}{
		{"other port", conf.Address{IP: netip.MustParseAddr("127.0.0.1"), Port: 2}, "127.0.0.1:2", true},
		{"the same", conf.Address{IP: netip.MustParseAddr("127.0.0.1"), Port: 1}, "127.0.0.1:1", false},
		{"name of the same", conf.Address{Host: "web1", Port: 1}, "127.0.0.1:1", false},
		{"UNIX socket", conf.Address{Net: conf.NetUnix, Path: "/run/web"}, "/run/web", true},
		{"unknown name", conf.Address{Host: "web2", Port: 1}, "server 'bk/a': could not resolve address 'web2': no such host", false},
		{"no port", conf.Address{Host: "web1"}, "server 'bk/a': address has no port; wanted host:port", false},
		{"inherited socket", conf.Address{Net: conf.NetFD, FD: 3}, "server 'bk/a': address 'fd@3': wanted an address to connect to", false},
		{"refused by the engine", conf.Address{Net: conf.NetUnix}, "server 'bk/a': no path", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := backendWithMeans(t)
			s := b.Servers()[0]
			got := ""
			if err := s.SetAddress(tt.address); err != nil {
				got = err.Error()
			} else if at := s.Target(); at.Net == conf.NetTCP {
				got = at.Addr.String()
			} else {
				got = at.Path
			}
			if got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
			if at := s.Target(); at.Socket != path(at.Addr.String()+at.Path) {
				t.Errorf("the socket address of %+v is another one", at)
			}
			if moved := s.Moves() == 1; moved != tt.fresh {
				t.Errorf("the address has changed %d times; want a change: %v", s.Moves(), tt.fresh)
			}
			if fresh := s.LastCheck() == nil && s.State().String() == "UP 1/3"; fresh != tt.fresh {
				t.Errorf("state %s, last check %v; starts anew: want %v", s.State(), s.LastCheck(), tt.fresh)
			}
		})
	}
}

// backendWithMeans returns a backend of one server that is DOWN.
func backendWithMeans(t *testing.T) *Backend {
	t.Helper()
	c := weighted(1)
	c.Servers[0].Check = true
	b, ps := New(1, c, Means{
		Resolve: func(host string) (netip.Addr, error) {
			if host == "web1" {
				return netip.MustParseAddr("127.0.0.1"), nil
			}
			return noNames(host)
		},
		Prepare: func(to *Target) (Socket, error) {
			if to.Net == conf.NetUnix && to.Path == "" {
				return nil, errors.New("no path")
			}
			return path(to.Addr.String() + to.Path), nil
		},
	})
	if ps.Err() != nil {
		t.Fatal(ps.Err())
	}
	apply(t, b, "a-")
	return b
}

func (l *locked) use(servers []*Server) {
	if l.server.changing.TryLock() {
		l.free = true
		l.server.changing.Unlock()
	}
	l.picker.use(servers)
}

// One change of a server ends before the next one begins. Otherwise the result of a check could
// overwrite a later restart.
func TestChangesOfOneServerExcludeEachOther(t *testing.T) {
	c := weighted(1, 1)
	c.Servers[0].Check = true
	for _, step := range []string{"a-", "a3", "ad", "am"} {
		b := mustNew(t, c)
		l := &locked{picker: pickerOf(b), server: b.Servers()[0]}
		usePicker(b, l)
		apply(t, b, step)
		if l.free {
			t.Errorf("%s: another change can begin meanwhile", step)
		}
	}
}

// Setters and checks change servers while loops pick. In the end the counts agree with the servers.
func TestChangesAtOnce(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	c := weighted(1, 2, 3, 4)
	for i, s := range c.Servers {
		s.Check, s.Rise, s.Fall, s.Backup = true, 1, 1, i == 3
	}
	b := mustNew(t, c)
	var wg sync.WaitGroup
	for i, s := range b.Servers() {
		wg.Go(func() {
			rnd := rand.New(rand.NewPCG(seed, uint64(i)))
			for n := range 300 {
				_ = s.SetWeight(rnd.IntN(4))
				s.SetAdmin(Admin(rnd.IntN(3)))
				_ = s.SetAddress(conf.Address{IP: netip.MustParseAddr("127.0.0.1"), Port: uint16(1 + n)})
			}
		})
		wg.Go(func() {
			feed, rnd := Feed(s, func(Event) {}), rand.New(rand.NewPCG(seed, 100+uint64(i)))
			for range 300 {
				feed(result("+-c"[rnd.IntN(3)]))
			}
		})
		wg.Go(func() {
			for range 3000 {
				if got := b.Pick(Key{}, s); got != nil {
					_ = got.Target().Addr
					got.Release()
				}
			}
		})
	}
	wg.Wait()
	active, backup, weight := 0, 0, 0
	for _, s := range b.Servers() {
		switch {
		case s.Usable() && s.Conf().Backup:
			backup++
		case s.Usable():
			active++
		}
		if s.recorded.status != s.State().Status || s.References() != 0 {
			t.Errorf("seed %d: %s is %s, recorded as %s, with %d references", seed, s, s.State(), s.recorded.status, s.References())
		}
	}
	for _, s := range b.inUse() {
		weight += s.Weight()
	}
	if b.Active() != active || b.Backup() != backup || b.Weight() != weight || b.life.down.Load() == b.Available() {
		t.Errorf("seed %d: counted %d+%d of weight %d, want %d+%d of weight %d; down %v", seed,
			b.Active(), b.Backup(), b.Weight(), active, backup, weight, b.life.down.Load())
	}
}

// watched is a picker that writes down its calls.
type watched struct {
	picker
	calls []string
}

func (w *watched) use(servers []*Server) {
	w.note("use", len(servers))
	w.picker.use(servers)
}
func (w *watched) take(s *Server)          { w.note("take "+s.Name, int(s.Stat.Cur())) }
func (w *watched) drop(s *Server)          { w.note("drop "+s.Name, int(s.Stat.Cur())) }
func (w *watched) note(what string, n int) { w.calls = append(w.calls, fmt.Sprintf("%s %d", what, n)) }

// An algorithm is told of each assignment once, with the new number of current sessions, and of each
// change that concerns it.
func TestPickerIsTold(t *testing.T) {
	b := mustNew(t, weighted(1, 1))
	w := &watched{picker: pickerOf(b)}
	usePicker(b, w)
	a, z := b.Servers()[0], b.Servers()[1]
	a.Take(0)
	a.Take(0)
	z.Take(0)
	a.Drop(3, 4)
	a.SetAdmin(AdminDrain)
	z.Drop(0, 0)
	a.Drop(0, 0)
	kill(b, "b")
	want := "[take a 1 take a 2 take b 1 drop a 1 use 1 drop b 0 drop a 0 use 0]"
	if got := fmt.Sprint(w.calls); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if a.Stat.In() != 3 || a.Stat.Out() != 4 || a.Stat.Total() != 2 {
		t.Errorf("a has counted %d sessions, %d and %d bytes", a.Stat.Total(), a.Stat.In(), a.Stat.Out())
	}
}

func TestSessionAllocatesNothing(t *testing.T) {
	b := mustNew(t, weighted(5, 1, 1))
	if n := testing.AllocsPerRun(100, func() {
		slot := b.Pick(Key{}, nil).Slot
		s := b.Server(slot)
		_ = s.Target().Socket
		s.Take(1)
		s.Hold()
		s.Release()
		s.Drop(1, 1)
		s.Release()
	}); n != 0 {
		t.Errorf("%v allocations, want 0", n)
	}
}
