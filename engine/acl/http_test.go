package acl

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"sluice/conf"
)

// TestFetches checks the values of the fetches of mode http. They are those of HAProxy 2.6.
func TestHTTPFetches(t *testing.T) {
	cases := []struct {
		cond, target, header string
		want                 Truth
	}{
		{"{ query -m found }", "/x?", "", True},
		{"{ query -m found }", "/x", "", False},
		{"{ query b?q=9 }", "/a?b?q=9", "", True},
		{"{ urlp(q) 9 }", "/a?b?q=9", "", True},
		{"{ urlp(q) 2 }", "/?q=1&q=2", "", True},
		{"{ urlp(q) -m found }", "/?q", "", False},
		{"{ urlp(q) -m found }", "/;q=1?z", "", False},
		{"{ urlp(q) %41 }", "/a?bq=1&q=%41", "", True},
		{"{ urlp_beg(q) 1 }", "/?q=12", "", True},
		{"{ pathq /y?q=7 }", "http://h/y?q=7", "", True},
		{"{ pathq -m found }", "*", "", False},
		{"{ base h/y }", "http://h/y?q=7", "", True},
		{"{ base h }", "http://h", "", True},
		{"{ base_beg h/ }", "/", "", True},
		{"{ cook(a) 2 }", "/", "a=1; a=2", True},
		{"{ cook(a) 1 }", "/", "a = 1 ; b=2", True},
		{`{ cook(a) "x;y" }`, "/", `a="x;y"; b=1`, True},
		{"{ cook(a) 2 }", "/", "a=1, a=2", True},
		{"{ cook(a) -m found }", "/", "a", False},
		{"{ cook(a) -m found }", "/", "A=1; aa=1", False},
		{"{ cook(a) 3=4 }", "/", "aa=1; a=3=4", True},
		{"{ cook(a) = }", "/", "a==", True},
		{"{ cook(a) -m found }", "/", `a"=1`, False},
		{"{ cook(a) 5 }", "/", "; ;a=5;", True},
		{"{ cook_cnt(a) 2 }", "/", "a= ; a=2", True},
		{"{ cook(a) -m found }", "/", "a=", False},
		{"{ cook_cnt(a) 1 }", "/", "a=1;a=", True},
		{"{ cook_cnt(a) 2 }", "/", "a=1; a=", True},
		{"{ cook_cnt(a) 2 }", "/", "a=1;a=;", True},
		{"{ cook() 2 }", "/", "a=1; b=2", True},
		{"{ cook 2 }", "/", "=2", True},
		{"{ cook_cnt 3 }", "/", "a=1; b=; c=3; d", True},
		{"{ urlp(n,,i) 1 }", "/?N=1", "", True},
		{"{ urlp(N,,i) 2 }", "/?n=1&N=2", "", True},
		{"{ urlp(n) -m found }", "/?N=1", "", False},
		{"{ urlp(n,;) 1 }", "/a;n=1;x?n=2", "", True},
		{"{ urlp(n,;,i) 1 }", "/a;N=1&x?n=2", "", True},
		{"{ urlp(n,/) 1 }", "/a/n=1", "", True},
		{"{ urlp(n,/) -m found }", "*", "", False},
		{"{ urlp() 2 }", "/?a=1&b=2", "", True},
		{"{ urlp -m found }", "/?a", "", False},
		{"{ cook_end(a) 2 }", "/", "$Version=1; a=12", True},
		{"{ ssl_fc }", "/", "", False},
	}
	for _, c := range cases {
		f := request(c.target, "Host: h", "Cookie: "+c.header)
		f.Final = true
		if got := truth(t, c.cond, f); got != c.want {
			t.Errorf("%s on %s %q: %s, want %s", c.cond, c.target, c.header, got, c.want)
		}
	}
}

func TestAnswerFetches(t *testing.T) {
	f := answer(404, "X", "a, b", "Set-Cookie", "s=1")
	for cond, want := range map[string]Truth{
		"{ status 404 }":          True,
		"{ status 500:599 }":      False,
		"{ res.hdr(x) b }":        True,
		"{ shdr_beg(x) c }":       False,
		"{ res.hdr_cnt(x) 2 }":    True,
		"{ res.hdr(y) -m found }": False,
		"{ res.ver 1.1 }":         True,
		"{ scook(s) 1 }":          True,
		"{ path / }":              False,
	} {
		if got := truth(t, cond, f); got != want {
			t.Errorf("%s: %s, want %s", cond, got, want)
		}
	}
	if got := truth(t, "{ status 404 }", final(&Facts{})); got != False {
		t.Errorf("a status without an answer is %s", got)
	}
}

// TestRulesInTurn: Next returns the indexes of all rules that apply, in order.
func TestRulesInTurn(t *testing.T) {
	p := http(t, `
		acl img path_beg /img
		http-request set-header a b
		http-request deny if { path /no }
		http-request set-header c d if img || { hdr(x) 1 }
		http-request add-header e f unless img
		redirect location / if { path /old }
		http-request allow if { path /old }
		http-response set-header s t if { status 404 }`)
	for _, c := range []struct {
		target string
		want   []int
	}{{"/img/a", []int{0, 2}}, {"/no", []int{0, 1, 3}}, {"/old", []int{0, 3, 4, 5}}} {
		f := request(c.target, "Host: h")
		f.Final = true
		var got []int
		for i := p.Request.Next(f, 0); i >= 0; i = p.Request.Next(f, i+1) {
			got = append(got, i)
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: rules %v, want %v", c.target, got, c.want)
		}
	}
	if got := p.Request.At(5).Action; got != conf.RedirectTo {
		t.Errorf("the old redirect is action %s, and not behind http-request", got)
	}
	if p.Request.Len() != 6 || p.Response.Next(answer(404), 0) != 0 || p.Response.Next(answer(200), 0) != -1 {
		t.Error("the rule on the answer")
	}
}

// TestNextAgainstOracle: for many random rules, Next returns the same rules as evaluating each
// rule.
func TestNextAgainstOracle(t *testing.T) {
	r := random(t)
	var text strings.Builder
	for range 300 {
		fmt.Fprintf(&text, "http-request set-header a b %s { path_beg /%d } %s\n",
			[]string{"if", "if", "if", "unless"}[r.IntN(4)], r.IntN(40), []string{"", "{ hdr(x) 1 }", "|| { urlp(q) 2 }"}[r.IntN(3)])
	}
	p := http(t, text.String())
	for range 300 {
		f := request(fmt.Sprintf("/%d?q=%d", r.IntN(40), r.IntN(4)), "Host: h", fmt.Sprint("X: ", r.IntN(3)))
		f.Final = true
		at := r.IntN(300)
		want := at
		for want < 300 && p.Request.conds[want].eval(f) != True {
			want++
		}
		if got := p.Request.Next(f, at); got != want && (want < 300 || got != -1) {
			t.Fatalf("from %d: rule %d, want %d", at, got, want)
		}
	}
}

func TestMonitorFail(t *testing.T) {
	p := http(t, "monitor-uri /up\nmonitor fail if { hdr(x) 1 }\nmonitor fail unless { hdr(y) 2 }")
	for header, want := range map[string]bool{"X: 1": true, "Y: 2": false, "Z: 3": true} {
		f := request("/up", "Host: h", header)
		f.Final = true
		if got := p.Failing(f); got != want {
			t.Errorf("%s: %v, want %v", header, got, want)
		}
	}
}

// TestReads: Reads is true for each rule that reads the head, and for all rules before it.
func TestReads(t *testing.T) {
	cases := []struct {
		rules string
		want  []bool
	}{
		{"http-request set-header a b\nhttp-request set-header c %ci if { src 10.0.0.1 }", []bool{false, false, false}},
		{"http-request set-path /x\nhttp-request set-header a b if { path /x }\nhttp-request add-header c d", []bool{true, true, false}},
		{"http-request set-path /x\nhttp-request set-header a %[path]", []bool{true, true}},
		{"http-request set-path /x\nhttp-request set-header a %HU", []bool{false, false}}, // the line as the client has sent it
		{"http-request set-path /x\nhttp-request redirect prefix /y", []bool{true, true}},
		{"http-request set-path /x\nhttp-request redirect location /y", []bool{false, false}},
	}
	for _, c := range cases {
		p := http(t, c.rules)
		for i, want := range c.want {
			if got := p.Request.Reads(i); got != want {
				t.Errorf("%q: Reads(%d) is %v", c.rules, i, got)
			}
		}
	}
	p := http(t, "http-response set-header a b if { status 200 }")
	if !p.Response.Reads(0) || p.Response.Reads(1) {
		t.Error("the status can be set")
	}
}

func TestDeletes(t *testing.T) {
	for rule, want := range map[string][]string{
		"X-A":               {"x-a", "X-A"},
		"X-A -m str":        {"x-a", "X-A"},
		"X- -m beg":         {"x-a", "X-A", "X-Ab"},
		"-a -m end":         {"x-a", "X-A", "aX-A"},
		"-A -m sub":         {"x-a", "X-A", "X-Ab", "aX-A"},
		"'^x-[ab]$' -m reg": {"x-a", "X-A"},
	} {
		r := http(t, "http-request del-header "+rule).Request.At(0)
		for _, name := range []string{"x-a", "X-A", "X-Ab", "aX-A", "Y", ""} {
			if got := r.Deletes([]byte(name)); got != slices.Contains(want, name) {
				t.Errorf("%s of %q: %v", rule, name, got)
			}
		}
	}
}

func TestCompiledArguments(t *testing.T) {
	p := http(t, `http-request return status 200 content-type a/b lf-string "%[path]!" hdr x "%HM" if { path /r }
		http-request replace-path ^/a(.*) "/b\\1" if { path_beg /a }
		http-request redirect prefix "http://%[req.hdr(host)]"`)
	f := final(request("/r", "Host: h"))
	r := p.Request.At(0)
	if got := string(r.Body.Append(nil, f)) + " " + string(r.Headers[0].Value.Append(nil, f)); got != "/r! GET" {
		t.Errorf("%s", got)
	}
	if r := p.Request.At(1); r.Regexp.String() != "^/a(.*)" || string(r.Value.Append(nil, f)) != `/b\1` {
		t.Errorf("%s %s", r.Regexp, r.Value.Append(nil, f))
	}
	if got := string(p.Request.At(2).Value.Append(nil, f)); got != "http://h" {
		t.Errorf("%s", got)
	}
}

func TestBackendRules(t *testing.T) {
	c, problems := conf.ParseString("x.cfg", `defaults
		mode http
		timeout connect 1s
		timeout server 1s
		timeout client 1s
backend b
		acl api path_beg /api
		http-request deny if !api
		http-response set-header a "%[res.hdr(x)]"
		server s 127.0.0.1:1
listen l
		bind 127.0.0.1:2
		acl odd hdr(host)
		server s 127.0.0.1:1`)
	if err := problems.Err(); err != nil {
		t.Fatal(err)
	}
	h, found := CompileBackend(conf.Disk{}, c.Backend("b"))
	f := request("/web", "Host: h")
	f.Final = true
	if len(found) != 0 || h.Request.Next(f, 0) != 0 || h.Response.Len() != 1 {
		t.Errorf("%v", found)
	}
	if _, found := CompileBackend(conf.Disk{}, c.Backend("l")); found != nil {
		t.Errorf("told twice: %v", found)
	}
}

func TestDst(t *testing.T) {
	for line, want := range map[string]bool{
		"http-request deny if { src 10.0.0.1 }":       false,
		"http-request deny if { dst 10.0.0.1 }":       true,
		"http-response set-header a %fi":              true,
		"http-request set-header a %[dst_port]":       true,
		"monitor fail if { dst_port 80 }":             true,
		"http-request return status 200 hdr a %ci%bi": false,
	} {
		if got := http(t, line).Needs().Dst; got != want {
			t.Errorf("%s: %v", line, got)
		}
	}
}
