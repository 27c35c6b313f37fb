package scenario

import (
	"slices"
	"strings"

	"sluice/bench/load"
	"sluice/bench/peer"
)

// All are the scenarios, in the order of a run.
var All = []Scenario{
	{Name: "conn-rate", About: "one short HTTP request a connection, routed by Host", Variants: connRate},
	{Name: "conn-rate-sni", About: "one TLS hello a connection, routed by SNI and passed through", Variants: connRateSNI},
	{Name: "keepalive", About: "small requests over connections that are kept", Variants: keepalive},
	{Name: "latency", About: "what is added to direct, at 60 % of HAProxy's capacity", Variants: latency},
	{Name: "bulk", About: "many bytes down, up and both ways", Variants: bulk},
	{Name: "idle", About: "memory of an idle relayed connection", Variants: idle},
	{Name: "churn-under-idle", About: "conn-rate while idle connections are held", Variants: churn},
	{Name: "rules", About: "conn-rate with many Host and SNI rules", Variants: rules},
	{Name: "reload", About: "failed requests while reloading every second", Skip: "reload does not exist yet"},
	{Name: "drip", About: "conn-rate beside slow clients that send a byte a second", Variants: dripping},
	{Name: "http-keepalive", About: "mode http: small requests over connections that are kept", Variants: httpKeepalive},
	{Name: "http-conn-rate", About: "mode http: one short request a connection", Variants: httpConnRate},
	{Name: "http-bulk", About: "mode http: a large body by Content-Length, down and up", Variants: httpBulk},
}

const (
	perConn = "cpu_us_per_conn"
	perReq  = "cpu_us_per_req"
	perGB   = "cpu_ms_per_gb"
)

const (
	fewConns = 2000 // maxconn where few are needed
	// manyConns is what 20,000 descriptors suffice for.
	manyConns = 9000
)

// plain are the peers that do not differ from another one here: what splices
// by force moves no bulk, and maps matter with many rules only.
func plain(p peer.Peer) bool {
	h, ok := p.(*peer.HAProxy)
	return p.Name() != peer.DirectName && (!ok || !h.Map && len(h.Options) == 0)
}

// anySplice also takes those that splice by force.
func anySplice(p peer.Peer) bool {
	h, ok := p.(*peer.HAProxy)
	return anyPipe(p) && (!ok || h.Pipe == 0)
}

// anyPipe also takes those that do it through larger pipes.
func anyPipe(p peer.Peer) bool {
	h, ok := p.(*peer.HAProxy)
	return plain(p) || ok && !h.Map
}

// routing takes those that can choose, be it by a map, and the floor, which
// shows what the rest costs.
func routing(route peer.Route) func(peer.Peer) bool {
	return func(p peer.Peer) bool {
		h, ok := p.(*peer.HAProxy)
		return p.Name() == peer.FloorName || p.Routes(route) && (!ok || len(h.Options) == 0)
	}
}

// logging takes all but the floor, which can't log.
func logging(p peer.Peer) bool { return plain(p) && p.Name() != peer.FloorName }

func onOff(on bool) string {
	if on {
		return "tcplog"
	}
	return "off"
}

func connRate(s Scale) []*Variant { return shortConns(s, short, peer.Host) }

func connRateSNI(s Scale) []*Variant { return shortConns(s, hello, peer.SNI) }

// shortConns has 4 and 64 clients, and 64 with a log.
func shortConns(s Scale, k kind, route peer.Route) []*Variant {
	var all []*Variant
	for _, c := range []struct {
		clients int
		log     bool
	}{{4, false}, {64, false}, {64, true}} {
		v := &Variant{
			Params:   map[string]any{"clients": c.clients, "log": onOff(c.log)},
			Headline: perConn, Logged: c.log, Wants: plain,
			Site: peer.Site{Route: route, Rules: 2, MaxConn: fewConns},
			Work: &asking{kind: k, clients: c.clients},
		}
		switch {
		case c.log:
			v.Wants = logging
		case !s.Quick:
			v.Wants = anySplice
		}
		if k == short && !c.log {
			v.Wrk = &load.Wrk{Clients: c.clients}
		}
		if !s.Quick || !c.log && (k == short || c.clients == 64) {
			all = append(all, v)
		}
	}
	return all
}

func keepalive(s Scale) []*Variant {
	v := &Variant{
		Params: map[string]any{"clients": 64, "log": onOff(false)}, Headline: perReq, Wants: anySplice,
		Site: peer.Site{Route: peer.Host, Rules: 2, MaxConn: fewConns},
		Work: &asking{kind: kept, clients: 64},
		Wrk:  &load.Wrk{Clients: 64, Keep: true},
	}
	if s.Quick {
		v.Wants = plain
	}
	return []*Variant{v}
}

func bulk(s Scale) []*Variant {
	size := int64(1 << 30)
	directions := []string{"down", "up", "both"}
	if s.Quick {
		size, directions = 256<<20, []string{"down"}
	}
	return moves(size, directions, Variant{
		Headline: perGB, Wants: anyPipe, Site: peer.Site{Route: peer.Host, Rules: 2, MaxConn: fewConns, Bulk: true},
	})
}

// moves has a variant for each direction with one stream and with 32.
func moves(size int64, directions []string, common Variant) []*Variant {
	var all []*Variant
	for _, direction := range directions {
		for _, n := range []int{1, 32} {
			v, w := common, &moving{streams: n}
			if direction != "up" {
				w.down = size
			}
			if direction != "down" {
				w.up = size
			}
			v.Params, v.Work = map[string]any{"direction": direction, "streams": n, "mib": size >> 20}, w
			all = append(all, &v)
		}
	}
	return all
}

func idle(s Scale) []*Variant {
	held := 8000
	if s.Quick {
		held = 2000
	}
	return []*Variant{{
		Params: map[string]any{"idle": held, "log": onOff(true)}, Headline: "rss_bytes_per_conn",
		Wants: plain, Fresh: true, Logged: true,
		Site: peer.Site{Route: peer.Host, Rules: 2, MaxConn: manyConns},
		Work: &resting{held},
	}}
}

func churn(s Scale) []*Variant {
	counts := []int{0, 2000, 8000}
	if s.Quick {
		counts = []int{0, 2000}
	}
	return besides(s, "idle", counts, false)
}

func dripping(s Scale) []*Variant {
	counts := []int{0, 5000}
	if s.Quick {
		counts = []int{0, 1000}
	}
	return besides(s, "slow", counts, true)
}

// besides is conn-rate while connections are held.
func besides(s Scale, what string, counts []int, slow bool) []*Variant {
	var all []*Variant
	for _, held := range counts {
		all = append(all, &Variant{
			Params: map[string]any{what: held, "clients": 64}, Headline: perConn, Wants: plain, Untraced: s.Quick,
			Site: peer.Site{Route: peer.Host, Rules: 2, MaxConn: manyConns},
			Work: &asking{kind: short, clients: 64, held: held, slow: slow && held > 0},
		})
	}
	return all
}

func rules(s Scale) []*Variant {
	counts := []int{2, 100, 10000}
	if s.Quick {
		counts = []int{2, 10000}
	}
	var all []*Variant
	for _, route := range []peer.Route{peer.Host, peer.SNI} {
		for _, n := range counts {
			k := short
			if route == peer.SNI {
				k = hello
			}
			all = append(all, &Variant{
				Params:   map[string]any{"route": route.String(), "rules": n, "clients": 64},
				Headline: perConn, Wants: routing(route), Untraced: s.Quick,
				Site: peer.Site{Route: route, Rules: n, MaxConn: fewConns},
				Work: &asking{kind: k, clients: 64},
			})
		}
	}
	return all
}

// Find returns the scenarios of a list of names, or all.
func Find(names string) (found []Scenario, unknown string) {
	if names == "all" {
		return All, ""
	}
	for name := range strings.SplitSeq(names, ",") {
		at := slices.IndexFunc(All, func(s Scenario) bool { return s.Name == name })
		if at < 0 {
			return nil, name
		}
		found = append(found, All[at])
	}
	return found, ""
}
