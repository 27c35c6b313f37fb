package pool

import (
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"sluice/conf"
)

// server returns the configuration of a server with this name.
func server(name string) *conf.Server {
	c := weighted(1).Servers[0]
	c.Name = name
	return c
}

// slots returns the names of the servers by slot, with a dot for a free slot.
func slots(b *Backend) string {
	var names strings.Builder
	for _, s := range b.roster.Load().slots {
		if s == nil {
			names.WriteString(".")
		} else {
			names.WriteString(s.Name)
		}
	}
	return names.String()
}

func members(b *Backend) string {
	var names strings.Builder
	for _, s := range b.Servers() {
		names.WriteString(s.Name)
	}
	return names.String()
}

// Each step is an operation and a server: + adds, - removes, h holds and r releases.
func TestSlotIsFreeWhenNothingRefersToIt(t *testing.T) {
	tests := []struct {
		name, steps string
		want        string // slots and members after each step
	}{
		{"removed", "-b +d", "a.c/ac adc/acd"},
		{"removed while held", "hb -b +d rb +e", "abc/abc abc/ac abcd/acd a.cd/acd aecd/acde"},
		{"held twice", "hb hb -b rb +d rb +e", "abc/abc abc/abc abc/ac abc/ac abcd/acd a.cd/acd aecd/acde"},
		{"released before", "hb rb -b +d", "abc/abc abc/abc a.c/ac adc/acd"},
		{"the same name again", "hc -c +c rc", "abc/abc abc/ab abcc/abc ab.c/abc"},
		{"all", "-a -b -c +c +a", ".bc/bc ..c/c .../ c../c ca./ca"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := mustNew(t, weighted(1, 1, 1))
			first := map[string]*Server{}
			for _, s := range b.Servers() {
				first[s.Name] = s
			}
			var got []string
			for step := range strings.FieldsSeq(tt.steps) {
				do(t, b, step[0], step[1:], first)
				got = append(got, slots(b)+"/"+members(b))
			}
			if strings.Join(got, " ") != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
			for i, s := range b.roster.Load().slots {
				if s != nil && (b.Server(int32(i)) != s || int(s.Slot) != i || s.ID != i+1) {
					t.Errorf("server %s in slot %d has slot %d, number %d", s, i, s.Slot, s.ID)
				}
			}
		})
	}
}

func do(t *testing.T, b *Backend, what byte, name string, first map[string]*Server) {
	t.Helper()
	switch what {
	case '+':
		if _, ps := b.Add(server(name)); ps.Err() != nil {
			t.Fatal(ps.Err())
		}
	case '-':
		if err := b.Remove(b.Find(name)); err != nil {
			t.Fatal(err)
		}
	case 'h':
		if !first[name].Hold() {
			t.Fatalf("%s can't be held", name)
		}
	case 'r':
		first[name].Release()
	}
}

func TestAddNamesWhatCannotWork(t *testing.T) {
	b := mustNew(t, weighted(1, 1))
	b.balancing.Load().algorithm.most = 2
	tests := []struct {
		name string
		edit func(c *conf.Server)
		want string
	}{
		{"name", func(c *conf.Server) { c.Name = "b" }, "f.cfg:9: error: server 'bk/b': the backend has a server with this name; wanted another name"},
		{"port", func(c *conf.Server) { c.Address.Port = 0 }, "f.cfg:9: error: server 'bk/c': address has no port; wanted host:port"},
		{"rise", func(c *conf.Server) { c.Check, c.Rise = true, 0 }, "f.cfg:9: error: server 'bk/c': rise 0, fall 3: wanted at least 1"},
		{"too many", func(c *conf.Server) {}, "f.cfg:9: error: server 'bk/c': the backend has 2 servers; balance roundrobin can use at most 2"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := server("c")
			c.Pos = conf.Pos{File: "f.cfg", Line: 9}
			tt.edit(c)
			s, ps := b.Add(c)
			if ps.Err() == nil || ps.Err().Error() != tt.want || s != nil {
				t.Errorf("got  %v\nwant %s", ps.Err(), tt.want)
			}
			if slots(b) != "ab" || members(b) != "ab" || picks(b, 2, nil) != "ab" {
				t.Errorf("the backend has changed: %s, %s", slots(b), members(b))
			}
		})
	}
}

func TestRemovedServer(t *testing.T) {
	b := mustNew(t, weighted(1, 1))
	s := b.Find("a")
	if s == nil || b.Find("z") != nil {
		t.Fatalf("found %v and %v", s, b.Find("z"))
	}
	s.Hold()
	if err := b.Remove(s); err != nil {
		t.Fatal(err)
	}
	if err := b.Remove(s); err == nil || err.Error() != "server 'bk/a' was removed before" {
		t.Errorf("removed twice: %v", err)
	}
	if got := picks(b, 3, nil); got != "bbb" || b.Active() != 1 || b.Weight() != 1 || s.Running() || s.References() != 1 {
		t.Errorf("picked %s, %d active of weight %d, running %v, %d references", got, b.Active(), b.Weight(), s.Running(), s.References())
	}
	s.SetAdmin(AdminReady)
	if got := picks(b, 3, nil); got != "bbb" || s.Admin() != AdminRemoved || b.Active() != 1 {
		t.Errorf("enabled after its removal: picked %s", got)
	}
	s.Release()
	if first, second := s.Hold(), s.Hold(); first || second || s.References() != 0 {
		t.Errorf("a freed server can be held, %d references", s.References())
	}
	if _, ps := b.Add(server("c")); ps.Err() != nil || picks(b, 4, nil) != "bcbc" || b.Server(0).Name != "c" {
		t.Errorf("%v, slots %s", ps.Err(), slots(b))
	}
}

func TestReleaseTwicePanics(t *testing.T) {
	b := mustNew(t, weighted(1))
	s := b.Servers()[0]
	if err := b.Remove(s); err != nil {
		t.Fatal(err)
	}
	defer func() {
		if recover() == nil {
			t.Error("a reference too many was given back without a panic")
		}
	}()
	s.Release()
}

func TestPickHolds(t *testing.T) {
	b := mustNew(t, weighted(1, 1))
	a := b.Servers()[0]
	if s := b.Pick(Key{}, nil); s != a || a.References() != 1 || b.Servers()[1].References() != 0 {
		t.Errorf("picked %s, a has %d references", s, a.References())
	}
	a.Release()
	if a.References() != 0 {
		t.Errorf("%d references, want 0", a.References())
	}
}

// A server that is removed between the choice and the reference is not returned.
func TestPickBesideRemove(t *testing.T) {
	b := mustNew(t, weighted(1, 1))
	a := b.Servers()[0]
	usePicker(b, &late{picker: pickerOf(b), then: func() {
		if err := b.Remove(a); err != nil {
			t.Error(err)
		}
	}})
	if s := b.Pick(Key{}, nil); s == a || s == nil || slots(b) != ".b" {
		t.Errorf("picked %v, slots %s", s, slots(b))
	}
}

// A change that ends the use of one server and begins the use of another can fall between the
// choice and its evaluation. Pick then chooses again.
func TestPickBesideAnExchangeOfServers(t *testing.T) {
	c := weighted(1, 1)
	c.Servers[1].Disabled = true
	b := mustNew(t, c)
	inner := pickerOf(b)
	usePicker(b, &late{picker: none{inner}, then: func() {
		apply(t, b, "br am")
		usePicker(b, inner)
	}})
	if s := b.Pick(Key{}, nil); s == nil || s.Name != "b" {
		t.Errorf("picked %v, want b", s)
	}
	apply(t, b, "bm")
	if s := b.Pick(Key{}, nil); s != nil {
		t.Errorf("picked %v, want none", s)
	}
}

// none finds no server to be usable.
type none struct{ picker }

func (none) pick(Key, *Server) *Server { return nil }

// late calls then after its first choice.
type late struct {
	picker
	then func()
}

func (l *late) pick(key Key, avoid *Server) *Server {
	s := l.picker.pick(key, avoid)
	if l.then != nil {
		then := l.then
		l.then = nil
		then()
	}
	return s
}

// While sessions come and go, servers are removed and added. A session must find its server in its
// slot as long as it holds a reference. In the end no slot is lost.
func TestSlotsAtOnce(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	b := mustNew(t, weighted(1, 1, 1, 1))
	var over atomic.Bool
	var wg sync.WaitGroup
	for i := range 4 {
		wg.Go(func() {
			rnd := rand.New(rand.NewPCG(seed, uint64(i)))
			var held []*Server
			for !over.Load() {
				if s := b.Pick(Key{}, nil); s != nil {
					held = append(held, s)
				}
				for len(held) > rnd.IntN(8) {
					s := held[0]
					if b.Server(s.Slot) != s {
						t.Errorf("seed %d: slot %d of %s has another server", seed, s.Slot, s)
					}
					s.Release()
					held = held[1:]
				}
			}
			for _, s := range held {
				s.Release()
			}
		})
	}
	rnd := rand.New(rand.NewPCG(seed, 99))
	for range 3000 {
		s := b.Servers()[rnd.IntN(4)]
		if err := b.Remove(s); err != nil {
			t.Fatal(err)
		}
		if _, ps := b.Add(server(s.Name)); ps.Err() != nil {
			t.Fatal(ps.Err())
		}
	}
	over.Store(true)
	wg.Wait()
	if used := strings.ReplaceAll(slots(b), ".", ""); len(used) != 4 || len(b.Servers()) != 4 || b.Active() != 4 || b.Weight() != 4 {
		t.Errorf("seed %d: slots %s, %d servers, %d active of weight %d", seed, slots(b), len(b.Servers()), b.Active(), b.Weight())
	}
	for _, s := range b.Servers() {
		if s.References() != 0 {
			t.Errorf("seed %d: %s has %d references", seed, s, s.References())
		}
	}
}
