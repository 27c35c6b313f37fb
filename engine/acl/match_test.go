package acl

import (
	"net"
	"os"
	"path/filepath"
	"testing"
)

type matchCase struct {
	cond  string
	facts *Facts
	want  Truth
}

func checkTruths(t *testing.T, cases []matchCase) {
	t.Helper()
	for _, c := range cases {
		if got := truth(t, c.cond, c.facts); got != c.want {
			t.Errorf("%s: %s, want %s", c.cond, got, c.want)
		}
	}
}

// The expected results are those of HAProxy 2.6 for the same lines in mode tcp.
func TestHeaderValues(t *testing.T) {
	checkTruths(t, []matchCase{
		{"{ hdr(host) a.x }", host("a.x"), True},
		{"{ hdr(host) a.x }", host("A.x"), False},
		{"{ hdr(HOST) -i a.X }", host("A.x"), True},
		{"{ hdr(host) a.x }", host("a.x:80"), False},
		{"{ hdr(host),host_only a.x }", host("a.x:80"), True},
		{"{ hdr(host),host_only a.x }", host("A.x:80"), True},
		{"{ hdr(host),host_only A.x }", host("A.x:80"), False},
		{"{ hdr(host),host_only -i A.x }", host("a.X"), True},
		{"{ hdr(host),host_only,upper A.X }", host("a.X"), True},
		{"{ hdr(host),host_only -m end .x }", host("a.X:80"), True},
		{"{ hdr(host),host_only [2001:db8::a] }", host("[2001:DB8::A]:80"), True},
		{"{ hdr_end(host) -i .URLenco.de }", host("www.urlenco.DE"), True},
		{"{ hdr_end(host) urlenco.de }", host("xurlenco.de"), True},
		{"{ hdr_end(host) urlenco.de }", host("urlenco.de:80"), False},
		{"{ hdr_end(host) urlenco.de }", host("urlenco.de."), False},
		{"{ hdr(x) b }", request("/", "X: a, b ,c"), True},
		{"{ hdr(x) c }", request("/", "X: a,b", "x: c"), True},
		{"{ hdr(x,1) b }", request("/", "X: a,b"), False},
		{"{ hdr(x,2) b }", request("/", "X: a,b"), True},
		{"{ hdr(x,2) c }", request("/", "X: a", "X: c"), True},
		{"{ hdr(x,-1) last }", request("/", "x: a, last"), True},
		{"{ hdr(x,-2) a }", request("/", "x: a, last"), True},
		{"{ hdr(x,-3) a }", request("/", "x: a, last"), False},
		{"{ hdr(x,3) -m found }", request("/", "x: a, last"), False},
		{"{ hdr(x) a,b }", request("/", "X: a,b"), False},
		{`{ hdr(x) "a,b" }`, request("/", `X: "a,b"`), True},
		{`{ hdr(x) "a\",b" }`, request("/", `X: "a\",b"`), True},
		{"{ req.fhdr(x) a,b }", request("/", "X: a,b"), True},
		{"{ hdr() zz }", request("/", "foo: zz"), True},
		{"{ hdr zz }", request("/", "foo: zz"), True},
		{"{ hdr(x) -m found }", request("/", "x:"), True},
		{"{ hdr(x) -m found }", request("/", "y: 1"), False},
		{"{ hdr_cnt(x) 3 }", request("/", "x: a,b", "x: c"), True},
		{"{ req.fhdr_cnt(x) 2 }", request("/", "x: a,b", "x: c"), True},
		{"{ hdr_cnt(x,1) 1 }", request("/", "x: a,b", "x: c"), True},
		{"{ hdr_cnt(x) 0 }", request("/", "y: a"), True},
		{"{ hdr_val(x) 12 }", request("/", "x: 12ab"), True},
		{"{ hdr_val(x) 0 }", request("/", "x: ab"), True},
		{"{ hdr(x) -m int 12 }", request("/", "x: 12ab"), True},
		{"{ hdr(x) -m int 0 }", request("/", "x: ab"), True},
		{"{ hdr(x) -m int 0 }", request("/", "x:"), False},
		{"{ hdr(x) -m int lt 0 }", request("/", "x: -5"), True},
		{"{ hdr(x) -m int 5 }", request("/", "x: +5"), True},
		{"{ hdr(x) -m int gt 9223372036854775805 }", request("/", "x: 99999999999999999999"), True},
		{"{ hdr_val(x) lt 0 }", request("/", "x: -5"), True},
		{"{ hdr_val(x) -- -5 }", request("/", "x: -5x"), True},
		{"{ hdr_val(x) -- -10:-1 }", request("/", "x: -5"), True},
		{"{ hdr_val(x) ge 0 }", request("/", "x: -5"), False},
		{"{ hdr_val(x) 0 }", request("/", "x: -"), True},
		{"{ hdr_val(x,2) lt 0 }", request("/", "x: 5, -5"), True},
		{"{ hdr(x) -m bool }", request("/", "x: 1"), True},
		{"{ hdr(x) -m bool }", request("/", "x: true"), False},
		{"{ hdr_ip(x) 10.0.0.1 }", request("/", "x: 10.0.0.1:80"), True},
		{"{ hdr_ip(x) 10.0.0.0/8 }", request("/", "x: ::ffff:10.0.0.1"), True},
		{"{ hdr_ip(x) 2001:db8::/32 }", request("/", "x: [2001:db8::1]:443"), True},
		{"{ hdr_ip(x) 2001:db8::/32 }", request("/", "x: 2001:db8::1"), True},
		{"{ hdr_ip(x,-1) 10.0.0.1 }", request("/", "x: 192.0.2.1, 10.0.0.1"), True},
		{"{ hdr_ip(x) 0.0.0.0/0 }", request("/", "x: 10.0.0.1:8x"), False},
		{"{ hdr_ip(x) 0.0.0.0/0 }", request("/", "x: unknown"), False},
		{"{ hdr_len(x) 3 }", request("/", "x: abc"), True},
		{"{ hdr_len(x) 4: }", request("/", "x: abc"), False},
	})
}

func TestStrings(t *testing.T) {
	checkTruths(t, []matchCase{
		{"{ path /a }", request("/a?b"), True},
		{"{ path_beg /a }", request("/ab"), True},
		{"{ path_beg -i /A }", request("/ab"), True},
		{"{ path_end .gif .JPG }", request("/x.JPG"), True},
		{"{ path_sub b/ }", request("/ab/c"), True},
		{"{ path_sub -i B/ }", request("/ab/c"), True},
		{"{ path_dir b }", request("/a/b"), True},
		{"{ path_dir /b/ }", request("/a/b"), True},
		{"{ path_dir b }", request("/a/bc/cb"), False},
		{"{ path_dir a/b }", request("/x/a/b/c"), True},
		{"{ hdr_dom(x) .b. }", request("/", "x: a.b"), True},
		{"{ hdr_dom(x) -i B }", request("/", "x: a.b:80"), True},
		{"{ hdr_dom(x) b }", request("/", "x: a.bb"), False},
		{"{ hdr_dom(x) b }", request("/", "x: bb.b"), True},
		{"{ path_reg ^/a.c$ }", request("/abc"), True},
		{"{ path_reg -i ^/A.C$ }", request("/abc"), True},
		{"{ path_reg ^/A.C$ x ^/a }", request("/abc"), True},
		{"{ path_len lt 3 }", request("/a"), True},
		{"{ path_len gt 2 }", request("/a"), False},
		{"{ path -m bin 2f61 }", request("/a"), True},
		{"{ path -m len 2 }", request("/a"), True},
		{`{ path_beg "" }`, request("/a"), True},
		{"{ url /a?b }", request("/a?b"), True},
		{"{ url_sub ?b }", request("/a?b"), True},
		{"{ method GET }", request("/"), True},
		{"{ method -i get }", request("/"), True},
		{"{ method POST PUT }", request("/"), False},
		{"{ req.ver 1.1 }", request("/"), True},
		{"{ path_beg / } METH_GET HTTP_1.1 HTTP", request("/"), True},
		{"{ path -m found }", sniffed([]byte("OPTIONS * HTTP/1.1\r\n\r\n")), False},
		{"{ url * }", sniffed([]byte("OPTIONS * HTTP/1.1\r\n\r\n")), True},
	})
}

func TestConverters(t *testing.T) {
	word := request("/", "x: f1_f2_f3__f5")
	checkTruths(t, []matchCase{
		{"{ hdr(host),lower a.x }", host("A.X"), True},
		{"{ hdr(host),upper A.X }", host("a.x"), True},
		{"{ hdr(host),upper -i a.X }", host("a.x"), True},
		{"{ hdr(host),lower,upper,lower a.x }", host("A.X"), True},
		{"{ hdr_end(host),lower .x }", host("a.x"), False}, // as in HAProxy
		{"{ hdr_end(host),lower a.x }", host("A.x"), True},
		{"{ hdr(host),lower -m end .x }", host("A.X"), True},
		{"{ hdr(host),host_only [::1] }", host("[::1]:80"), True},
		{"{ hdr(host),host_only [::1] }", host("[::1]"), True},
		{"{ hdr(host),port_only 8080 }", host("a:8080"), True},
		{"{ hdr(host),port_only 0 }", host("a"), True},
		{"{ hdr(host),port_only 443 }", host("[::1]:443"), True},
		{"{ hdr(host),length 3 }", host("a.x"), True},
		{"{ hdr(x),field(1,_) f1 }", word, True},
		{"{ hdr(x),field(-1,_) f5 }", word, True},
		{`{ hdr(x),field(4,_) "" }`, word, True},
		{"{ hdr(x),field(6,_) -m found }", word, False},
		{"{ hdr(x),field(-6,_) -m found }", word, False},
		{"{ hdr(x),field(2,_,0) f2_f3__f5 }", word, True},
		{"{ hdr(x),field(2,_,2) f2_f3 }", word, True},
		{"{ hdr(x),field(-2,_,3) f2_f3_ }", word, True},
		{"{ hdr(x),field(-3,_,0) f1_f2_f3 }", word, True},
		{"{ hdr(x),word(4,_) f5 }", word, True},
		{"{ hdr(x),word(5,_) -m found }", word, True},
		{"{ hdr(x),word(5,_) -m len 0 }", word, True},
		{"{ hdr(x),word(3,_,0) f3__f5 }", word, True},
		{"{ hdr(x),word(3,_,2) f3__f5 }", word, True},
		{"{ hdr(x),word(-2,_,3) f1_f2_f3 }", word, True},
		{"{ hdr(x),word(-3,_,0) f1_f2 }", word, True},
		{"{ hdr(x),word(2,.) b }", request("/", "x: ..a..b"), True},
		{"{ src,lower 10.0.0.1 }", from("10.0.0.1:5"), True},
		{"{ src -m beg 10. }", from("10.0.0.1:5"), True},
		{"{ src_port -m str 5 }", from("10.0.0.1:5"), True},
		{"{ src_port -m bool }", from("10.0.0.1:5"), True},
		{"{ always_true -m int 1 }", from("10.0.0.1:5"), True},
		{"{ always_true,upper 1 }", from("10.0.0.1:5"), True},
	})
}

func TestAddresses(t *testing.T) {
	checkTruths(t, []matchCase{
		{"{ src 10.0.0.0/8 }", from("10.1.2.3:5"), True},
		{"{ src 10.0.0.1/8 }", from("10.1.2.3:5"), True},
		{"{ src 10.0.0.0/255.0.0.0 }", from("10.1.2.3:5"), True},
		{"{ src 192.0.2.1 10.1.2.3 }", from("10.1.2.3:5"), True},
		{"{ src 10.1.2.3 }", from("[::ffff:10.1.2.3]:5"), True},
		{"{ src ::ffff:10.0.0.0/104 }", from("10.1.2.3:5"), True},
		{"{ src ::/0 }", from("10.1.2.3:5"), True},
		{"{ src ::ffff:0:0/90 }", from("10.1.2.3:5"), True},
		{"{ src 2001:db8::/32 }", from("10.1.2.3:5"), False},
		{"{ src ::/0 }", from("[::ffff:10.1.2.3]:5"), True},
		{"{ src 0.0.0.0/8 }", from("[::1]:5"), True},
		{"{ src 0.0.0.0/0 }", from("[2001:db8::1]:5"), False},
		{"{ src 10.0.0.0/8 }", from("[2002:a01:203::1%lo]:5"), True},
		{"{ dst ::/0 }", from("10.1.2.3:5"), True},
		{"{ src fe80::/10 }", from("[fe80::1%lo]:5"), True},
		{"{ src fe80::1 }", from("[fe80::1%lo]:5"), True},
		{"{ src [2001:db8::]/32 }", from("[2001:db8::7]:5"), True},
		{"LOCALHOST", from("127.3.4.5:5"), True},
		{"LOCALHOST", from("[::1]:5"), True},
		{"{ src 0.0.0.0/0 ::/0 }", &Facts{}, False},
		{"{ src -m found }", &Facts{}, False},
		{"{ src_port 5 }", &Facts{}, False},
		{"{ dst 127.0.0.1 } { dst_port 80 }", from("10.0.0.1:5"), True},
	})
}

// TestAddressFile: patterns of a file match addresses of both families too.
func TestAddressFile(t *testing.T) {
	name := filepath.Join(t.TempDir(), "nets.lst")
	if err := os.WriteFile(name, []byte("10.0.0.0/8\n2001:db8::/32\n::ffff:192.0.2.0/120\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for addr, want := range map[string]Truth{
		"10.1.2.3": True, "2001:db8::1": True, "192.0.2.1": True, "2002:a01:203::1": True, "::10.1.2.3": True,
		"198.51.100.1": False, "2001:db9::1": False, "::192.0.2.1": False, "2002:c000:201::1": False,
	} {
		if got := truth(t, "{ src -f "+name+" }", from(net.JoinHostPort(addr, "5"))); got != want {
			t.Errorf("%s: %s, want %s", addr, got, want)
		}
	}
}

func TestNumbers(t *testing.T) {
	port := from("10.0.0.1:80")
	checkTruths(t, []matchCase{
		{"{ src_port 80 }", port, True},
		{"{ src_port 81 443 80 }", port, True},
		{"{ src_port 1:79 81:99 }", port, False},
		{"{ src_port 1:79 60:90 }", port, True},
		{"{ src_port 1-80 }", port, True},
		{"{ src_port :80 }", port, True},
		{"{ src_port 81: }", port, False},
		{"{ src_port ge 80 }", port, True},
		{"{ src_port gt 80 }", port, False},
		{"{ src_port le 80 }", port, True},
		{"{ src_port lt 80 }", port, False},
		{"{ src_port gt 90 lt 10 }", port, False},
		{"{ src_port gt 90 eq 80 }", port, True},
		{"{ src_port gt 90 70 }", port, True},
		{"{ src_port -m int -- -80 }", port, False},
	})
}

func TestHello(t *testing.T) {
	f := hello(t, "A.example", "h2", "http/1.1")
	checkTruths(t, []matchCase{
		{"{ req.ssl_sni a.example }", f, True},
		{"{ req.ssl_sni A.EXAMPLE. }", f, True},
		{"{ req_ssl_sni -i A.example }", f, True},
		{"{ req.ssl_sni_end .EXAMPLE }", f, True},
		{"{ req.ssl_sni -m end .example. }", f, True},
		{"{ req.ssl_sni -m beg A. }", f, True},
		{"{ req.ssl_sni -m reg ^A[.]e }", f, True},
		{"{ req.ssl_sni,upper A.EXAMPLE }", f, True},
		{"{ req.ssl_sni,upper a.example }", f, False},
		{"{ req.ssl_sni,field(1,.) A }", f, True},
		{"{ req.ssl_sni -m dom example }", f, True},
		{"{ req.ssl_sni -m found }", f, True},
		{"{ req.ssl_sni -m found }", hello(t, ""), False},
		{"{ req.ssl_hello_type 1 }", hello(t, ""), True},
		{"{ req_ssl_hello_type 1 }", host("a"), False},
		{"{ req.ssl_hello_type 2 }", f, False},
		{"{ req.ssl_alpn h2 }", f, True},
		{"{ req.ssl_alpn http/1.1 }", f, True},
		{"{ req.ssl_alpn h2,http/1.1 }", f, False},
		{"{ req.ssl_alpn -m len 11 }", f, False},
		{"{ req.ssl_alpn -m len 8 }", f, True},
		{"{ req.ssl_alpn -m reg ^h2$ }", f, True},
		{"{ req.ssl_alpn,length 2 }", f, True},
		{"{ req.ssl_alpn -i HTTP/1.1 }", f, True},
		{"{ req.ssl_alpn h3 spdy/1 }", f, False},
		{`{ req.ssl_alpn,field(1,/) http }`, f, True},
		{"{ req.ssl_alpn -m sub h2 }", f, True},
		{"{ req.ssl_alpn,upper -m sub -i h2 }", f, True},
		{"{ req.ssl_alpn -m found }", hello(t, "a.b"), False},
		{"{ req.ssl_ver 3.4 }", f, True},
		{"{ req.ssl_ver 3.1:3.3 }", f, False},
		{"{ req.ssl_ver 3 }", f, False},
		{"{ req.ssl_ver ge 3 }", f, True},
		{"{ req.ssl_ver gt 3.3 }", f, True},
		{"{ req.ssl_ver 3:4 }", f, True},
		{"HTTP", f, False},
		{"{ hdr(host) -m found }", f, False},
	})
}
