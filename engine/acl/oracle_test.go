package acl

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"sluice/conf"
)

// world describes a connection in plain values. Both the facts and the expected result of the
// simple evaluator are made from it.
type world struct {
	proto string // http, tls or other
	whole bool   // the head or hello is there
	host  string
	path  string
	x     string // a header field that is a list
	sni   string
	src   netip.Addr
	port  uint16
	final bool
}

var (
	oracleHosts = []string{"a.x", "A.X", "b.a.x", "ba.x", "x", "a.y", "aa.x", "a.x.y"}
	oraclePaths = []string{"/", "/a", "/a/b", "/ab", "/b", "/A"}
	oracleLists = []string{"a", "a,b", "b , c", "", "A", "a,b,c"}
	oracleAddrs = []string{"10.0.0.1", "10.0.1.1", "10.1.0.1", "192.0.2.1", "2001:db8::1", "::1", "::10.0.0.1", "2002:a00:101::1"}
	oracleNets  = []string{"10.0.0.1", "10.0.0.0/24", "10.0.0.0/8", "0.0.0.0/0", "2001:db8::/32", "::/0", "::/64", "::ffff:10.0.0.1", "::ffff:10.1.0.0/112", "2002::/16"}
)

func pickOne[T any](r *rand.Rand, from []T) T { return from[r.IntN(len(from))] }

func randomWorld(r *rand.Rand) world {
	return world{
		proto: pickOne(r, []string{"http", "http", "tls", "other"}),
		whole: r.IntN(4) > 0,
		host:  pickOne(r, oracleHosts),
		path:  pickOne(r, oraclePaths),
		x:     pickOne(r, oracleLists),
		sni:   pickOne(r, oracleHosts),
		src:   netip.MustParseAddr(pickOne(r, oracleAddrs)),
		port:  uint16(1 + r.IntN(4)),
		final: r.IntN(3) == 0,
	}
}

// bytes returns the bytes that the client has sent. They end before the protocol is certain, unless
// w.whole is set.
func (w world) bytes(t testing.TB, hellos map[string][]byte) []byte {
	t.Helper()
	switch {
	case w.proto == "other":
		return []byte("\x00\x01")
	case w.proto == "http":
		b := fmt.Appendf(nil, "GET %s HTTP/1.1\r\nHost: %s\r\nX: %s\r\n\r\n", w.path, w.host, w.x)
		if !w.whole {
			b = b[:len(b)-1]
		}
		return b
	}
	b := hellos[w.sni]
	if b == nil {
		b = helloBytes(t, w.sni)
		hellos[w.sni] = b
	}
	if !w.whole {
		b = b[:len(b)-1]
	}
	return b
}

// values is a simple implementation of the fetches.
func (w world) values(fetch string) (all []string, missing bool) {
	isHTTP, isTLS := w.proto == "http", w.proto == "tls"
	switch fetch {
	case "src":
		return []string{w.src.String()}, false
	case "dst_port":
		return []string{fmt.Sprint(w.port)}, false
	case "always_true":
		return []string{"1"}, false
	case "req.ssl_sni":
		if isTLS && w.whole {
			return []string{strings.ToLower(w.sni)}, false
		}
		return nil, isTLS && !w.final
	}
	if !isHTTP || !w.whole {
		return nil, isHTTP && !w.final
	}
	switch fetch {
	case "path":
		return []string{w.path}, false
	case "hdr(host)":
		return []string{w.host}, false
	}
	for v := range strings.SplitSeq(w.x, ",") {
		all = append(all, strings.TrimSpace(v))
	}
	return all, false
}

func naiveTest(w world, a *conf.ACL) Truth {
	fetch, match := a.Keyword, a.Match
	if len(a.Args) > 0 {
		fetch += "(" + a.Args[0] + ")"
	}
	all, missing := w.values(fetch)
	if missing {
		return Unknown
	}
	for _, v := range all {
		for _, p := range a.Patterns {
			if a.IgnoreCase || fetch == "req.ssl_sni" {
				v, p = strings.ToLower(v), strings.ToLower(p)
			}
			if naiveMatch(fetch, match, v, p) {
				return True
			}
		}
		if fetch == "always_true" {
			return True
		}
	}
	return False
}

func naiveMatch(fetch, match, v, p string) bool {
	switch match {
	case "beg":
		return strings.HasPrefix(v, p)
	case "end":
		return strings.HasSuffix(v, p)
	case "sub":
		return strings.Contains(v, p)
	}
	if fetch != "src" {
		return v == p
	}
	return slices.ContainsFunc(naiveForms(netip.MustParseAddr(v)), func(ip netip.Addr) bool {
		if !strings.Contains(p, "/") {
			return netip.MustParseAddr(p) == ip
		}
		return netip.MustParsePrefix(p).Contains(ip)
	})
}

// naiveForms returns the address and the address of the other family that stands for it.
func naiveForms(ip netip.Addr) []netip.Addr {
	text := ip.StringExpanded()
	switch {
	case ip.Is4():
		return []netip.Addr{ip, netip.MustParseAddr("::ffff:" + text)}
	case strings.HasPrefix(text, "0000:0000:0000:0000:0000:0000:"):
		return []netip.Addr{ip, netip.AddrFrom4([4]byte(ip.AsSlice()[12:]))}
	case strings.HasPrefix(text, "2002:"):
		return []netip.Addr{ip, netip.AddrFrom4([4]byte(ip.AsSlice()[2:6]))}
	}
	return []netip.Addr{ip}
}

func naiveCond(w world, f *conf.Frontend, c *conf.Cond) Truth {
	if c == nil {
		return True
	}
	result := False
	for _, terms := range c.Any {
		every := True
		for _, t := range terms {
			every = min(every, naiveTerm(w, f, t))
		}
		result = max(result, every)
	}
	if c.Unless {
		return naiveNot(result)
	}
	return result
}

func naiveTerm(w world, f *conf.Frontend, t conf.Term) Truth {
	result := False
	if t.Anon != nil {
		result = naiveTest(w, t.Anon)
	}
	for _, a := range f.ACLs {
		if a.Name == t.Name && t.Anon == nil {
			result = max(result, naiveTest(w, a))
		}
	}
	if t.Not {
		return naiveNot(result)
	}
	return result
}

func naiveNot(t Truth) Truth {
	return map[Truth]Truth{False: True, Unknown: Unknown, True: False}[t]
}

func naiveDecide(w world, f *conf.Frontend) string {
content:
	for _, r := range f.Content {
		switch naiveCond(w, f, r.Cond) {
		case Unknown:
			return "more"
		case True:
			if r.Action == conf.Reject {
				return "refuse"
			}
			break content
		}
	}
	for _, u := range f.UseBackend {
		switch naiveCond(w, f, u.Cond) {
		case Unknown:
			return "more"
		case True:
			return u.Backend
		}
	}
	return "default"
}

// randomTest returns an acl line without its name.
func randomTest(r *rand.Rand) string {
	patterns, fetch := oracleHosts, pickOne(r, []string{
		"hdr(host)", "hdr(host)", "path", "req.ssl_sni", "hdr(x)", "src", "dst_port", "always_true",
	})
	switch fetch {
	case "path":
		patterns = oraclePaths
	case "hdr(x)":
		patterns = []string{"a", "b", "c", "A"}
	case "src":
		patterns = oracleNets
	case "dst_port":
		patterns = []string{"1", "2", "3"}
	case "always_true":
		return fetch
	}
	words := []string{fetch}
	if fetch != "src" && fetch != "dst_port" {
		words = append(words, pickOne(r, []string{"", "-i"}), pickOne(r, []string{"", "-m beg", "-m end", "-m sub"}), "--")
	}
	for range 1 + r.IntN(3) {
		words = append(words, pickOne(r, patterns))
	}
	return strings.Join(words, " ")
}

func randomCond(r *rand.Rand, names []string) string {
	words := []string{pickOne(r, []string{"if", "if", "if", "unless"})}
	for i := range 1 + r.IntN(2) {
		if i > 0 {
			words = append(words, "||")
		}
		for range 1 + r.IntN(3)*r.IntN(2) {
			words = append(words, pickOne(r, []string{"", "", "!"})+randomTerm(r, names))
		}
	}
	return strings.Join(words, " ")
}

func randomTerm(r *rand.Rand, names []string) string {
	if r.IntN(2) == 0 {
		return pickOne(r, names)
	}
	return " { " + randomTest(r) + " }"
}

func randomRules(r *rand.Rand) string {
	var lines, names []string
	for i := range 1 + r.IntN(12) {
		names = append(names, fmt.Sprint("n", i/2))
		lines = append(lines, fmt.Sprintf("acl n%d %s", i/2, randomTest(r)))
	}
	for range r.IntN(3) {
		lines = append(lines, fmt.Sprintf("tcp-request content %s %s", pickOne(r, []string{"accept", "reject"}), randomCond(r, names)))
	}
	for i := range r.IntN(60) {
		lines = append(lines, fmt.Sprintf("use_backend b%d %s", i, randomCond(r, names)))
	}
	return strings.Join(append(lines, "default_backend default"), "\n")
}

// TestOracle compares decisions with those of an evaluator that tries every rule in order, on plain
// strings.
func TestOracle(t *testing.T) {
	r := random(t)
	hellos := map[string][]byte{}
	for range 400 {
		rules := randomRules(r)
		c, p := compile(t, rules)
		_, f := parse(t, rules)
		for range 50 {
			w := randomWorld(r)
			facts := sniffed(w.bytes(t, hellos))
			facts.Src = netip.AddrPortFrom(w.src, 9)
			facts.Dst = netip.AddrPortFrom(w.src, w.port)
			facts.Final = w.final
			want, got := naiveDecide(w, f), decided(c, p.Decide(facts))
			if got != want {
				t.Fatalf("%+v: %s, want %s, by\n%s", w, got, want, rules)
			}
		}
	}
}

// TestTables compares look-ups in tables with a search through all keys.
func TestTables(t *testing.T) {
	r := random(t)
	word := func() string {
		b := make([]byte, r.IntN(6))
		for i := range b {
			b[i] = "ab."[r.IntN(3)]
		}
		return string(b)
	}
	matches := map[side]func(v, pattern string) bool{
		whole: func(v, pattern string) bool { return v == pattern },
		front: strings.HasPrefix,
		back:  strings.HasSuffix,
	}
	for range 500 {
		s := pickOne(r, []side{whole, front, back})
		var keys []key
		for range 1 + r.IntN(40) {
			keys = append(keys, key{text: word(), rule: int32(r.IntN(20))})
		}
		table := newTable(s, slices.Clone(keys))
		for range 100 {
			v, from := word(), int32(r.IntN(20))
			want := none
			for _, k := range keys {
				if matches[s](v, k.text) && k.rule >= from {
					want = min(want, k.rule)
				}
			}
			if got := table.first(value{b: []byte(v)}, from); got != want {
				t.Fatalf("%q from %d: rule %d, want %d, of %v", v, from, got, want, keys)
			}
		}
	}
}
