package scenario

import (
	"slices"
	"strings"

	"sluice/bench/load"
	"sluice/bench/peer"
)

// All are the scenarios, in the order in which they run.
var All = []Scenario{
	{Name: "conn-rate", About: "one short HTTP request per connection, routed by Host", Variants: connRate},
	{Name: "conn-rate-sni", About: "one TLS hello per connection, routed by SNI and passed through", Variants: connRateSNI},
	{Name: "keepalive", About: "small requests over connections that are kept", Variants: keepalive},
	{Name: "latency", About: "latency that a proxy adds to a direct connection, at 60 % of HAProxy's capacity", Variants: latency},
	{Name: "bulk", About: "many bytes down, up and in both directions", Variants: bulk},
	{Name: "idle", About: "memory of an idle relayed connection", Variants: idle},
	{Name: "churn-under-idle", About: "conn-rate while idle connections are held", Variants: churn},
	{Name: "rules", About: "conn-rate with many Host and SNI rules", Variants: rules},
	{Name: "reload", About: "what fails, waits and grows while the configuration is replaced again and again", Variants: reload},
	{Name: "drip", About: "conn-rate while slow clients send a byte a second", Variants: dripping},
	{Name: "http-keepalive", About: "mode http: small requests over connections that are kept", Variants: httpKeepalive},
	{Name: "http-conn-rate", About: "mode http: one short request per connection", Variants: httpConnRate},
	{Name: "http-bulk", About: "mode http: a large body by Content-Length, down and up", Variants: httpBulk},
}

const (
	// The headline metrics of most scenarios.
	perConn = "cpu_us_per_conn"
	perReq  = "cpu_us_per_req"
	perGB   = "cpu_ms_per_gb"
)

const (
	fewConns = 2000 // maxconn of scenarios that need few connections
	// manyConns is a maxconn for which 20,000 descriptors are enough.
	manyConns = 9000
)

// plain selects all peers except direct and the variants of HAProxy. Splicing matters only in
// bulk, and a map only with many rules.
func plain(p peer.Peer) bool {
	h, ok := p.(*peer.HAProxy)
	return p.Name() != peer.DirectName && (!ok || !h.Map && len(h.Options) == 0)
}

// anySplice is plain plus the variant of HAProxy that always splices.
func anySplice(p peer.Peer) bool {
	h, ok := p.(*peer.HAProxy)
	return anyPipe(p) && (!ok || h.Pipe == 0)
}

// anyPipe is anySplice plus the variant of HAProxy with larger pipes.
func anyPipe(p peer.Peer) bool {
	h, ok := p.(*peer.HAProxy)
	return plain(p) || ok && !h.Map
}

// routing selects the peers that can route by this, with or without a map, and the floor. The
// floor shows the cost without routing.
func routing(route peer.Route) func(peer.Peer) bool {
	return func(p peer.Peer) bool {
		h, ok := p.(*peer.HAProxy)
		return p.Name() == peer.FloorName || p.Routes(route) && (!ok || len(h.Options) == 0)
	}
}

// logging is plain without the floor, which cannot log.
func logging(p peer.Peer) bool { return plain(p) && p.Name() != peer.FloorName }

// onOff returns the value of the parameter log.
func onOff(on bool) string {
	if on {
		return "tcplog"
	}
	return "off"
}

func connRate(s Scale) []*Variant { return shortConns(s, short, peer.Host) }

func connRateSNI(s Scale) []*Variant { return shortConns(s, hello, peer.SNI) }

// shortConns returns variants with 4 and 64 clients, and one with 64 clients and a log.
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

// moves returns two variants for each direction: with one stream and with 32 streams.
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

// besides returns variants of conn-rate during which connections are held: idle or slow ones.
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

// Find returns the scenarios with the given names, separated by commas, or all scenarios for
// "all". If a name is unknown, Find returns that name.
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
