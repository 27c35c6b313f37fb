package acl

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"sluice/conf"
)

// TestProblems checks the exact messages for lines.
func TestProblems(t *testing.T) {
	cases := []struct{ line, want string }{
		{"acl a hdrr(host) x", "error: acl 'a' in frontend 'f': unknown fetch 'hdrr'; did you mean 'hdr'?"},
		{"acl a ssl_fc_sni x", "error: acl 'a' in frontend 'f': unknown fetch 'ssl_fc_sni'"},
		{"acl a url_ip 10.0.0.1", "error: acl 'a' in frontend 'f': unknown fetch 'url_ip'; did you mean 'urlp'?"},
		{"acl a src_end 1", "error: acl 'a' in frontend 'f': unknown fetch 'src_end'"},
		{"acl a src(x) 10.0.0.1", "error: acl 'a' in frontend 'f': 'src' has the argument 'x', wanted none"},
		{"acl a hdr(a,1,2) x", "error: acl 'a' in frontend 'f': 'hdr' has 3 arguments, wanted a header's name and perhaps which of its values"},
		{"acl a hdr(a,b) x", "error: acl 'a' in frontend 'f': 'hdr' has the occurrence 'b', wanted an integer such as 1, or -1 for the last"},
		{"acl a hdr(a),lowr x", "error: acl 'a' in frontend 'f': unknown converter 'lowr', wanted one of field, host_only, length, lower, port_only, upper, word; did you mean 'lower'?"},
		{"acl a hdr(a),lower(1) x", "error: acl 'a' in frontend 'f': converter 'lower' has the argument '1', wanted none"},
		{"acl a hdr(a),field(1) x", "error: acl 'a' in frontend 'f': converter 'field' has 1 arguments, wanted an index, the delimiters and perhaps a count"},
		{"acl a hdr(a),field(0,.) x", "error: acl 'a' in frontend 'f': converter 'field' has index '0', wanted an integer that is not 0"},
		{"acl a hdr(a),word(1,.,-1) x", "error: acl 'a' in frontend 'f': converter 'word' has count '-1', wanted 0 (all) or a positive integer"},
		{"acl a hdr(a),word(1,\"\") x", "error: acl 'a' in frontend 'f': converter 'word' has no delimiters, wanted at least one byte"},
		{"acl a src -m int 1", "error: acl 'a' in frontend 'f': 'src' is an address, which -m int can't match"},
		{"acl a src_port -m ip 10.0.0.1", "error: acl 'a' in frontend 'f': 'src_port' is an integer, which -m ip can't match"},
		{"acl a src 10.0.0.0/33", "error: acl 'a' in frontend 'f': pattern '10.0.0.0/33' is no address, wanted one such as 192.0.2.1 or 2001:db8::1, or a network such as 10.0.0.0/8 or 10.0.0.0/255.0.0.0"},
		{"acl a src 10.0.0.0/255.0.255.0", "error: acl 'a' in frontend 'f': pattern '10.0.0.0/255.0.255.0' has a mask with holes, wanted its ones in front of its zeros"},
		{"acl a src_port 80x", "error: acl 'a' in frontend 'f': pattern '80x' is no integer, wanted one such as 80, a range such as 1024:65535, or eq, ge, gt, le, lt and an integer"},
		{"acl a src_port 5:2", "error: acl 'a' in frontend 'f': pattern '5:2' is a range with nothing in it, wanted the lower end first"},
		{"acl a src_port gt 2:5", "error: acl 'a' in frontend 'f': pattern '2:5' is a range, which 'gt' can't take, wanted one integer"},
		{"acl a src_port gt", "error: acl 'a' in frontend 'f': nothing follows 'gt', wanted an integer"},
		{"acl a req.ssl_ver tls1", "error: acl 'a' in frontend 'f': pattern 'tls1' is no version, wanted one such as 3.3, a range such as 3.1:3.3, or eq, ge, gt, le, lt and a version"},
		{"acl a path -m bin 2", "error: acl 'a' in frontend 'f': pattern '2' is not hexadecimal, wanted two digits for each byte"},
		{`acl a path_reg ^/(?=a)`, "error: acl 'a' in frontend 'f': pattern '^/(?=a)' is no regular expression of RE2, which has no back references and no look-around: invalid or unsupported Perl syntax: `(?=`"},
		{"acl a src -f no/such.lst", "error: acl 'a' in frontend 'f': pattern file 'no/such.lst': no such file or directory; wanted a file with one pattern a line"},
		{"use_backend b if { hdrx(a) b }", "error: acl '{ hdrx(a) b }' in frontend 'f': unknown fetch 'hdrx'; did you mean 'hdr'?"},

		{"acl a hdr(host)", "warning: acl 'a' in frontend 'f': it has no pattern and will never match; wanted one, or -m found to ask whether it is there"},
		{"acl a src -m found x", "warning: acl 'a' in frontend 'f': -m found takes no patterns, pattern 'x' is ignored"},
		{"acl a always_true 1", "warning: acl 'a' in frontend 'f': -m bool takes no patterns, pattern '1' is ignored"},
		{"acl a hdr_end(host),lower .x", "warning: acl 'a' in frontend 'f': the converter makes 'hdr_end' match with -m str and no longer with -m end, as in HAProxy; add -m end if that was meant"},
		{"acl a hdr(host),lower A.x", "warning: acl 'a' in frontend 'f': pattern 'A.x' will never match: the converter makes the values lower case"},
		{"acl a hdr(host),upper A.x", "warning: acl 'a' in frontend 'f': pattern 'A.x' will never match: the converter makes the values upper case"},
		{"acl a hdr(x) a,b", "warning: acl 'a' in frontend 'f': pattern 'a,b' will never match: the values are cut at commas; req.fhdr has them whole"},
		{"acl a path a", "warning: acl 'a' in frontend 'f': pattern 'a' will never match: every path begins with '/'"},
		{"acl a path_end ?b", "warning: acl 'a' in frontend 'f': pattern '?b' will never match: a path ends before the '?'; url has it whole"},
		{"acl a req.ssl_sni a.x:443", "warning: acl 'a' in frontend 'f': pattern 'a.x:443' will never match: an SNI has neither a port nor a path"},
		{"acl a req.ssl_sni 192.0.2.1", "warning: acl 'a' in frontend 'f': pattern '192.0.2.1' will never match: an IP address is no SNI"},
		{"acl a req.ssl_sni é.x", "warning: acl 'a' in frontend 'f': pattern 'é.x' will never match: an SNI has neither blanks nor bytes outside ASCII"},
		{"acl a req.ssl_hello_type 2", "warning: acl 'a' in frontend 'f': it will never match: 'req.ssl_hello_type' is 0 to 1"},
		{"acl a dst_port 70000", "warning: acl 'a' in frontend 'f': it will never match: 'dst_port' is 0 to 65535"},

		{"use_backend b if x", "error: condition 'if x' in frontend 'f': no acl has the name 'x'"},
		{"tcp-request connection reject if { hdr(host) a }", "error: 'tcp-request connection' in frontend 'f': condition 'if { hdr(host) a }' looks at bytes of the client, of which none are read yet; wanted addresses and ports, or 'tcp-request content'"},
		{"tcp-request connection accept if WAIT_END", "error: 'tcp-request connection' in frontend 'f': condition 'if WAIT_END' looks at bytes of the client, of which none are read yet; wanted addresses and ports, or 'tcp-request content'"},
	}
	for _, c := range cases {
		got := problems(t, c.line)
		if want := "x:1: " + c.want; len(got) != 1 || got[0] != want {
			t.Errorf("%s\n got %q\nwant %q", c.line, got, want)
		}
	}
}

func TestNoProblems(t *testing.T) {
	for _, line := range []string{
		"acl a req.ssl_sni WWW.Example.COM.",
		"acl a req.ssl_sni_end .example.com",
		"acl a hdr(host),lower -i A.x",
		`acl a hdr(x) "a,b"`,
		`acl a path_beg ""`,
		"acl a path_sub a",
		"acl a src_port 1024:",
		"acl a hdr(host) -m found",
	} {
		if got := problems(t, line); got != nil {
			t.Errorf("%s: %q", line, got)
		}
	}
}

func TestUndefinedName(t *testing.T) {
	got := problems(t, "acl www always_true\nuse_backend b if wwww\nuse_backend c if wwww")
	want := []string{
		"x:2: error: condition 'if wwww' in frontend 'f': no acl has the name 'wwww'; did you mean 'www'?",
		"x:3: error: condition 'if wwww' in frontend 'f': no acl has the name 'wwww'; did you mean 'www'?",
	}
	if !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
}

// Errors in a predefined ACL of HAProxy are reported at the first rule that uses it.
func TestPredefinedIsToldWhereItIsNamed(t *testing.T) {
	for line, want := range map[string]string{
		"acl www always_true\nuse_backend b if www !RDP_COOKIE":                 "x:2: error: acl 'RDP_COOKIE' in frontend 'f': unknown fetch 'req.rdp_cookie_cnt'",
		"tcp-request content reject if TRUE RDP_COOKIE\nuse_backend b if FALSE": "x:1: error: acl 'RDP_COOKIE' in frontend 'f': unknown fetch 'req.rdp_cookie_cnt'",
	} {
		if got := problems(t, line); !slices.Equal(got, []string{want}) {
			t.Errorf("%q: %q, want %q", line, got, want)
		}
	}
}

func TestUndefinedBackend(t *testing.T) {
	c, f := parse(t, "use_backend b\ndefault_backend d")
	c.Backends = nil
	_, found := Compile(conf.Disk{}, c, f)
	want := "x:1: error: 'use_backend b' in frontend 'f': no backend has this name\n" +
		"error: 'default_backend d' in frontend 'f': no backend has this name"
	if err := found.Err(); err == nil || err.Error() != want {
		t.Errorf("%v", err)
	}
}

func TestShadowed(t *testing.T) {
	got := problems(t, `acl a hdr(host) a.x
		acl same hdr(host) a.x
		use_backend b if a
		use_backend c if { hdr(host) a.x }
		use_backend d if same || { src 10.0.0.1 }
		use_backend e unless a
		tcp-request content reject if a`)
	want := []string{"x:4: warning: 'use_backend c if { hdr(host) a.x }' in frontend 'f' is never reached: 'use_backend b if a' at x:3 has the same condition"}
	if !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
}

func TestPatternFile(t *testing.T) {
	name := filepath.Join(t.TempDir(), "hosts.lst")
	list := "# hosts\n\n  a.x\r\n\tB.x\n #sharp\nlast"
	if err := os.WriteFile(name, []byte(list), 0o600); err != nil {
		t.Fatal(err)
	}
	for host, want := range map[string]Truth{"a.x": True, "b.x": True, "#sharp": True, "# hosts": False, "last": True, "more": True, "": False} {
		if got := truth(t, "{ hdr(x) -i -f "+name+" more }", request("/", "x: "+host)); got != want {
			t.Errorf("%q: %s, want %s", host, got, want)
		}
	}
	got := problems(t, "acl a src -f "+name)
	if len(got) != 4 || !strings.Contains(got[1], "pattern 'B.x' ("+name+":4) is no address") {
		t.Errorf("%q", got)
	}
}
