package engine

import (
	"maps"
	"net/netip"
	"testing"

	"sluice/conf"
	"sluice/engine/plan"
	"sluice/engine/relay"
	"sluice/engine/site"
	"sluice/pool"
	"sluice/sniff"
)

// kept returns the work on a request that is over, so that both connections can be kept. Its server has
// an idle connection, too.
func kept(t *testing.T) *modeHTTP {
	t.Helper()
	b, problems := pool.New(2, &conf.Backend{Name: "b", Servers: []*conf.Server{{Name: "s", Weight: 1, Address: conf.Address{IP: netip.MustParseAddr("127.0.0.1"), Port: 1}}}}, pool.Means{})
	if err := problems.Err(); err != nil {
		t.Fatal(err)
	}
	budgets := plan.Memory{Readers: 1 << 20, Inspection: 1 << 20, Answers: 1 << 20, Records: 1 << 20}.Budgets()
	l := &loop{stock: relay.NewStock(relay.DefaultSizes(), budgets, 0, 0), scanner: sniff.NewScanner()}
	t.Cleanup(l.stock.Close)
	l.current = visit{loop: l, s: &session{sock: [2]socket{{fd: 1}, {fd: 1}}}, b: &site.Backend{Backend: b}}
	m := &modeHTTP{visit: &l.current, x: &exchange{}}
	m.x.claim.Server = -1
	var st sniff.State
	if n, status := m.x.flow.Ask(l.scanner, &st, []byte("GET / HTTP/1.1\r\nHost: a\r\n\r\n"), &l.sniffed); n == 0 || status != 0 {
		t.Fatal(n, status)
	}
	if n, status := m.x.flow.Reply([]byte("HTTP/1.1 204 No\r\n\r\n"), &m.reply); n == 0 || status != 0 {
		t.Fatal(n, status)
	}
	m.x.marks |= idle
	return m
}

// TestPredicatesListEachCondition: each predicate is true for a request that is over, and false as soon
// as one of its conditions does not hold.
func TestPredicatesListEachCondition(t *testing.T) {
	hold := func(f *relay.Flow) func(*modeHTTP) { return func(m *modeHTTP) { m.stock.Hold(f, []byte("x")) } }
	sock := func(which side, f socketFlags) func(*modeHTTP) { return func(m *modeHTTP) { m.s.sock[which].set(f) } }
	flow := func(which side, f relay.Flags) func(*modeHTTP) { return func(m *modeHTTP) { m.s.flow[which].Set(f) } }
	mark := func(f exchangeMarks) func(*modeHTTP) { return func(m *modeHTTP) { m.x.marks |= f } }
	toServer := func(m *modeHTTP) { hold(&m.s.flow[client])(m) }
	toClient := func(m *modeHTTP) { hold(&m.s.flow[server])(m) }
	asks := func(text string) func(*modeHTTP) {
		return func(m *modeHTTP) {
			var st sniff.State
			m.x.flow.Ask(m.scanner, &st, []byte(text), &m.sniffed)
		}
	}
	const unfinished = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n"
	harms := map[string]func(*modeHTTP){
		"FIN of the server": flow(server, relay.SourceClosing), "end of the server": flow(server, relay.SourceEnded),
		"doubt about the server": flow(server, relay.SourceDoubtful), "FIN to the server": sock(server, finished), "failure of the server": sock(server, broken),
	}
	tests := map[string]struct {
		holds func(*modeHTTP) bool
		but   map[string]func(*modeHTTP)
	}{
		"keepsServer": {(*modeHTTP).keepsServer, merged(harms, map[string]func(*modeHTTP){
			"own answer": mark(local), "close": func(m *modeHTTP) { m.x.flow.CloseServer() }, "request held": toServer, "answer held": toClient,
			"bytes ahead": func(m *modeHTTP) { hold(&m.x.ahead[server])(m) }, "request unfinished": asks(unfinished),
		})},
		"keepsClient": {(*modeHTTP).keepsClient, map[string]func(*modeHTTP){
			"close": func(m *modeHTTP) { m.x.flow.CloseClient() }, "answer held": toClient, "FIN to the client": sock(client, finished),
			"failure of the client": sock(client, broken), "request unfinished": asks(unfinished),
		}},
		"exchangeOver":   {(*modeHTTP).exchangeOver, map[string]func(*modeHTTP){"request held": toServer, "answer held": toClient, "request unfinished": asks(unfinished)}},
		"requestWritten": {(*modeHTTP).requestWritten, map[string]func(*modeHTTP){"held": toServer, "unfinished": asks(unfinished)}},
		"answerWritten":  {(*modeHTTP).answerWritten, map[string]func(*modeHTTP){"held": toClient, "no answer": asks("GET / HTTP/1.1\r\nHost: a\r\n\r\n")}},
		"idleFits": {(*modeHTTP).idleFits, merged(harms, map[string]func(*modeHTTP){
			"no idle connection": func(m *modeHTTP) { m.x.marks &^= idle }, "no memory to read": flow(server, relay.Starved),
			"another backend": func(m *modeHTTP) { m.x.idleBackend = 1 }, "a cookie of another server": func(m *modeHTTP) { m.x.claim.Server = 1 },
			"another address": func(m *modeHTTP) {
				_ = m.b.Find("s").SetAddress(conf.Address{IP: netip.MustParseAddr("127.0.0.1"), Port: 2})
			},
			"drain": func(m *modeHTTP) { m.b.Find("s").SetAdmin(pool.AdminDrain) },
		})},
	}
	for name, tt := range tests {
		if !tt.holds(kept(t)) {
			t.Errorf("%s is false although all conditions hold", name)
		}
		for what, change := range tt.but {
			m := kept(t)
			if change(m); tt.holds(m) {
				t.Errorf("%s is true in spite of: %s", name, what)
			}
		}
	}
}

// TestRequestIsOverWithoutServer: nobody takes the rest of a request whose answer is written if its
// server has failed, or if this proxy has answered.
func TestRequestIsOverWithoutServer(t *testing.T) {
	for name, change := range map[string]func(*modeHTTP){
		"failed":     func(m *modeHTTP) { m.s.sock[server].set(broken) },
		"own answer": func(m *modeHTTP) { m.x.marks |= local },
	} {
		m := kept(t)
		m.stock.Hold(&m.s.flow[client], []byte("x"))
		if change(m); !m.exchangeOver() {
			t.Errorf("%s: the exchange is not over", name)
		}
	}
}

// TestRepeatNeedsEachCondition: a request is repeated only if all conditions hold.
func TestRepeatNeedsEachCondition(t *testing.T) {
	for name, change := range map[string]func(*modeHTTP){
		"":                 func(*modeHTTP) {},
		"a new connection": func(m *modeHTTP) { m.x.marks &^= reused },
		"a byte was heard": func(m *modeHTTP) { m.x.marks |= heard },
		"it was resent":    func(m *modeHTTP) { m.x.marks |= resent },
		"no copy":          func(m *modeHTTP) { m.stock.Release(&m.x.sent) },
	} {
		m := kept(t)
		m.x.marks |= reused
		m.stock.Hold(&m.x.sent, []byte("GET"))
		if change(m); m.mayRepeat() != (name == "") {
			t.Errorf("%q: repeated: %v", name, m.mayRepeat())
		}
	}
}

func merged(all ...map[string]func(*modeHTTP)) map[string]func(*modeHTTP) {
	sum := map[string]func(*modeHTTP){}
	for _, one := range all {
		maps.Copy(sum, one)
	}
	return sum
}
