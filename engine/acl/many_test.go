package acl

import (
	"fmt"
	"strings"
	"testing"
)

// TestManyRules: rules whose match can be looked up are all in an index. So ten thousand rules cost
// as much as two.
func TestManyRules(t *testing.T) {
	cases := []struct {
		test      string // contains %s for a name
		indexes   int
		needsEval int
	}{
		{"hdr(host) -i www%s", 1, 0},
		{"hdr_end(host) -i %s", 1, 0},
		{"path_beg /%s", 1, 0},
		{"req.ssl_sni www%s", 1, 0},
		{"req.ssl_sni -m end %s } || { hdr_end(host) %[1]s", 2, 0},
		{"hdr(host),lower,host_only www%s", 1, 0},
		{"hdr(host) www%s } { path_sub /a } !{ src 10.0.0.1", 1, 2000},
		{"hdr(host) www%s } || { hdr(host) -m beg www%[1]s: } || { hdr_end(host) %[1]s", 1, 0},
	}
	for _, c := range cases {
		_, p := compile(t, sites(2000, c.test))
		u := p.useBackend
		if len(u.unindexed) != 0 || len(u.indexes) != c.indexes {
			t.Errorf("%s: %d rules tried in turn, %d indexes, want %d", c.test, len(u.unindexed), len(u.indexes), c.indexes)
		}
		if len(u.needsEval) != c.needsEval {
			t.Errorf("%s: %d rules evaluated once found, want %d", c.test, len(u.needsEval), c.needsEval)
		}
	}
}

// TestGuard: the index holds the term that excludes more rules. So a request does not evaluate all
// rules of its host.
func TestGuard(t *testing.T) {
	var b strings.Builder
	b.WriteString("acl www hdr(host) a.x\n")
	for i := range 100 {
		fmt.Fprintf(&b, "use_backend b%d if www { path_beg /%d/ }\n", i, i)
	}
	_, p := compile(t, b.String())
	if len(p.useBackend.indexes) != 1 || p.useBackend.indexes[0].expr.text != `path("",0)` {
		t.Errorf("%+v", p.useBackend.indexes)
	}
}

// TestMixedRules: rules that are looked up and rules that are evaluated keep their order.
func TestMixedRules(t *testing.T) {
	c, p := compile(t, `use_backend reg if { hdr_reg(host) ^r }
		use_backend exact if { hdr(host) r.x s.x }
		use_backend sub if { hdr_sub(host) s. }
		use_backend end if { hdr_end(host) .x }
		use_backend port if { src_port 7 }
		use_backend net if { src 10.0.0.0/8 }
		use_backend late if { hdr(host) a.y }`)
	for want, f := range map[string]*Facts{
		"reg": host("r.x"), "exact": host("s.x"), "sub": host("s.y"), "end": host("a.x"),
		"port": from("10.0.0.1:7"), "net": from("10.0.0.1:8"), "late": host("a.y"), "none": host("b.y"),
	} {
		f.Final = true
		if got := decided(c, p.Decide(f)); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}

// TestLongFile: an ACL with more than mostKeys patterns has its own table, and its rule keeps its
// place in the order.
func TestLongFile(t *testing.T) {
	var names strings.Builder
	for i := range mostKeys + 1 {
		fmt.Fprint(&names, " ", site(i))
	}
	c, p := compile(t, "use_backend first if { hdr(host) "+site(3)+" }\nuse_backend all if { hdr(host)"+names.String()+" }\nuse_backend last if { hdr(host) "+site(4)+" x }")
	if len(p.useBackend.unindexed) != 1 {
		t.Errorf("%d rules tried in turn", len(p.useBackend.unindexed))
	}
	for name, want := range map[string]string{site(3): "first", site(4): "all", site(mostKeys): "all", "x": "last", "y": "none"} {
		if got := decided(c, p.Decide(host(name))); got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
}
