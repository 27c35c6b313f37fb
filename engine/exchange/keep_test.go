package exchange

import (
	"maps"
	"net/netip"
	"testing"

	"sluice/conf"
	"sluice/engine/plan"
	"sluice/engine/relay"
	"sluice/engine/session"
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
	l := &session.Loop{Stock: relay.NewStock(relay.DefaultSizes(), budgets, 0, 0), Scanner: sniff.NewScanner()}
	t.Cleanup(l.Stock.Close)
	l.Current = session.Visit{Loop: l, S: &session.Session{Sock: [2]session.Socket{{FD: 1}, {FD: 1}}}, Backend: &site.Backend{Backend: b}}
	m := &modeHTTP{Visit: &l.Current, x: &Exchange{}}
	m.x.claim.Server = -1
	var st sniff.State
	if n, status := m.x.flow.Ask(l.Scanner, &st, []byte("GET / HTTP/1.1\r\nHost: a\r\n\r\n"), &l.Sniffed); n == 0 || status != 0 {
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
	hold := func(f *relay.Flow) func(*modeHTTP) { return func(m *modeHTTP) { m.Stock.Hold(f, []byte("x")) } }
	sock := func(which side, f session.SocketFlags) func(*modeHTTP) {
		return func(m *modeHTTP) { m.S.Sock[which].Set(f) }
	}
	flow := func(which side, f relay.Flags) func(*modeHTTP) {
		return func(m *modeHTTP) { m.S.Flow[which].Set(f) }
	}
	mark := func(f exchangeMarks) func(*modeHTTP) { return func(m *modeHTTP) { m.x.marks |= f } }
	toServer := func(m *modeHTTP) { hold(&m.S.Flow[client])(m) }
	toClient := func(m *modeHTTP) { hold(&m.S.Flow[server])(m) }
	asks := func(text string) func(*modeHTTP) {
		return func(m *modeHTTP) {
			var st sniff.State
			m.x.flow.Ask(m.Scanner, &st, []byte(text), &m.Sniffed)
		}
	}
	const unfinished = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n"
	harms := map[string]func(*modeHTTP){
		"FIN of the server": flow(server, relay.SourceClosing), "end of the server": flow(server, relay.SourceEnded),
		"doubt about the server": flow(server, relay.SourceDoubtful), "FIN to the server": sock(server, session.Finished), "failure of the server": sock(server, session.Broken),
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
			"close": func(m *modeHTTP) { m.x.flow.CloseClient() }, "answer held": toClient, "FIN to the client": sock(client, session.Finished),
			"failure of the client": sock(client, session.Broken), "request unfinished": asks(unfinished),
		}},
		"exchangeOver":   {(*modeHTTP).exchangeOver, map[string]func(*modeHTTP){"request held": toServer, "answer held": toClient, "request unfinished": asks(unfinished)}},
		"requestWritten": {(*modeHTTP).requestWritten, map[string]func(*modeHTTP){"held": toServer, "unfinished": asks(unfinished)}},
		"answerWritten":  {(*modeHTTP).answerWritten, map[string]func(*modeHTTP){"held": toClient, "no answer": asks("GET / HTTP/1.1\r\nHost: a\r\n\r\n")}},
		"idleFits": {(*modeHTTP).idleFits, merged(harms, map[string]func(*modeHTTP){
			"no idle connection": func(m *modeHTTP) { m.x.marks &^= idle }, "no memory to read": flow(server, relay.Starved),
			"another backend": func(m *modeHTTP) { m.x.idleBackend = 1 }, "a cookie of another server": func(m *modeHTTP) { m.x.claim.Server = 1 },
			"another address": func(m *modeHTTP) {
				_ = m.Backend.Find("s").SetAddress(conf.Address{IP: netip.MustParseAddr("127.0.0.1"), Port: 2})
			},
			"drain": func(m *modeHTTP) { m.Backend.Find("s").SetAdmin(pool.AdminDrain) },
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
		"failed":     func(m *modeHTTP) { m.S.Sock[server].Set(session.Broken) },
		"own answer": func(m *modeHTTP) { m.x.marks |= local },
	} {
		m := kept(t)
		m.Stock.Hold(&m.S.Flow[client], []byte("x"))
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
		"no copy":          func(m *modeHTTP) { m.Stock.Release(&m.x.sent) },
	} {
		m := kept(t)
		m.x.marks |= reused
		m.Stock.Hold(&m.x.sent, []byte("GET"))
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
