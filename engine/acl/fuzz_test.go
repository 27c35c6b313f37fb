package acl

import (
	"strings"
	"testing"

	"sluice/conf"
	"sluice/sniff"
)

const fuzzRules = `acl site hdr(host),lower,host_only www.example.com
	acl site hdr_end(host) -i .example.com
	tcp-request content reject if { hdr_ip(x-forwarded-for,-1) 10.0.0.0/8 2001:db8::/32 }
	tcp-request content accept if site METH_GET || { req.ssl_alpn,field(1,/) h2 }
	use_backend a if { hdr(x),word(-2,.:,2) a.b b } || { hdr_dom(host) -i example }
	use_backend b if { path_dir a } { hdr_cnt(cookie) 1: }
	use_backend c if { req.ssl_sni -m end .example.org .example.net } || { url_reg ^[^/]*// }
	use_backend d if { hdr(host),port_only 1024: } { hdr_val(content-length,1) gt 0 }
	use_backend e if { req.ssl_ver 3.1:3.3 } || { path_beg /e } !site
	use_backend f if { hdr() -m found } { path_end .gif .jpg }
	default_backend g`

// FuzzDecide decides on the bytes of a client, one byte more each time. A decision must not change
// with more bytes. The tables must give the same result as trying the rules one by one.
func FuzzDecide(f *testing.F) {
	c, p := compile(f, fuzzRules)
	scanner := sniff.NewScanner()
	f.Add([]byte("GET /a/b HTTP/1.1\r\nHost: www.Example.com:8080\r\nX: a:b.c, \"d,\"\r\n\r\n"))
	f.Add([]byte("GET /e.gif HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 10.0.0.1, [2001:db8::1]:80\r\n\r\n"))
	f.Add(helloBytes(f, "www.example.org", "h2"))
	f.Fuzz(func(t *testing.T, b []byte) {
		last, state, facts := "more", &sniff.State{}, &Facts{Sniff: &sniff.Facts{}}
		for n := range len(b) + 1 {
			scanner.Sniff(state, b[:n], facts.Sniff)
			got := decideBoth(t, c, p, facts)
			if last != "more" && got != last {
				t.Fatalf("%s for %q, then %s with one byte more", last, b[:n-1], got)
			}
			last = got
		}
		facts.Final = true
		if got := decideBoth(t, c, p, facts); got == "more" {
			t.Fatalf("more for the final %q", b)
		}
	})
}

func decideBoth(t *testing.T, c *conf.Config, p *Program, f *Facts) string {
	t.Helper()
	got, want := decided(c, p.Decide(f)), inTurn(p, f)
	if got != want {
		t.Fatalf("%s, and %s by trying all rules in turn", got, want)
	}
	return got
}

// inTurn decides from the result of Explain, which uses no tables.
func inTurn(p *Program, f *Facts) string {
	accepted := false
	for _, s := range p.Explain(f) {
		switch {
		case s.Verdict == False, accepted && s.Backend == "":
			continue
		case s.Verdict == Unknown:
			return "more"
		case strings.HasPrefix(s.Text, "tcp-request content reject"):
			return "refuse"
		case s.Backend == "":
			accepted = true
		default:
			return s.Backend
		}
	}
	return "none"
}

// FuzzCompile compiles random lines of a configuration. A line that compiles must also give a
// decision.
func FuzzCompile(f *testing.F) {
	for _, line := range []string{
		"hdr(host),lower -m end .a", "src 10.0.0.0/8 ::1", "dst_port ge 1 2:3", "req.ssl_ver 3.1-3.3", "path_reg ^/a", "hdr(x),field(-1,.,2) -i A",
	} {
		f.Add(line)
	}
	facts := request("/a", "Host: a.x", "X: a.b, c")
	f.Fuzz(func(t *testing.T, line string) {
		a, err := conf.ParseACL(conf.Pos{}, strings.Fields("a "+line))
		if err != nil || a.Files != nil {
			return
		}
		cond, err := conf.ParseCond(conf.Pos{}, []string{"if", "a", "||", "!a"})
		if err != nil {
			t.Fatal(err)
		}
		front := &conf.Frontend{ACLs: []*conf.ACL{a}, UseBackend: []conf.UseBackend{{Backend: "b", Cond: cond}}}
		p, problems := Compile(conf.Disk{}, &conf.Config{Backends: []*conf.Backend{{Name: "b"}}}, front)
		facts.Final = true
		if d := p.Decide(facts); problems.Err() == nil && d.Backend != 0 {
			t.Fatalf("%q is neither true nor false", line)
		}
	})
}

// FuzzValue writes values from a random request head. A value must never end a header field.
func FuzzValue(f *testing.F) {
	p := http(f, `http-request set-header a "%r %HU %HPO %HQ %[base] %[pathq] %[query] %[req.hdr(x)] %[req.fhdr(x,-1)] %[cook(a)] %[cook_cnt(a)] %[urlp(q),upper]"
		http-request deny if { cook_beg(a) 1 } || { urlp(q) -m len gt 3 } || { base_dir x }`)
	scanner := sniff.NewScanner()
	f.Add([]byte("GET http://h/a?q=1&r;q=2 HTTP/1.1\r\nHost: h\r\nX: a, \"b,\"\r\nCookie: a=1; a=\"2;\", b\r\n\r\n"))
	f.Add([]byte("GET / HTTP/1.1\r\nHost: h\r\nX: a\r\n b\r\nCookie: a\r\n\r\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		facts := &Facts{Sniff: &sniff.Facts{}, Final: true}
		scanner.Sniff(&sniff.State{}, b, facts.Sniff)
		facts.Line = LineOf(&facts.Sniff.HTTP)
		p.Request.Next(facts, 0)
		if got := p.Request.At(0).Value.Append(nil, facts); strings.ContainsAny(string(got), "\r\n\x00") {
			t.Fatalf("%q of %q", got, b)
		}
	})
}
