package acl

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"strings"
	"testing"
	"time"

	"sluice/conf"
	"sluice/sniff"
)

var seed = flag.Uint64("seed", 0, "seed of the random tests; 0: a new one")

// random returns a random source and logs its seed, so that a failure can be replayed.
func random(t testing.TB) *rand.Rand {
	t.Helper()
	s := *seed
	if s == 0 {
		s = uint64(time.Now().UnixNano())
	}
	t.Logf("replay with -seed=%d", s)
	return rand.New(rand.NewPCG(s, 0))
}

// parse reads the lines of a frontend f. Each name after use_backend or default_backend becomes a
// backend, in the order of the lines.
func parse(t testing.TB, lines string) (*conf.Config, *conf.Frontend) {
	t.Helper()
	c := &conf.Config{}
	f := &conf.Frontend{Name: "f"}
	number := 0
	for line := range strings.Lines(lines) {
		number++
		words := fields(line)
		if len(words) == 0 {
			continue
		}
		at := conf.Pos{File: "x", Line: number}
		if err := parseLine(c, f, at, words); err != nil {
			t.Fatalf("%s: %s", strings.TrimSpace(line), err)
		}
	}
	c.Frontends = append(c.Frontends, f)
	return c, f
}

// fields is strings.Fields, except that "" stands for an empty word.
func fields(line string) []string {
	words := strings.Fields(line)
	for i, w := range words {
		if w == `""` {
			words[i] = ""
		}
	}
	return words
}

func parseLine(c *conf.Config, f *conf.Frontend, at conf.Pos, words []string) error {
	switch words[0] {
	case "acl":
		a, err := conf.ParseACL(at, words[1:])
		f.ACLs = append(f.ACLs, a)
		return err
	case "default_backend":
		f.DefaultBackend = words[1]
		addBackend(c, words[1])
		return nil
	case "use_backend":
		cond, err := condition(at, words[2:])
		addBackend(c, words[1])
		f.UseBackend = append(f.UseBackend, conf.UseBackend{Pos: at, Backend: words[1], Cond: cond})
		return err
	}
	rules := map[string]*[]conf.Rule{"connection": &f.Connection, "content": &f.Content}[words[1]]
	action := map[string]conf.Action{"accept": conf.Accept, "reject": conf.Reject}[words[2]]
	cond, err := condition(at, words[3:])
	*rules = append(*rules, conf.Rule{Pos: at, Action: action, Cond: cond})
	return err
}

func condition(at conf.Pos, words []string) (*conf.Cond, error) {
	if len(words) == 0 {
		return nil, nil
	}
	return conf.ParseCond(at, words)
}

func addBackend(c *conf.Config, name string) {
	if c.Backend(name) == nil {
		c.Backends = append(c.Backends, &conf.Backend{Name: name})
	}
}

// compile compiles lines, which must have no errors.
func compile(t testing.TB, lines string) (*conf.Config, *Program) {
	t.Helper()
	c, f := parse(t, lines)
	p, problems := Compile(conf.Disk{}, c, f)
	if err := problems.Err(); err != nil {
		t.Fatal(err)
	}
	return c, p
}

// truth returns the value of one condition for the given facts.
func truth(t testing.TB, condition string, f *Facts) Truth {
	t.Helper()
	_, p := compile(t, "use_backend yes if "+condition)
	return p.Explain(f)[0].Verdict
}

// sniffed returns the facts for these bytes.
func sniffed(b []byte) *Facts {
	f := &Facts{Sniff: &sniff.Facts{}, Received: len(b)}
	sniff.NewScanner().Sniff(&sniff.State{}, b, f.Sniff)
	return f
}

// request returns the facts of a GET request with these header lines.
func request(path string, headers ...string) *Facts {
	return sniffed([]byte("GET " + path + " HTTP/1.1\r\n" + strings.Join(append(headers, "", ""), "\r\n")))
}

// host returns the facts of a request for a host.
func host(name string) *Facts { return request("/", "Host: "+name) }

func from(addr string) *Facts {
	return &Facts{Src: netip.MustParseAddrPort(addr), Dst: netip.MustParseAddrPort("127.0.0.1:80")}
}

// decided returns the name of the chosen backend, or the verdict.
func decided(c *conf.Config, d Decision) string {
	switch {
	case d.Verdict != Route:
		return d.Verdict.String()
	case d.Backend < 0:
		return "none"
	}
	return c.Backends[d.Backend].Name
}

func problems(t testing.TB, lines string) []string {
	t.Helper()
	c, f := parse(t, lines)
	_, found := Compile(conf.Disk{}, c, f)
	var all []string
	for _, p := range found {
		all = append(all, fmt.Sprint(p))
	}
	return all
}
