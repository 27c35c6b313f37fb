package acl

import (
	"testing"

	"sluice/conf"
	"sluice/sniff"
)

// waiting is a connection from which no byte was read.
func waiting() *Facts { return from("10.0.0.1:5") }

func part(s string) *Facts {
	f := sniffed([]byte(s))
	f.Src, f.Dst = from("10.0.0.1:5").Src, from("10.0.0.1:5").Dst
	return f
}

func TestDecide(t *testing.T) {
	const (
		head  = "GET / HTTP/1.1\r\nHost: a.x\r\n\r\n"
		begun = "GET / HTTP/1.1\r\nHost: a.x\r\n"
		other = "\x00\x01"

		unclear = "GET\t/ HTTP/1.1\r\n"
	)
	cases := []struct {
		name, rules string
		facts       *Facts
		want, final string
	}{
		{"no rule", "", waiting(), "none", "none"},
		{"default", "default_backend d", waiting(), "d", "d"},
		{"declared order", "use_backend a if { hdr_end(host) .x }\nuse_backend b if { hdr(host) a.x }", part(head), "a", "a"},
		{"needs bytes", "use_backend a if { hdr(host) a.x }\ndefault_backend d", waiting(), "more", "d"},
		{"needs the whole head", "use_backend a if { path / }\ndefault_backend d", part(begun), "more", "d"},
		{"another protocol", "use_backend a if { path / }\ndefault_backend d", part(other), "d", "d"},
		{"unknown blocks what follows", "use_backend a if { hdr(host) a.x }\nuse_backend b if { src 10.0.0.1 }", part(begun), "more", "b"},
		{"what stands before does not wait", "use_backend b if { src 10.0.0.1 }\nuse_backend a if { hdr(host) a.x }", part(begun), "b", "b"},
		{"false and unknown", "use_backend a if { hdr(host) a.x } { src 10.0.0.2 }\ndefault_backend d", part(begun), "d", "d"},
		{"true and unknown", "use_backend a if { hdr(host) a.x } { src 10.0.0.1 }\ndefault_backend d", part(begun), "more", "d"},
		{"true or unknown", "use_backend a if { hdr(host) a.x } || { src 10.0.0.1 }", part(begun), "a", "a"},
		{"not unknown", "use_backend a if !{ hdr(host) a.x }\ndefault_backend d", waiting(), "more", "a"},
		{"unless unknown", "use_backend a unless { hdr(host) a.x }\ndefault_backend d", waiting(), "more", "a"},
		{"lines of one name are ored", "acl n hdr(host) b.x\nacl n src 10.0.0.1\nuse_backend a if n", waiting(), "a", "a"},
		{"declared hides predefined", "acl TRUE always_false\nuse_backend a if TRUE\ndefault_backend d", waiting(), "d", "d"},
		{"reject", "tcp-request content reject if { src 10.0.0.1 }\ndefault_backend d", waiting(), "refuse", "refuse"},
		{"accept ends content rules", "tcp-request content accept if { src 10.0.0.1 }\ntcp-request content reject\ndefault_backend d", waiting(), "d", "d"},
		{"no match accepts", "tcp-request content reject if { src 10.0.0.2 }\ndefault_backend d", waiting(), "d", "d"},
		{"content waits", "tcp-request content accept if HTTP\ntcp-request content reject\ndefault_backend d", waiting(), "more", "refuse"},
		{"content is told", "tcp-request content accept if HTTP\ntcp-request content reject\ndefault_backend d", part(head), "d", "d"},
		{"content is told otherwise", "tcp-request content accept if HTTP\ntcp-request content reject\ndefault_backend d", part(other), "refuse", "refuse"},
		{"hello", "tcp-request content accept if { req_ssl_hello_type 1 }\ntcp-request content reject", part(head), "refuse", "refuse"},
		{"wait_end", "tcp-request content accept if WAIT_END\nuse_backend a if TRUE", part(head), "more", "a"},
		{"spoke", "use_backend a if { req.len gt 0 }\ndefault_backend d", part("x"), "a", "a"},
		{"silent", "use_backend a if REQ_CONTENT\ndefault_backend d", waiting(), "more", "d"},
		{"not yet too long", "use_backend a if { req.len gt 5 }\ndefault_backend d", part("x"), "more", "d"},
		{"short so far", "use_backend a if { req.len lt 5 }", part("x"), "a", "a"},
		{"unclear", "tcp-request content reject if { path /x } || { hdr(host) a.x }\ndefault_backend d", part(unclear), "refuse", "refuse"},
		{"unclear and not", "tcp-request content reject if !{ path /x }\ndefault_backend d", part(unclear), "refuse", "refuse"},
		{"unclear is not accepted", "tcp-request content accept if { path / }\ntcp-request content accept unless { path /x }\ntcp-request content reject", part(unclear), "refuse", "refuse"},
		{"unclear and false", "tcp-request content reject if { path / } { src 10.0.0.2 }\ndefault_backend d", part(unclear), "d", "d"},
		{"unclear and unknown", "tcp-request content reject if { path / } WAIT_END\ndefault_backend d", part(unclear), "more", "refuse"},
		{"unclear routes as before", "use_backend a if { path / }\nuse_backend b unless { path / }", part(unclear), "b", "b"},
		{"no pattern", "use_backend a if { hdr(host) }\ndefault_backend d", part(head), "d", "d"},
	}
	for _, c := range cases {
		config, p := compile(t, c.rules)
		if got := decided(config, p.Decide(c.facts)); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
		c.facts.Final = true
		if got := decided(config, p.Decide(c.facts)); got != c.final {
			t.Errorf("%s, final: %s, want %s", c.name, got, c.final)
		}
	}
}

// TestBrokenHead: if the bytes are certainly not a valid head, an ACL is false at once, without
// waiting for more bytes.
func TestBrokenHead(t *testing.T) {
	for _, head := range []string{
		"GET / HTTP/1.1\r\nHost: a.x\r\nHost: b.x\r\n\r\n",
		"GET / HTTP/1.1\r\nHost: a.x, b.x\r\n\r\n",
		"GET / HTTP/1.1\r\nHost : a.x\r\n\r\n",
		"GET http://b.x/ HTTP/1.1\r\nHost: a.x\r\n\r\n",
		"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
	} {
		c, p := compile(t, "use_backend a if { hdr(host) -m sub a b }\ndefault_backend d")
		if got := decided(c, p.Decide(part(head))); got != "d" {
			t.Errorf("%q: %s", head, got)
		}
	}
}

// TestRefusedName: an invalid SNI matches nothing.
func TestRefusedName(t *testing.T) {
	f := &Facts{Sniff: &sniff.Facts{TLS: sniff.Hello{Verdict: sniff.Yes, SNI: []byte("a.x\x00.b")}}}
	for _, cond := range []string{"{ req.ssl_sni -m found }", "{ req.ssl_sni -m beg a.x }", "{ req.ssl_sni -m reg . }"} {
		if got := truth(t, cond, f); got != False {
			t.Errorf("%s: %s", cond, got)
		}
	}
}

func TestConnection(t *testing.T) {
	_, p := compile(t, "tcp-request connection accept if { src 10.0.0.1 }\ntcp-request connection reject if { src 10.0.0.0/8 }")
	for addr, want := range map[string]conf.Action{"10.0.0.1:1": conf.Accept, "10.0.0.2:1": conf.Reject, "192.0.2.1:1": conf.Accept} {
		if got := p.Connection(from(addr)); got != want {
			t.Errorf("%s: %s, want %s", addr, got, want)
		}
	}
}

func TestListen(t *testing.T) {
	c, f := parse(t, "")
	f.Listen = true
	addBackend(c, "other")
	addBackend(c, f.Name)
	p, problems := Compile(conf.Disk{}, c, f)
	if got := decided(c, p.Decide(waiting())); got != f.Name || problems != nil {
		t.Errorf("%s, %v", got, problems)
	}
}

func TestNeeds(t *testing.T) {
	cases := []struct {
		rules string
		want  Needs
	}{
		{"default_backend d", Needs{}},
		{"acl unused hdr(host) a\nuse_backend b if { src 10.0.0.1 }", Needs{}},
		{"use_backend b if { dst_port 80 }", Needs{Dst: true}},
		{"tcp-request connection reject if { dst 10.0.0.1 }", Needs{Dst: true}},
		{"use_backend b if { hdr(host) a }", Needs{Bytes: true, HTTP: true}},
		{"tcp-request content accept if HTTP", Needs{Bytes: true, HTTP: true}},
		{"use_backend b if { req.ssl_sni a } || { src 10.0.0.1 }", Needs{Bytes: true, TLS: true}},
		{"tcp-request content accept if WAIT_END", Needs{Bytes: true}},
		{"use_backend b if { req.len gt 0 }\nuse_backend c if METH_GET", Needs{Bytes: true, HTTP: true}},
	}
	for _, c := range cases {
		if _, p := compile(t, c.rules); p.Needs() != c.want {
			t.Errorf("%s: %+v, want %+v", c.rules, p.Needs(), c.want)
		}
	}
}

func TestExplain(t *testing.T) {
	_, p := compile(t, `tcp-request connection reject if { src 192.0.2.0/24 }
		tcp-request content accept if { src 10.0.0.0/8 }
		use_backend a if { hdr(host) -i A.x }
		use_backend b unless HTTP
		default_backend d`)
	f := part("GET / HTTP/1.1\r\n")
	steps := p.Explain(f)
	want := []Step{
		{conf.Pos{File: "x", Line: 1}, "tcp-request connection reject if { src 192.0.2.0/24 }", "", False},
		{conf.Pos{File: "x", Line: 2}, "tcp-request content accept if { src 10.0.0.0/8 }", "", True},
		{conf.Pos{File: "x", Line: 3}, "use_backend a if { hdr(host) -i A.x }", "a", Unknown},
		{conf.Pos{File: "x", Line: 4}, "use_backend b unless HTTP", "b", Unknown},
		{conf.Pos{}, "default_backend d", "d", True},
	}
	if len(steps) != len(want) {
		t.Fatalf("%+v", steps)
	}
	for i := range want {
		if steps[i] != want[i] {
			t.Errorf("%+v, want %+v", steps[i], want[i])
		}
	}
	for _, c := range []struct {
		head string
		rule int
	}{{"GET / HTTP/1.1\r\n", 2}, {"GET / HTTP/1.1\r\nHost: a.x\r\n\r\n", 2}, {"\x00", 3}, {"GET / HTTP/1.1\r\n\r\n", 4}} {
		if d := p.Decide(part(c.head)); d.Rule != c.rule {
			t.Errorf("%q: rule %d, want %d", c.head, d.Rule, c.rule)
		}
	}
}
