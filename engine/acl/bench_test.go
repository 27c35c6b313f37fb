package acl

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"sluice/sniff"
)

// site returns the name of site number i.
func site(i int) string { return fmt.Sprintf("www.site%05d.example.com", i) }

// sites returns rules for n sites, one line each.
func sites(n int, test string) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "use_backend b%d if { "+test+" }\n", i, site(i)[len("www"):])
	}
	return b.String() + "default_backend d\n"
}

// BenchmarkDecide measures the whole way from bytes to a decision, for a different site each time.
// The time must not grow with the number of rules, except for the cache misses of a larger table.
func BenchmarkDecide(b *testing.B) {
	kinds := []struct{ name, test string }{
		{"Host", "hdr(host) -i www%s"},
		{"HostEnd", "hdr_end(host) -i %s"},
		{"HostLower", "hdr(host),lower,host_only www%s"},
		{"HostAnd", "hdr(host) www%s } METH_GET { path_beg /"},
		{"PathBeg", "path_beg /www%s"},
		{"SNI", "req.ssl_sni www%s"},
	}
	for _, k := range kinds {
		for _, n := range []int{2, 100, 10_000} {
			b.Run(fmt.Sprintf("%s/%d", k.name, n), func(b *testing.B) {
				_, p := compile(b, sites(n, k.test))
				benchmark(b, p, k.name == "SNI", n)
			})
		}
	}
	for _, n := range []int{2, 100, 10_000} {
		b.Run(fmt.Sprintf("File/%d", n), func(b *testing.B) {
			_, p := compile(b, "use_backend b if { hdr(host) -i -f "+fileOfSites(b, n)+" }\ndefault_backend d")
			benchmark(b, p, false, n)
		})
		b.Run(fmt.Sprintf("Src/%d", n), func(b *testing.B) {
			benchmarkSrc(b, n)
		})
	}
}

func fileOfSites(b *testing.B, n int) string {
	b.Helper()
	var list strings.Builder
	for i := range n {
		fmt.Fprintln(&list, site(i))
	}
	name := filepath.Join(b.TempDir(), "sites.lst")
	if err := os.WriteFile(name, []byte(list.String()), 0o600); err != nil {
		b.Fatal(err)
	}
	return name
}

func benchmark(b *testing.B, p *Program, isTLS bool, n int) {
	b.Helper()
	c := newClients(b, p, isTLS, n)
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		c.arrive(i)
		if !c.decided() {
			b.Fatalf("not routed: %s", c.first)
		}
	}
}

// BenchmarkDecideCold measures only the decision, with cold caches, as between two connections of a
// busy machine. It reports the median.
func BenchmarkDecideCold(b *testing.B) {
	kinds := []struct{ name, test string }{
		{"Host", "hdr(host) -i www%s"},
		{"HostEnd", "hdr_end(host) -i %s"},
		{"SNI", "req.ssl_sni www%s"},
	}
	for _, k := range kinds {
		for _, n := range []int{2, 10_000} {
			b.Run(fmt.Sprintf("%s/%d", k.name, n), func(b *testing.B) {
				_, p := compile(b, sites(n, k.test))
				benchmarkCold(b, newClients(b, p, k.name == "SNI", n))
			})
		}
	}
}

func benchmarkCold(b *testing.B, c *clients) {
	b.Helper()
	const line = 64
	other := make([]byte, 16<<20)
	var took []time.Duration
	for i := 0; b.Loop(); i++ {
		c.arrive(i)
		for at := 0; at < len(other); at += line {
			other[at]++
		}
		start := time.Now()
		if !c.decided() {
			b.Fatalf("not routed: %s", c.first)
		}
		took = append(took, time.Since(start))
	}
	slices.Sort(took)
	b.ReportMetric(0, "ns/op") // hide it: most of that time is the other work
	b.ReportMetric(float64(took[len(took)/2]), "ns/decision")
}

// clients are clients that ask for one site each, in a random order that defeats caches and
// prediction.
type clients struct {
	program *Program
	facts   *Facts
	scanner *sniff.Scanner
	first   []byte // the bytes that a client sends
	at      []int  // the positions of the site's number in first
	order   []int
}

func newClients(b *testing.B, p *Program, isTLS bool, n int) *clients {
	b.Helper()
	c := &clients{program: p, facts: &Facts{Sniff: &sniff.Facts{}}, scanner: sniff.NewScanner(), order: shuffled(n)}
	c.first = fmt.Appendf(nil, "GET /%s HTTP/1.1\r\nHost: %s\r\nUser-Agent: x\r\nAccept: */*\r\n\r\n", site(0), site(0))
	if isTLS {
		c.first = helloBytes(b, site(0), "h2")
	}
	for i := range c.first {
		if strings.HasPrefix(string(c.first[i:]), "site00000") {
			c.at = append(c.at, i+len("site"))
		}
	}
	return c
}

func (c *clients) arrive(i int) {
	for _, at := range c.at {
		putDigits(c.first[at:], c.order[i%len(c.order)])
	}
	c.scanner.Sniff(&sniff.State{}, c.first, c.facts.Sniff)
}

// decided reports whether a rule routes the client that arrived last.
func (c *clients) decided() bool {
	d := c.program.Decide(c.facts)
	return d.Verdict == Route && d.Backend != c.program.backend
}

// shuffled returns the numbers below n in a random order, which is the same in each run.
func shuffled(n int) []int { return rand.New(rand.NewPCG(1, 2)).Perm(n) }

func putDigits(b []byte, n int) {
	for i := 4; i >= 0; i-- {
		b[i] = byte('0' + n%10)
		n /= 10
	}
}

func benchmarkSrc(b *testing.B, n int) {
	b.Helper()
	var rules strings.Builder
	for i := range n {
		fmt.Fprintf(&rules, "use_backend b%d if { src 10.%d.%d.0/24 }\n", i, i/256, i%256)
	}
	_, p := compile(b, rules.String())
	f, order := &Facts{}, shuffled(n)
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		at := order[i%n]
		f.Src = netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, byte(at / 256), byte(at % 256), 1}), 1)
		if d := p.Decide(f); d.Backend != at {
			b.Fatal(d)
		}
	}
}
