package acl

import "testing"

// TestAllocs: a decision allocates nothing, with every fetch and every match.
func TestAllocs(t *testing.T) {
	headers := request("/a/b?c", "Host: WWW.Example.com:8080", "X: a, b, 12", `Y: "q,\"" , z`, "Z: 10.0.0.1, [2001:db8::1]:80, ::10.0.0.1, 2002:a00:1::1")
	headers.Src, headers.Dst = from("10.0.0.1:5").Src, from("[fe80::1%lo]:5").Src
	tlsHello := hello(t, "www.example.com", "h2", "http/1.1")
	conds := []string{
		"{ hdr(host) -i a b c }", "{ hdr(host),lower,host_only www.example.com }", "{ hdr(host),port_only 80 }",
		"{ hdr(x,-2) b }", "{ hdr(x),upper -m end B }", "{ hdr_val(x) 1:9 }", "{ hdr_cnt(x) 3 }", "{ hdr(x) -m int 12 }",
		"{ hdr_ip(z) 2001:db8::/32 192.0.2.0/24 }", "{ hdr_dom(host) -i EXAMPLE }", "{ hdr_len(host) 3 }", "{ req.fhdr(x) -m sub b, }",
		"{ hdr(y),field(2,.) q }", "{ hdr(y),word(-1,.,2) q }", "{ hdr(x) -m bool }", "{ hdr(x) -m found }",
		"{ path_dir b }", "{ path_beg /b }", "{ path -m bin 2f }", "{ url_sub ?c }", "{ url_len gt 90 }", "METH_POST", "HTTP_1.0", "HTTP", "REQ_CONTENT", "WAIT_END",
		"{ src 10.0.0.0/8 192.0.2.0/24 }", "{ src ::/0 }", "{ src 192.0.2.0/24 64:ff9b::/96 }", "{ hdr_ip(z) ::ffff:192.0.2.0/120 198.51.100.0/24 }", "{ src -m beg 192. }", "{ dst fe80::/10 }", "{ src_port 80 90:99 }", "{ dst_port -m str 80 }", "{ src -m found }",
		"{ req.ssl_sni a.b www.example.org }", "{ req.ssl_sni,upper -m end .ORG }",
		"{ req.ssl_alpn -m sub h3 }", "{ req.ssl_ver 3.1 }", "{ req.ssl_hello_type 1 }", "{ always_true,upper -m str 1 }", "FALSE",
	}
	checkAllocs(t, conds, headers, tlsHello, &Facts{})
	_, p := compile(t, "tcp-request connection reject if { src 192.0.2.0/24 } || { dst_port 80 }")
	if n := testing.AllocsPerRun(50, func() { p.Connection(headers) }); n != 0 {
		t.Errorf("connection: %v allocations", n)
	}
}

func checkAllocs(t *testing.T, conds []string, facts ...*Facts) {
	t.Helper()
	for _, cond := range conds {
		for _, f := range facts {
			_, p := compile(t, "tcp-request content accept if FALSE\nuse_backend a if FALSE "+cond+" || "+cond+"\ndefault_backend d")
			if n := testing.AllocsPerRun(50, func() { p.Decide(f) }); n != 0 {
				t.Errorf("%s: %v allocations", cond, n)
			}
		}
	}
}

// TestAllocsHTTP: the rules of mode http and the values that they write allocate nothing.
func TestAllocsHTTP(t *testing.T) {
	p := http(t, `http-request set-header a "%r %{+Q,+E}HU %T %t %{+X}ci %[base] %[pathq] %{+E}[req.hdr(x),upper,field(1,:)] %[cook(a)] %[urlp(q)] %[src] %H"
		http-request deny if { cook(a) 1 } { urlp(q) 2 } || { base_beg h/x } || { cook_cnt(a) gt 3 }
		http-request set-header b c unless { query -m found }
		monitor fail if { pathq / }
		http-response set-header a "%[status] %[res.hdr(x)] %[res.cook(s)] %[res.ver] %b"
		http-response deny if { res.hdr(x) q } || { status 500 } || { scook(s) 3 }`)
	request := final(request("/a/b?q=1", "Host: WWW.Example.com:8080", "X: a, b, 12", "Cookie: a=2; b=3"))
	answered := answer(200, "X", "a", "Set-Cookie", "s=1")
	dst := make([]byte, 0, 4096)
	n := testing.AllocsPerRun(100, func() {
		for i := p.Request.Next(request, 0); i >= 0; i = p.Request.Next(request, i+1) {
			dst = p.Request.At(i).Value.Append(dst[:0], request)
		}
		p.Failing(request)
		p.Response.Next(answered, 1)
	})
	if n != 0 {
		t.Errorf("%v allocations", n)
	}
}
