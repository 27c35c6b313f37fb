//go:build simulation

package engine

import (
	"fmt"
	"strings"
	"time"

	"sluice/engine/kernel"
)

// simBack is a backend of a world's configuration.
type simBack struct {
	name            string
	http            bool
	greets          bool // mode tcp: its servers send the first byte of a conversation
	lines           []string
	servers         []*simServer
	retries         int
	redispatch      bool
	connect, server time.Duration // timeout connect and timeout server
	patience        time.Duration // shortest timeout of an established connection; 0: none
	greetings       time.Duration // shortest timeout of the frontends that use the backend; 0: none
	frees           bool          // connections to its servers are not kept
	cookie          *simCookie    // directive cookie; nil: none
	forward         *simForward   // option forwardfor; nil: none
	instead         []int         // status replaced by errorloc, and its replacement, see actor.WebExpect
	rules, answers  []*webRule
	doubts          doubts
}

// simServer is a server of a backend.
type simServer struct {
	name     string
	address  kernel.Address
	kind     serverKind
	weight   int
	backup   bool
	disabled bool
	check    bool
	tfo      bool
	at       time.Duration // time since the start at which the server changes, see serverKind

	joins   bool           // it is only in configurations of reloads
	changes bool           // a reload removes or disables it
	second  kernel.Address // address on which it serves, too, because a reload moves it there; zero: none
}

// serverKind is the behaviour of a server's address during a world.
type serverKind string

const (
	serves    serverKind = "serves"
	refuses   serverKind = "nobody listens"
	blackhole serverKind = "connections stay in progress"

	// Only servers in mode tcp are of the following kinds.
	restarts serverKind = "stops to listen, and listens again after a while"
	stops    serverKind = "stops to listen"
	vanishes serverKind = "connections stay in progress from some time on"
	dawdles  serverKind = "accepts late, and few connections wait for it"
)

// newBack makes a backend with random servers, which all have the kind serves.
func (s *scene) newBack(i int) *simBack {
	b := &simBack{name: fmt.Sprintf("b%d", i), retries: 3, connect: 2 * time.Second, server: 20 * time.Second}
	r := s.plan.source(b.name)
	b.http = r.IntN(3) > 0
	for j := range 1 + r.IntN(3) {
		v := &simServer{name: fmt.Sprintf("%ss%d", b.name, j), kind: serves, weight: 1}
		v.address = ipAddress(100+byte(i), 1+byte(j), 8000)
		if r.IntN(4) == 0 {
			v.address = unixAddress(r.IntN(2) == 0, v.name)
		}
		if j > 0 && !s.keeps("server "+v.name) {
			continue
		}
		b.servers = append(b.servers, v)
	}
	return b
}

// say adds a line to the configuration of the backend.
func (b *simBack) say(format string, args ...any) {
	b.lines = append(b.lines, fmt.Sprintf(format, args...))
}

func (b *simBack) inHTTP() bool { return b.http }
func (b *simBack) inTCP() bool  { return !b.http }

var backKnobs = []knob[*simBack]{
	{"retries", 0.3, nil, func(t *turn[*simBack]) { t.of.retries = t.IntN(4) }},
	{"redispatch", 0.4, nil, redispatchOn},
	{"dead server", 0.15, nil, func(t *turn[*simBack]) { anyServer(t).kind = refuses }},
	{"blackhole", 0.1, nil, func(t *turn[*simBack]) { anyServer(t).become(blackhole) }},
	{"unsteady server", 0.2, (*simBack).inTCP, unsteadyServer},
	{"disabled server", 0.1, nil, func(t *turn[*simBack]) { anyServer(t).disabled = true }},
	{"backup server", 0.15, nil, func(t *turn[*simBack]) { anyServer(t).backup = true }},
	{"weights", 0.3, nil, weighServers},
	{"allbackups", 0.1, nil, func(t *turn[*simBack]) { t.of.say("option allbackups") }},
	{"tfo", 0.15, nil, func(t *turn[*simBack]) { t.of.useTFO(t) }},
	{"smart connect", 0.2, nil, func(t *turn[*simBack]) { t.of.say("option tcp-smart-connect") }},
	{"balance", 0.2, nil, func(t *turn[*simBack]) { t.of.say("balance roundrobin") }},
	{"greeting", 0.2, (*simBack).inTCP, func(t *turn[*simBack]) { t.of.greets = true }},
	{"timeout connect", 0.2, nil, func(t *turn[*simBack]) { t.of.connect = min(t.timeout(), t.of.connect) }},
	{"timeout server", 0.3, nil, func(t *turn[*simBack]) { t.of.server = t.timeout() }},
	{"timeout server-fin", 0.2, nil, func(t *turn[*simBack]) { t.of.limit("server-fin", t.timeout()) }},
	{"timeout tunnel", 0.2, nil, func(t *turn[*simBack]) { t.of.limit("tunnel", t.timeout()) }},
	{"timeout queue", 0.1, nil, func(t *turn[*simBack]) { t.of.say("timeout queue 1ms") }},
	{"http-server-close", 0.2, (*simBack).inHTTP, closesServers("http-server-close")},
	{"httpclose", 0.1, (*simBack).inHTTP, closesServers("httpclose")},
	{"http-keep-alive", 0.1, (*simBack).inHTTP, func(t *turn[*simBack]) { t.of.say("option http-keep-alive"); t.of.frees = false }},
	{"pretend-keepalive", 0.15, (*simBack).inHTTP, func(t *turn[*simBack]) { t.of.say("option http-pretend-keepalive") }},
	{"persist", 0.2, (*simBack).inHTTP, func(t *turn[*simBack]) { t.of.say("option persist") }},
	{"cookie", 0.3, (*simBack).inHTTP, useCookie},
	{"forwardfor", 0.2, (*simBack).inHTTP, forwardTo},
	{"rules", 0.4, (*simBack).inHTTP, backRules},
	{"errorloc", 0.1, (*simBack).inHTTP, func(t *turn[*simBack]) { t.of.say("errorloc302 504 /late"); t.of.instead = []int{504, 302} }},
}

func anyServer(t *turn[*simBack]) *simServer { return t.of.servers[t.IntN(len(t.of.servers))] }

// become sets the behaviour of the server's address. A UNIX address keeps its behaviour:
// connections to it never stay in progress.
func (v *simServer) become(k serverKind) {
	if !v.address.IsUnix() {
		v.kind = k
	}
}

func redispatchOn(t *turn[*simBack]) {
	t.of.redispatch = true
	t.of.say("option redispatch%s", among(t.Rand, "", " 1", " -1", " 2", " 0"))
}

func weighServers(t *turn[*simBack]) {
	for _, v := range t.of.servers {
		v.weight = among(t.Rand, 0, 1, 2, 3, 256)
	}
}

func (b *simBack) useTFO(t *turn[*simBack]) {
	for _, v := range b.servers {
		v.tfo = t.once(2)
	}
}

// limit adds a timeout of established connections to the configuration.
func (b *simBack) limit(name string, d time.Duration) {
	b.say("timeout %s %s", name, milliseconds(d))
	b.patience = leastTime(b.patience, d)
}

// leastTime returns the shorter of two timeouts. 0 means no timeout.
func leastTime(a, b time.Duration) time.Duration {
	if a == 0 || b > 0 && b < a {
		return b
	}
	return a
}

func closesServers(option string) func(*turn[*simBack]) {
	return func(t *turn[*simBack]) {
		t.of.say("option %s", option)
		t.of.frees = true
	}
}

// finish adds the configuration lines for the fields that the knobs have set.
func (b *simBack) finish(s *scene) {
	b.say("mode %s", modeName(b.http))
	b.say("retries %d", b.retries)
	b.say("timeout connect %s", milliseconds(b.connect))
	b.limit("server", b.server)
	for _, v := range b.servers {
		b.say("%s", v.line(b.cookie != nil))
	}
	b.doubts |= s.doubts | b.mayFail()
}

// line returns the server's line in the configuration.
func (v *simServer) line(cookie bool) string {
	return "server " + v.name + " " + written(v.address) + v.words(cookie)
}

// words returns the options of the server's line in the configuration.
func (v *simServer) words(cookie bool) string {
	var words strings.Builder
	for _, w := range []struct {
		on   bool
		word string
	}{
		{v.weight != 1, fmt.Sprint("weight ", v.weight)}, {v.backup, "backup"}, {v.disabled, "disabled"},
		{v.check, "check"}, {v.tfo && !v.address.IsUnix(), "tfo"}, {cookie, "cookie " + v.name},
	} {
		if w.on {
			words.WriteString(" " + w.word)
		}
	}
	return words.String()
}

// mayFail returns refusals if a connection to the servers may fail. Connections certainly succeed
// if all servers that balancing uses serve. If only one does not serve, they succeed if a retry
// certainly goes to another server. One retry may have been used before, by a request that is sent
// twice.
func (b *simBack) mayFail() doubts {
	bad, good := 0, 0
	for _, v := range b.servers {
		switch {
		case v.kind == blackhole && !b.http, v.kind == vanishes, v.kind == dawdles: // timeout client may end the conversation before a retry
			return refusals
		case v.kind == restarts, v.kind == stops: // connections in its accept queue are lost
			return refusals
		case v.disabled || v.backup || v.weight == 0:
		case v.kind == serves:
			good++
		default:
			bad++
		}
	}
	if good == 0 || bad > 1 || bad == 1 && !(b.redispatch && b.retries > 1) {
		return refusals
	}
	return 0
}

// overUnix reports whether the balancer may connect to a server by a UNIX socket.
func (b *simBack) overUnix() bool {
	for _, v := range b.servers {
		if v.address.IsUnix() {
			return true
		}
	}
	return false
}
