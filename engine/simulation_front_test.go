//go:build simulation

package engine

import (
	"cmp"
	"fmt"
	"time"

	"sluice/engine/actor"
	"sluice/engine/kernel"
)

// simFront is a frontend of a world's configuration.
type simFront struct {
	name      string
	number    int
	http      bool
	lines     []string
	binds     []simBind
	most      int // maxconn; 0: none
	routes    []simRoute
	client    time.Duration // timeout client
	closes    bool          // the client's connection is not kept
	pages     bool          // its error pages 400 and 502 are files; the connection ends after such a page
	probes    bool          // option http-ignore-probes
	rejects   bool          // clients with an address in outlawNet are rejected
	monitored int           // number of the request that asks for monitor-uri; 0: none
	monitor   int           // status of the answer to monitor-uri
	forward   *simForward   // option forwardfor; nil: none
	inspect   time.Duration // tcp-request inspect-delay: maximum wait for a client's first bytes; 0: no rule needs them
	tunnels   bool          // clients may ask for tunnels
	instead   []int         // status replaced by errorloc, and its replacement, see actor.WebExpect

	patience       time.Duration // shortest timeout of its connections and of its backends; 0: none
	log            logFormat
	quiet          logQuiet
	rules, answers []*webRule
	effects        []func(q *asked) // effects of the frontend on every request
	doubts         doubts
	shape          *actor.WebShape // shape of its conversations in mode http; nil: not made yet
}

// simBind is an address on which a frontend listens.
type simBind struct {
	address kernel.Address // address to which clients connect
	text    string         // address in the bind line; empty: the same address
	most    int            // maxconn; 0: none
	tfo     bool
	joins   bool // it is only in configurations of reloads
}

// simRoute is one of the backends of a frontend, with the host name that selects it.
type simRoute struct {
	back *simBack // nil: connections or requests with this host get no backend
	host string   // host name in the Host field or the ClientHello that selects the backend
}

// newFront makes a frontend with one address and one backend.
func (s *scene) newFront(i int) *simFront {
	f := &simFront{name: fmt.Sprintf("f%d", i), number: i, client: 20 * time.Second, log: logOfOurs}
	r := s.plan.source(f.name)
	b := s.backs[r.IntN(len(s.backs))]
	f.http = b.http
	f.routes = []simRoute{{back: b, host: "any.test"}}
	f.binds = []simBind{{address: ipAddress(10+byte(i), 1, 80)}}
	if r.IntN(5) == 0 {
		f.binds[0].address = unixAddress(r.IntN(2) == 0, f.name)
	}
	return f
}

// say adds a line to the configuration of the frontend.
func (f *simFront) say(format string, args ...any) {
	f.lines = append(f.lines, fmt.Sprintf(format, args...))
}

func (f *simFront) inHTTP() bool { return f.http }
func (f *simFront) inTCP() bool  { return !f.http }

var frontKnobs = []knob[*simFront]{
	{"maxconn", 0.2, nil, func(t *turn[*simFront]) { t.of.most = 1 + t.IntN(5) }},
	{"maxconn of an address", 0.2, nil, func(t *turn[*simFront]) { t.of.binds[0].most = 1 + t.IntN(5) }},
	{"second address", 0.3, nil, secondAddress},
	{"any address", 0.15, nil, anyAddress},
	{"tfo", 0.2, nil, func(t *turn[*simFront]) { t.of.binds[0].tfo = true }},
	{"backlog", 0.1, nil, backlog},
	{"smart accept", 0.2, nil, func(t *turn[*simFront]) { t.of.say("option tcp-smart-accept") }},
	{"timeout client", 0.3, nil, func(t *turn[*simFront]) { t.of.client = t.timeout() }},
	{"timeout client-fin", 0.2, nil, func(t *turn[*simFront]) { t.of.limit("client-fin", t.timeout()) }},
	{"timeout http-request", 0.15, (*simFront).inHTTP, func(t *turn[*simFront]) { t.of.limit("http-request", t.timeout()) }},
	{"timeout http-keep-alive", 0.15, (*simFront).inHTTP, func(t *turn[*simFront]) { t.of.limit("http-keep-alive", t.timeout()) }},
	{"http-server-close", 0.1, (*simFront).inHTTP, func(t *turn[*simFront]) { t.of.say("option http-server-close"); t.of.frees() }},
	{"httpclose", 0.1, (*simFront).inHTTP, httpClose},
	{"ignore probes", 0.1, (*simFront).inHTTP, func(t *turn[*simFront]) { t.of.say("option http-ignore-probes"); t.of.probes = true }},
	{"outlaws", 0.15, nil, rejectOutlaws},
	{"routes by host", 0.6, (*simFront).inHTTP, routesByHost},
	{"routes by first bytes", 0.5, (*simFront).inTCP, routesByBytes},
	{"conditions", 0.3, (*simFront).inHTTP, oddities},
	{"conditions of bytes", 0.3, (*simFront).inTCP, byteOddities},
	{"no way", 0.15, (*simFront).inHTTP, noWay},
	{"no way for streams", 0.1, (*simFront).inTCP, noWayForStreams},
	{"rules about addresses", 0.2, nil, addressRules},
	{"monitor", 0.15, (*simFront).inHTTP, useMonitor},
	{"forwardfor", 0.2, (*simFront).inHTTP, forwardFor},
	{"rules for all", 0.15, (*simFront).inHTTP, rulesForAll},
	{"rules", 0.4, (*simFront).inHTTP, frontRules},
	{"tunnels", 0.3, (*simFront).inHTTP, func(t *turn[*simFront]) { t.of.tunnels = true }},
	{"captures", 0.3, (*simFront).inHTTP, captures},
	{"log", 0.5, nil, otherLog},
	{"dontlognull", 0.15, nil, func(t *turn[*simFront]) { t.of.say("option dontlognull"); t.of.quiet.null = true }},
	{"dontlog-normal", 0.1, nil, func(t *turn[*simFront]) { t.of.say("option dontlog-normal"); t.of.quiet.normal = true }},
	{"log-separate-errors", 0.1, nil, func(t *turn[*simFront]) { t.of.say("option log-separate-errors") }},
	{"errorfile", 0.2, (*simFront).inHTTP, func(t *turn[*simFront]) {
		t.of.say("errorfile 400 testdata/simulation/400.http")
		t.of.say("errorfile 502 testdata/simulation/502.http")
		t.of.pages = true
	}},
	{"errorloc", 0.1, (*simFront).inHTTP, func(t *turn[*simFront]) { t.of.say("errorloc303 408 /slow"); t.of.instead = []int{408, 303} }},
}

// limit adds a timeout to the configuration.
func (f *simFront) limit(name string, d time.Duration) {
	f.say("timeout %s %s", name, milliseconds(d))
	f.patience = leastTime(f.patience, d)
}

// secondAddress makes the frontend listen on another address.
func secondAddress(t *turn[*simFront]) {
	first := t.of.binds[0].address
	b := simBind{address: unixAddress(t.once(2), t.of.name+"second")}
	if first.IsUnix() || t.once(2) {
		b.address = ipAddress(40+byte(t.of.number), 1, 81)
	}
	if t.once(3) {
		b.most = 1 + t.IntN(5)
	}
	t.of.binds = append(t.of.binds, b)
}

// anyAddress makes the frontend listen on all addresses of the machine.
func anyAddress(t *turn[*simFront]) {
	b := &t.of.binds[0]
	if b.address.IsUnix() {
		return
	}
	port := 9000 + t.of.number
	b.address = ipAddress(10+byte(t.of.number), 1, port)
	b.text = fmt.Sprintf(among(t.Rand, "*:%d", ":%d", ":::%d v4v6", "0.0.0.0:%d tfo"), port)
}

// backlog sets the length of the accept queue. Linux resets clients that have waited for a minute
// because the queue was full. So the queue is short only in worlds where connections may end at any
// time.
func backlog(t *turn[*simFront]) {
	n := enough
	if t.scene.doubts.has(cuts) {
		n = 1 + t.IntN(5)
		t.scene.forgets = true
	}
	t.of.say("backlog %d", n)
}

func (f *simFront) frees() { f.effects = append(f.effects, func(q *asked) { q.Expect.Frees = true }) }

func httpClose(t *turn[*simFront]) {
	t.of.say("option httpclose")
	t.of.closes = true
	t.of.frees()
}

// outlawNet is the second byte of the client addresses that some frontends reject: 127.66.0.0/16.
const outlawNet = 66

func rejectOutlaws(t *turn[*simFront]) {
	t.of.rejects = true
	t.of.say("tcp-request connection reject if { src 127.%d.0.0/16 }", outlawNet)
}

// finish adds the configuration lines for the fields that the knobs have set.
func (f *simFront) finish(s *scene) {
	f.say("mode %s", modeName(f.http))
	for _, b := range f.binds {
		f.say("bind %s", b.line())
	}
	if f.most > 0 {
		f.say("maxconn %d", f.most)
	}
	f.limit("client", f.client)
	if b := f.routes[0].back; b != nil {
		f.say("default_backend %s", b.name)
	}
	f.writeLog()
	f.doubts |= s.doubts
}

// line returns the arguments of the bind line.
func (b *simBind) line() string {
	text := cmp.Or(b.text, written(b.address))
	if b.tfo && !b.address.IsUnix() {
		text += " tfo"
	}
	if b.most > 0 {
		text += fmt.Sprint(" maxconn ", b.most)
	}
	return text
}

// shareTimeouts includes the timeouts of the backends in the frontend's patience, and those of the
// frontend in the backends' greetings.
func (f *simFront) shareTimeouts() {
	for _, r := range f.routes {
		if r.back != nil {
			f.patience = leastTime(f.patience, r.back.patience)
			r.back.greetings = leastTime(r.back.greetings, f.patience)
		}
	}
}

// overUnix reports whether clients may connect to a UNIX socket.
func (f *simFront) overUnix() bool {
	for _, b := range f.binds {
		if b.address.IsUnix() {
			return true
		}
	}
	return false
}
