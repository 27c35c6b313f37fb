package acl

import (
	"strings"
	"testing"
	"time"

	"sluice/sniff"
)

// TestValues expects the values that HAProxy 2.6 writes for the same request and format.
func TestValues(t *testing.T) {
	request := request("/v?q=1&q=2&r;s=3?t=4", "Host: h:80", "x: 1, 2", `x: 3 "q\ ]`, "Cookie: a=1; b=2; a=3", "cookie: a=9")
	cases := []struct{ format, want string }{
		{"plain  text", "plain  text"},
		{"100%%", "100%"},
		{"%ci:%cp %fi:%fp", "127.0.0.1:4660 10.1.2.3:80"},
		{"%si:%sp %bi:%bp", "2001:db8::1:8080 10.9.8.7:65535"},
		{"%{+X}ci:%{+X}cp %{+X}si", "7F000001:1234 20010DB8000000000000000000000001"},
		{"%f %ft %b %s", "web web app a1"},
		{"%HM %HP %HPO %HQ %HU %HV", "GET /v /v ?q=1&q=2&r;s=3?t=4 /v?q=1&q=2&r;s=3?t=4 HTTP/1.1"},
		{"%r", "GET /v?q=1&q=2&r;s=3?t=4 HTTP/1.1"},
		{"%T %Ts %{+X}Ts %ms", "22/Nov/2026:17:43:15 +0000 1795369395 6B0329B3 007"},
		{`%{+Q}o %HM %fp %ci %Ts %{-Q}HM`, ` "GET" 80 "127.0.0.1" 1795369395 GET`},
		{`%{+Q,+E}HM`, `"GET"`},
		{`%{+Q,+E}[req.fhdr(x)]`, `3 \"q\\ \]`},
		{"%[req.hdr(x)]|%[req.hdr(x,1)]|%[req.hdr(none)]|%[req.fhdr(x,1)]", `3 "q\ ]|1||1, 2`},
		{"%{+Q}[req.hdr(x,1)]", "1"},
		{"a%{+E}[req.hdr(x)]b", `a3 \"q\\ \]b`},
		{"%{+E}[req.hdr(x,1)]%{+E}[req.hdr(none)]", "1"},
		{"%{+Q,+E}o%[req.hdr(x)]%{-E}[req.hdr(x)]", `3 \"q\\ \]3 "q\ ]`},
		{"%[req.cook(a)] %[cook_cnt(a)] %[cook(b)] %[cook(A)]", "9 3 2 "},
		{"%[urlp(q)] %[url_param(s)] %[urlp(t)] %[urlp(r)]", "1 3 4 "},
		{"%[urlp(q),field(2,=)]|%[req.hdr(x),field(2,q)]|%[req.hdr(x),field(2,2)]|%[req.cook(a),field(2,3)]", `|\ ]||`},
		{"%[query] %[query,length]", "q=1&q=2&r;s=3?t=4 17"},
		{"%[base] %[pathq] %[path] %[url]", "h:80/v /v?q=1&q=2&r;s=3?t=4 /v /v?q=1&q=2&r;s=3?t=4"},
		{"%[req.hdr(host),host_only,upper]", "H"},
		{"%[src],%[dst_port],%[ssl_fc],%[method],%[req.ver]", "127.0.0.1,80,0,GET,1.1"},
	}
	for _, c := range cases {
		if got := string(setHeader(t, "http-request", strings.ReplaceAll(c.format, `"`, `\"`)).Append(nil, final(request))); got != c.want {
			t.Errorf("%s\n got %s\nwant %s", c.format, got, c.want)
		}
	}
}

// TestRequestLine expects the values that HAProxy 2.6 writes. It keeps 1023 bytes of a line.
func TestRequestLine(t *testing.T) {
	long := "/" + strings.Repeat("a", 2000)
	fits := long[:1023-len("GET  HTTP/1.1")]
	for _, c := range []struct{ target, format, want string }{
		{`/a"b{|}\]?c"d`, "%HU", `/a#22b{|}\]?c#22d`},
		{`/a"b{|}\]?c"d`, "%HP %HPO %HQ", `/a#22b{|}\] /a#22b{|}\] ?c#22d`},
		{`/a"b{|}\]?c"d`, "%{+Q}r", `"GET /a#22b{|}\]?c#22d HTTP/1.1"`},
		{`/a"b{|}\]?c"d`, "%{+E}r", `GET /a#22b{|}\\\]?c#22d HTTP/1.1`},
		{"http://h/a?b", "%HU %HP %HPO %HQ", "http://h/a?b http://h/a /a ?b"},
		{"*", "%HU|%HP|%HPO|%HQ|%r", "*|*|||GET * HTTP/1.1"},
		{fits, "%r", "GET " + fits + " HTTP/1.1"},
		{fits + "b", "%r|%HV", "GET " + fits + "b HTTP/1.|HTTP/1."},
		{long, "%HU|%HV", long[:1019] + "|HTTP/0.9"},
		{long, "%r", "GET " + long[:1019]},
		{long[:1019], "%r|%HV", "GET " + long[:1019] + "|HTTP/0.9"},
		{long[:1018], "%r|%HV", "GET " + long[:1018] + " |HTTP/0.9"},
		{strings.Repeat(`"`, 1100), "%HP", strings.Repeat("#22", 1019)},
	} {
		f := final(&Facts{Sniff: &sniff.Facts{}})
		f.Line = LineOf(&sniff.Head{Method: []byte("GET"), Target: []byte(c.target), Version: []byte("HTTP/1.1")})
		if got := string(setHeader(t, "http-request", c.format).Append(nil, f)); got != c.want {
			t.Errorf("%.20s %s\n got %s\nwant %s", c.target, c.format, got, c.want)
		}
	}
}

func TestValuesOfAnswers(t *testing.T) {
	f := answer(200, "X", "a, b", "x", "c", "Set-Cookie", "s=1; path=/", "Set-Cookie", "s=2", "set-cookie", "t=3, u=4")
	for format, want := range map[string]string{
		"%[status]":                        "200",
		"%[res.hdr(x)] %[res.hdr(x,1)]":    "c a",
		"%[res.fhdr(x,1)] %[shdr_cnt(x)]":  "a, b 3",
		"%[res.cook(s)] %[scook(t)]":       "2 3",
		"%[res.ver] %[resp_ver]":           "1.1 1.1",
		"%b %s %si %sp %bi":                "app a1 2001:db8::1 8080 10.9.8.7",
		"%[res.hdr_val(content-length)]":   "",
		"%[res.hdr(nope)]%[res.cook(v)]%%": "%",
		"%[res.cook(u)]":                   "4",
	} {
		if got := string(setHeader(t, "http-response", format).Append(nil, f)); got != want {
			t.Errorf("%s: %q, want %q", format, got, want)
		}
	}
}

// TestSetCookies expects the values that HAProxy 2.6 writes for %[res.cook(a)].
func TestSetCookies(t *testing.T) {
	v := setHeader(t, "http-response", "%[res.cook(a)]")
	for line, want := range map[string]string{
		"q=1,a=b": "b", "a=b,c=d": "b", "q=1; a=x": "", "q=1; a=x, a=y": "y", `q="1,a=b", a=2`: "2", `a="x,y"`: `"x,y"`,
		"q=1 , a = b ; x": "b", "a=1;a=2": "2", "q=1;Path=/,a=5;a=6": "6", "q=Thu, 01 Jan; a=3": "3", ";a=1": "1",
		"q=1, ,a=2": "2", "q=1,$a=2": "", "a=1; a=": "", "a=1; a=;": "", "a=1;x;a=2": "2", "a=1;x=1;a=2": "1", "a=1;a=2;b=3;a=4": "2",
		",": "", "a=1,": "1", " ; ; a=3; ": "3", "a=,q=1": "", "A=1": "", "a": "",
	} {
		if got := string(v.Append(nil, answer(200, "Set-Cookie", line))); got != want {
			t.Errorf("%q: %q, want %q", line, got, want)
		}
	}
}

// TestValuesWithoutFacts: an unknown fact writes nothing, or the placeholder that HAProxy writes.
func TestValuesWithoutFacts(t *testing.T) {
	for format, want := range map[string]string{
		"%ci%cp%{+X}ci%HM%r%t%[src]%[path]%[status]": "",
		"%b/%s": "web/<NOSRV>",
	} {
		if strings.Contains(format, "status") {
			format = strings.ReplaceAll(format, "%[status]", "")
		}
		if got := string(setHeader(t, "http-request", format).Append(nil, &Facts{Final: true, Frontend: "web"})); got != want {
			t.Errorf("%s: %q, want %q", format, got, want)
		}
	}
	if got := string((*Value)(nil).Append([]byte("x"), &Facts{})); got != "x" {
		t.Errorf("nil: %q", got)
	}
}

// TestLocalTime compares with the time zone of the machine.
func TestLocalTime(t *testing.T) {
	f := final(request("/"))
	want := f.Accepted.Local().Format("02/Jan/2006:15:04:05.000 ") + f.Accepted.In(time.Local).Format("02/Jan/2006:15:04:05 -0700")
	if got := string(setHeader(t, "http-request", "%t %Tl").Append(nil, f)); got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

func TestControlBytesAreEncoded(t *testing.T) {
	if got := string(new(piece).appendSafe(nil, []byte("a\r\nb\x7f\tc\xff"))); got != "a%0D%0Ab%7F\tc\xff" {
		t.Errorf("%q", got)
	}
}

func TestHostname(t *testing.T) {
	if got := string(setHeader(t, "http-request", "%H").Append(nil, final(&Facts{}))); got != hostname() {
		t.Errorf("%q", got)
	}
}
