package acl

import (
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"sluice/sniff"
)

// site is the name of the i-th of many.
func site(i int) string { return fmt.Sprintf("www.site%05d.example.com", i) }

// sites are rules for n sites, one line each.
func sites(n int, test string) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "use_backend b%d if { "+test+" }\n", i, site(i)[len("www"):])
	}
	return b.String() + "default_backend d\n"
}

// BenchmarkDecide is the whole way from bytes to a decision, asked for a site
// that is another each time. Its cost must not grow with the number of rules
// beyond what the memory of a larger table takes.
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
	first := fmt.Appendf(nil, "GET /%s HTTP/1.1\r\nHost: %s\r\nUser-Agent: x\r\nAccept: */*\r\n\r\n", site(0), site(0))
	if isTLS {
		first = helloBytes(b, site(0), "h2")
	}
	var at []int
	for i := range first {
		if strings.HasPrefix(string(first[i:]), "site00000") {
			at = append(at, i+len("site"))
		}
	}
	f, scanner := &Facts{Sniff: &sniff.Facts{}}, sniff.NewScanner()
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		for _, place := range at {
			putDigits(first[place:], i*7919%n)
		}
		scanner.Sniff(&sniff.State{}, first, f.Sniff)
		if d := p.Decide(f); d.Verdict != Route || p.steps[d.Rule].Backend == "d" {
			b.Fatalf("%+v for %s", d, first)
		}
	}
}

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
	f := &Facts{}
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		at := i * 7919 % n
		f.Src = netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, byte(at / 256), byte(at % 256), 1}), 1)
		if d := p.Decide(f); d.Backend != at {
			b.Fatal(d)
		}
	}
}
