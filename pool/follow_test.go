package pool

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"sluice/conf"
)

// reload makes b follow a new configuration, and returns the changes, one a line.
func reload(t *testing.T, b *Backend, c *conf.Backend) string {
	t.Helper()
	var lines []string
	for _, change := range b.Follow(mustNew(t, c)) {
		lines = append(lines, change.String())
	}
	return strings.Join(lines, "\n")
}

// line is the number of the last line of declare. All are different, as if the file had been edited.
var line atomic.Int32

// declare makes the servers of c from words such as "a", "b*5" (weight 5), "c!" (disabled), "d:7"
// (port 7), "e+" (checked) and "f~" (backup).
func declare(c *conf.Backend, words string) *conf.Backend {
	c.Servers = nil
	for word := range strings.FieldsSeq(words) {
		s := server(word[:1])
		s.Pos = conf.Pos{File: "f.cfg", Line: int(line.Add(1))}
		for i := 1; i < len(word); i++ {
			switch word[i] {
			case '!':
				s.Disabled = true
			case '+':
				s.Check = true
			case '~':
				s.Backup = true
			case '*':
				i++
				s.Weight = int(word[i] - '0')
			case ':':
				i++
				s.Address.Port = uint16(word[i] - '0')
			}
		}
		c.Servers = append(c.Servers, s)
	}
	return c
}

// describe returns the members of b with slot, weight, port and administrative state.
func describe(b *Backend) string {
	var all []string
	for _, s := range b.Servers() {
		all = append(all, fmt.Sprintf("%s%d*%d:%d %s", s.Name, s.Slot, s.Weight(), s.Target().Addr.Port(), s.Admin()))
	}
	return strings.Join(all, ", ")
}

// order does one command: "a*5" sets a weight, "a:7" a port, "ad", "am" and "ar" a state, "+c" adds
// and "-a" removes a server.
func order(t *testing.T, b *Backend, word string) {
	t.Helper()
	var err error
	switch {
	case word[0] == '+':
		_, ps := b.Add(server(word[1:]))
		err = ps.Err()
	case word[0] == '-':
		err = b.Remove(b.Find(word[1:]))
	case word[1] == '*':
		err = b.Find(word[:1]).SetWeight(int(word[2] - '0'))
	case word[1] == ':':
		err = b.Find(word[:1]).SetAddress(conf.Address{IP: netip.MustParseAddr("127.0.0.1"), Port: uint16(word[2] - '0')})
	default:
		apply(t, b, word)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func TestFollow(t *testing.T) {
	tests := []struct {
		name     string
		old      string
		commands string
		fresh    string
		changes  string
		want     string
	}{
		{"nothing", "a b", "", "a b", "", "a0*1:1 ready, b1*1:1 ready"},
		{"added", "a b", "", "a b c", "server bk/c: added with address 127.0.0.1:1", "a0*1:1 ready, b1*1:1 ready, c2*1:1 ready"},
		{"removed", "a b", "", "b", "server bk/a: removed", "b1*1:1 ready"},
		{"declared order", "a b c", "", "d c a", "server bk/d: added with address 127.0.0.1:1\nserver bk/b: removed", "d3*1:1 ready, c2*1:1 ready, a0*1:1 ready"},
		{"all others", "a b", "", "c d", "server bk/c: added with address 127.0.0.1:1\nserver bk/d: added with address 127.0.0.1:1\nserver bk/a: removed\nserver bk/b: removed", "c2*1:1 ready, d3*1:1 ready"},
		{"none left", "a", "", "", "server bk/a: removed", ""},
		{"first", "", "", "a!", "server bk/a: added with address 127.0.0.1:1", "a0*1:1 maint"},
		{"a free slot", "a b", "-a", "a:2 b", "server bk/a: added with address 127.0.0.1:2, although a command had removed it", "a0*1:2 ready, b1*1:1 ready"},

		{"address", "a", "", "a:2", "server bk/a: address 127.0.0.1:1 is now 127.0.0.1:2", "a0*1:2 ready"},
		{"weight", "a", "", "a*0", "server bk/a: weight 1 is now 0", "a0*0:1 ready"},
		{"weight from 0", "a*0", "", "a*3", "server bk/a: weight 0 is now 3", "a0*3:1 ready"},
		{"disabled", "a", "", "a!", "server bk/a: administrative state ready is now maint", "a0*1:1 maint"},
		{"enabled", "a!", "", "a", "server bk/a: administrative state maint is now ready", "a0*1:1 ready"},

		{"commands hold", "a b c", "a*5 b:7 cd", "a b c", "", "a0*5:1 ready, b1*1:7 ready, c2*1:1 drain"},
		{"commands hold beside other changes", "a b c!", "a*5 b:7 cr", "a:2 b*2 c:3!",
			"server bk/a: address 127.0.0.1:1 is now 127.0.0.1:2\nserver bk/b: weight 1 is now 2\nserver bk/c: address 127.0.0.1:1 is now 127.0.0.1:3", "a0*5:2 ready, b1*2:7 ready, c2*1:3 ready"},
		{"file wins", "a b c d", "a*5 b:7 cd dm", "a*2 b:2 c! d*0",
			"server bk/a: weight 5, set by a command, is now 2\nserver bk/b: address 127.0.0.1:7, set by a command, is now 127.0.0.1:2\nserver bk/c: administrative state drain, set by a command, is now maint\nserver bk/d: weight 1 is now 0",
			"a0*2:1 ready, b1*1:2 ready, c2*1:1 maint, d3*0:1 maint"},
		{"file wins over drain", "a!", "ad", "a", "server bk/a: administrative state drain, set by a command, is now ready", "a0*1:1 ready"},
		{"file says the same as the command", "a b c", "a*2 b:2 cm", "a*2 b:2 c!", "", "a0*2:1 ready, b1*1:2 ready, c2*1:1 maint"},

		{"added by a command", "a", "+c", "b", "server bk/b: added with address 127.0.0.1:1\nserver bk/a: removed", "b2*1:1 ready, c1*1:1 ready"},
		{"added by a command and named", "a", "+c", "c a", "", "c1*1:1 ready, a0*1:1 ready"},
		{"added by a command and named with other values", "a", "+c c*7 cd", "a c*2:3~",
			"server bk/c: address 127.0.0.1:1, set by a command, is now 127.0.0.1:3\nserver bk/c: weight 7, set by a command, is now 2\nserver bk/c: administrative state drain, set by a command, is now ready\nserver bk/c: backup off, set by a command, is now on",
			"a0*1:1 ready, c1*2:3 ready"},
		{"added by a command and named with values that commands have changed", "a", "+c c:7 c*5", "a c",
			"server bk/c: address 127.0.0.1:7, set by a command, is now 127.0.0.1:1\nserver bk/c: weight 5, set by a command, is now 1", "a0*1:1 ready, c1*1:1 ready"},
		{"added by a command and named with another weight and address", "a", "+c", "a c*5:7",
			"server bk/c: address 127.0.0.1:1, set by a command, is now 127.0.0.1:7\nserver bk/c: weight 1, set by a command, is now 5", "a0*1:1 ready, c1*5:7 ready"},
		{"removed by a command", "a b", "-a", "a b*2", "server bk/b: weight 1 is now 2", "b1*2:1 ready"},
		{"removed by a command and not named", "a b", "-a", "b", "", "b1*1:1 ready"},
		{"removed and added by commands", "a b", "-a +a", "a b", "", "a0*1:1 ready, b1*1:1 ready"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := mustNew(t, declare(weighted(), tt.old))
			for command := range strings.FieldsSeq(tt.commands) {
				order(t, b, command)
			}
			before := b.Servers()
			if got := reload(t, b, declare(weighted(), tt.fresh)); got != tt.changes {
				t.Errorf("changes\n%s\nwant\n%s", got, tt.changes)
			}
			if got := describe(b); got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
			for _, s := range b.Servers() {
				at := slices.IndexFunc(before, func(was *Server) bool { return was.Name == s.Name })
				if s.backend != b || b.Server(s.Slot) != s || s.References() != 0 || at >= 0 && before[at] != s {
					t.Errorf("%s is another server than before, or not in its slot", s)
				}
			}
			if got := reload(t, b, declare(weighted(), tt.fresh)); got != "" || describe(b) != tt.want {
				t.Errorf("a further reload changed\n%s\nthe servers are %s", got, describe(b))
			}
		})
	}
}

// A server that a command had added belongs to the configuration once it was named there.
func TestFollowRemovesAServerThatItHasNamed(t *testing.T) {
	b := mustNew(t, declare(weighted(), "a"))
	order(t, b, "+c")
	reload(t, b, declare(weighted(), "a c"))
	if got, want := reload(t, b, declare(weighted(), "a")), "server bk/c: removed"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// What the configuration has changed is not a command.
func TestFollowDoesNotTakeItselfForACommand(t *testing.T) {
	b := mustNew(t, declare(weighted(), "a"))
	reload(t, b, declare(weighted(), "a*2:2!"))
	want := "server bk/a: address 127.0.0.1:2 is now 127.0.0.1:3\nserver bk/a: weight 2 is now 3\nserver bk/a: administrative state maint is now ready"
	if got := reload(t, b, declare(weighted(), "a*3:3")); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// A change of a server waits until the one under way, of a check or a command, has ended.
func TestFollowExcludesOtherChanges(t *testing.T) {
	b := mustNew(t, declare(weighted(), "a"))
	a := b.Find("a")
	a.changing.Lock()
	over := make(chan string)
	go func() { over <- reload(t, b, declare(weighted(), "a*2")) }()
	select {
	case <-over:
		t.Error("another change can begin meanwhile")
	case <-time.After(20 * time.Millisecond):
		a.changing.Unlock()
		<-over
	}
}

// A command holds over any number of reloads, and the file wins at the next change of its value.
func TestFollowRemembersCommands(t *testing.T) {
	b := mustNew(t, declare(weighted(), "a"))
	order(t, b, "a:7")
	for range 3 {
		if got := reload(t, b, declare(weighted(), "a")); got != "" {
			t.Fatal(got)
		}
	}
	moves := b.Find("a").Moves()
	got := reload(t, b, declare(weighted(), "a:2"))
	if want := "server bk/a: address 127.0.0.1:7, set by a command, is now 127.0.0.1:2"; got != want || b.Find("a").Moves() != moves+1 {
		t.Errorf("got %q, %d moves; want %q", got, b.Find("a").Moves()-moves, want)
	}
}

// A name that resolves to another address is a change, unless a command has set the address.
func TestFollowResolvedNames(t *testing.T) {
	named := func(ip string) *Backend {
		c := weighted(1)
		c.Servers[0].Address = conf.Address{Host: "web1", Port: 80}
		b, ps := New(1, c, Means{Resolve: func(string) (netip.Addr, error) { return netip.MustParseAddr(ip), nil }})
		if ps.Err() != nil {
			t.Fatal(ps.Err())
		}
		return b
	}
	b := named("192.0.2.1")
	if got, want := fmt.Sprint(b.Follow(named("192.0.2.2"))), "[server bk/a: address 192.0.2.1:80 is now 192.0.2.2:80]"; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	order(t, b, "a:7")
	if got := b.Follow(named("192.0.2.3")); len(got) != 0 || b.Find("a").Target().Addr.Port() != 7 {
		t.Errorf("changes %s, although a command has set the address", got)
	}
}

func TestFollowSettings(t *testing.T) {
	b := mustNew(t, declare(weighted(), "a b"))
	c := declare(weighted(), "a b")
	c.Mode, c.Retries, c.Redispatch, c.RedispatchEvery, c.AllBackups, c.Persist = conf.HTTP, 5, true, -1, true, true
	c.Timeout = conf.BackTimeout{Connect: 90 * time.Second, Check: time.Minute}
	c.HTTPCheck = &conf.HTTPCheck{Method: "HEAD", URI: "/", Version: "HTTP/1.0", Not: true, DisableOn404: true,
		Expect: []conf.StatusRange{{Low: 500, High: 599}, {Low: 404, High: 404}}}
	s := c.Servers[1]
	s.Check, s.Rise, s.Fall, s.Inter, s.FastInter, s.DownInter = true, 5, 6, 3*time.Second, time.Second, time.Hour
	s.Cookie, s.TFO, s.Backup = "x", true, true
	fresh, ps := New(9, c, Means{})
	if ps.Err() != nil {
		t.Fatal(ps.Err())
	}
	want := `backend bk: mode tcp is now http
backend bk: retries 3 is now 5
backend bk: option redispatch off is now -1
backend bk: option allbackups off is now on
backend bk: option persist off is now on
backend bk: timeout connect none is now 90s
backend bk: timeout check none is now 1m
backend bk: request of checks none is now "HEAD / HTTP/1.0\r\n\r\n"
backend bk: http-check expect none is now ! status 500-599,404-404
backend bk: http-check disable-on-404 off is now on
server bk/b: backup off is now on
server bk/b: cookie none is now x
server bk/b: tfo off is now on
server bk/b: check off is now on
server bk/b: inter 2s is now 3s
server bk/b: fastinter none is now 1s
server bk/b: downinter none is now 1h
server bk/b: rise 2 is now 5
server bk/b: fall 3 is now 6`
	var got []string
	for _, c := range b.Follow(fresh) {
		got = append(got, c.String())
	}
	if strings.Join(got, "\n") != want {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), want)
	}
	if b.Conf() != c || b.Servers()[1].Conf() != s || b.ID() != 9 || b.Servers()[1].ID != 2 {
		t.Errorf("backend %d, server %d, without all settings of the new configuration", b.ID(), b.Servers()[1].ID)
	}
	if b.Active() != 1 || b.Backup() != 1 || b.Weight() != 1 || picks(b, 2, nil) != "aa" {
		t.Errorf("%d active, %d backup of weight %d", b.Active(), b.Backup(), b.Weight())
	}
	if r := b.AfterFailure(Failure{Server: b.Find("a"), Retries: 4}); r.Next == GiveUp {
		t.Error("the fifth retry is not allowed")
	}
}

// Sessions that use a removed server keep it in its slot.
func TestFollowKeepsReferences(t *testing.T) {
	b := mustNew(t, declare(weighted(), "a b"))
	a := b.Find("a")
	a.Hold()
	reload(t, b, declare(weighted(), "b c"))
	if slots(b) != "abc" || a.Admin() != AdminRemoved || a.References() != 1 || a.Usable() || picks(b, 4, nil) != "bcbc" {
		t.Errorf("slots %s, a is %s with %d references", slots(b), a.Admin(), a.References())
	}
	reload(t, b, declare(weighted(), "a b c"))
	if slots(b) != "abca" || b.Find("a") == a {
		t.Errorf("slots %s, want another server a in another slot", slots(b))
	}
	a.Release()
	if slots(b) != ".bca" {
		t.Errorf("slots %s, want the first one free", slots(b))
	}
	reload(t, b, declare(weighted(), "b c d"))
	if slots(b) != "dbc." {
		t.Errorf("slots %s, want d in the first one", slots(b))
	}
}

// Follow gives the picker all changes at once. Two sets are needed only if a server that was used
// must not be used any more, because Pick must find a server in between.
func TestFollowRebuildsOnce(t *testing.T) {
	for _, tt := range []struct{ old, fresh, want string }{
		{"a b c d", "a*2 b:2 c+ e f g", "[use 6]"},
		{"a b", "c d", "[use 2]"},
		{"a b*0", "a*5 b*0", "[use 1]"},
		{"a b!", "a! b", "[use 2 use 1]"},
	} {
		b := mustNew(t, declare(weighted(), tt.old))
		w := &watched{picker: pickerOf(b)}
		usePicker(b, w)
		reload(t, b, declare(weighted(), tt.fresh))
		if got := fmt.Sprint(w.calls); got != tt.want {
			t.Errorf("%s: %s, want %s", tt.fresh, got, tt.want)
		}
		if want := mustNew(t, declare(weighted(), tt.fresh)); b.Active() != want.Active() || b.Weight() != want.Weight() {
			t.Errorf("%s: %d active of weight %d, want %d of %d", tt.fresh, b.Active(), b.Weight(), want.Active(), want.Weight())
		}
		if b.Downs() != 0 || !b.Available() {
			t.Errorf("%s: the backend was down %d times", tt.fresh, b.Downs())
		}
	}
}

// reversed is another algorithm: the last server gets all sessions. look is called before each set
// of servers.
type reversed struct {
	servers []*Server
	look    func()
}

func (r *reversed) use(servers []*Server) {
	r.look()
	r.servers = servers
}
func (r *reversed) take(*Server) {}
func (r *reversed) drop(*Server) {}
func (r *reversed) pick(Key, *Server) *Server {
	return r.servers[len(r.servers)-1]
}

func TestFollowReplacesTheAlgorithm(t *testing.T) {
	look := func() {}
	algorithms = append(algorithms, algorithm{name: "reversed", most: 9, make: func() picker { return &reversed{look: func() { look() }} }})
	defer func() { algorithms = algorithms[:len(algorithms)-1] }()
	b := mustNew(t, declare(weighted(), "a b"))
	c := declare(weighted(), "a b")
	c.Balance.Algorithm = "roundrobin"
	same := pickerOf(b)
	if got := reload(t, b, c); got != "" || pickerOf(b) != same {
		t.Errorf("the default algorithm is written: changes %q", got)
	}
	picks(b, 1, nil)
	look = func() {
		if s := b.Pick(Key{}, nil); b.Algorithm() == "reversed" && s != b.Find("b") {
			t.Errorf("picked %v of the backend of the new configuration", s)
		}
	}
	c = declare(weighted(), "a b")
	c.Balance.Algorithm = "reversed"
	if got, want := reload(t, b, c), "backend bk: balance roundrobin is now reversed"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := picks(b, 3, nil); got != "bbb" || b.Algorithm() != "reversed" || b.Find("b").References() < 3 {
		t.Errorf("picked %s with %s, %d references; want those of the living servers", got, b.Algorithm(), b.Find("b").References())
	}
}
