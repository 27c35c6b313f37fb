package conf

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// web parses a configuration in mode http with these lines in defaults, in frontend f and in
// backend b.
func web(t *testing.T, defaults, front, back string) *Config {
	t.Helper()
	return parse(t, "defaults\n mode http\n timeout client 1s\n timeout connect 1s\n timeout server 1s\n"+defaults+
		"\nfrontend f\n bind 127.0.0.1:80\n default_backend b\n"+front+"\nbackend b\n server s 127.0.0.1:81\n"+back)
}

var ignorePos = cmpopts.IgnoreTypes(Pos{})

func TestHTTPRules(t *testing.T) {
	text := func(s string) *Format {
		f, err := parseFormat(s, forBody)
		if err != nil {
			t.Fatal(err)
		}
		return f
	}
	cases := map[string]HTTPRule{
		"deny":                         {Action: Deny},
		"deny deny_status 429":         {Action: Deny, Answer: &Answer{Status: 429, Kind: AnswerDefault}},
		"deny status 429":              {Action: Deny, Answer: &Answer{Status: 429}},
		"deny deny_status 429 hdr A b": {Action: Deny, Answer: &Answer{Status: 429, Headers: []AnswerHeader{{"A", text("b")}}}},
		"deny hdr A b":                 {Action: Deny, Answer: &Answer{Headers: []AnswerHeader{{"A", text("b")}}}},
		"deny default-errorfiles":      {Action: Deny, Answer: &Answer{Kind: AnswerDefault}},
		"return":                       {Action: Return, Answer: &Answer{Status: 200}},
		"return errorfile /dev/null":   {Action: Return, Answer: &Answer{Status: 200, Kind: AnswerErrorFile, File: "/dev/null"}},
		"allow":                        {Action: Allow},
		`set-header X-A "%[src] b"`:    {Action: SetHeader, Name: "X-A", Value: text("%[src] b")},
		"del-header X- -m beg":         {Action: DelHeader, Name: "X-", Match: "beg"},
		`replace-value A ^(b)$ "\\1c"`: {Action: ReplaceValue, Name: "A", Regex: "^(b)$", Value: text(`\1c`)},
		"set-query a=%[src]":           {Action: SetQuery, Value: text("a=%[src]")},
		"replace-pathq (.*) /x":        {Action: ReplacePathQ, Regex: "(.*)", Value: text("/x")},
		"redirect scheme https": {Action: RedirectTo, Redirect: &Redirect{
			Kind: Scheme, To: text("https"), Code: 302,
		}},
		"redirect code 301 prefix / drop-query append-slash clear-cookie A=": {Action: RedirectTo, Redirect: &Redirect{
			Kind: Prefix, To: text("/"), Code: 301, DropQuery: true, AppendSlash: true, Cookie: "A=", ClearCookie: true,
		}},
		`return status 404 content-type text/plain lf-string "no %HU\n" hdr A b`: {Action: Return, Answer: &Answer{
			Status: 404, ContentType: "text/plain", Kind: AnswerFormat, Format: text("no %HU\n"), Headers: []AnswerHeader{{"A", text("b")}},
		}},
		`deny content-type a/b string " a  %% "`: {Action: Deny, Answer: &Answer{
			ContentType: "a/b", Kind: AnswerString, Content: []byte(" a  %% "),
		}},
	}
	for line, want := range cases {
		c := web(t, "", " http-request "+line, " http-request "+line+" if TRUE")
		if diff := cmp.Diff(want, c.Frontends[0].HTTPRequest[0], ignorePos); diff != "" {
			t.Errorf("%s: %s", line, diff)
		}
		if got := c.Backends[0].HTTPRequest[0]; got.Cond == nil || got.Action != want.Action {
			t.Errorf("%s if TRUE: %+v", line, got)
		}
		roundTrip(t, c)
	}
	c := web(t, "", " http-response set-status 503 reason 'Go away' if { status 500 }", "")
	want := HTTPRule{Action: SetStatus, Status: 503, Reason: "Go away"}
	if diff := cmp.Diff(want, c.Frontends[0].HTTPResponse[0], ignorePos, cmpopts.IgnoreFields(HTTPRule{}, "Cond")); diff != "" {
		t.Error(diff)
	}
}

// TestOldRedirect: the rule of a `redirect` directive comes after all http-request rules, and its
// target is plain text.
func TestOldRedirect(t *testing.T) {
	c := web(t, "", " redirect location /100%20\n http-request deny if FALSE", "")
	rules := c.Frontends[0].HTTPRequest
	if len(rules) != 2 || rules[1].Action != RedirectTo {
		t.Fatalf("%+v", rules)
	}
	if diff := cmp.Diff([]Part{literal("/100%20")}, rules[1].Redirect.To.Parts); diff != "" {
		t.Error(diff)
	}
	if out := roundTrip(t, c); !strings.Contains(out, `"redirect location /100%%20 code 302"`) {
		t.Error(out)
	}
}

// TestConnModes: the last of the options that exclude each other applies, and `no option` unsets
// only a mode that is set.
func TestConnModes(t *testing.T) {
	for lines, want := range map[string]ConnMode{
		"":                             HTTPClose, // from the defaults section
		" option http-server-close":    ServerClose,
		" option http-keep-alive":      KeepAlive,
		" no option httpclose":         KeepAlive,
		" no option http-server-close": HTTPClose,
		" option http-server-close\n no option httpclose":    ServerClose,
		" option http-server-close\n option httpclose":       HTTPClose,
		" option http-keep-alive\n option forceclose":        HTTPClose,
		" no option httpclose\n no option http-server-close": KeepAlive,
	} {
		c := web(t, " option httpclose", lines, "")
		if got := c.Frontends[0].Conn; got != want {
			t.Errorf("%q: %s, want %s", lines, got, want)
		}
		roundTrip(t, c)
	}
}

func TestFrontendWords(t *testing.T) {
	c := web(t, " option http-ignore-probes\n monitor-uri /up", ` capture request header Host len 20
 capture response header X-A len 5
 capture request header Referer len 30
 capture cookie SESS= len 32
 monitor fail if FALSE
 option log-separate-errors
 log-format "%{+Q}o %t  %[src]"`, " option persist\n option http-pretend-keepalive\n acl odd path /odd\n http-request deny if odd")
	f, b := c.Frontends[0], c.Backends[0]
	want := Captures{Request: []Capture{{Name: "Host", Len: 20}, {Name: "Referer", Len: 30}}, Response: []Capture{{Name: "X-A", Len: 5}}, Cookie: &Capture{Name: "SESS=", Len: 32}}
	if diff := cmp.Diff(want, f.Captures, ignorePos); diff != "" {
		t.Error(diff)
	}
	if f.Monitor.URI != "/up" || len(f.Monitor.Fail) != 1 || !f.IgnoreProbes || !f.Log.SeparateErrors || f.Log.Format != LogCustom {
		t.Errorf("%+v", f)
	}
	if !b.Persist || !b.PretendKeepAlive || len(b.ACLs) != 1 || len(f.ACLs) != 0 {
		t.Errorf("%+v", b)
	}
	roundTrip(t, c)
}

// TestLogFormatOrOption: the last directive about the log format applies.
func TestLogFormatOrOption(t *testing.T) {
	for lines, want := range map[string]LogFormat{
		" log-format %ci\n option httplog":    LogHTTP,
		" option httplog\n log-format %ci":    LogCustom,
		" log-format json":                    LogJSON,
		" log-format %ci\n log-format json":   LogJSON,
		" log-format %ci\n no option httplog": LogDefault,
	} {
		f := web(t, "", lines, "").Frontends[0]
		if f.Log.Format != want || (f.Log.Line != nil) != (want == LogCustom) {
			t.Errorf("%q: %d %v", lines, f.Log.Format, f.Log.Line)
		}
	}
}

func TestErrorFiles(t *testing.T) {
	path := filepath.Join(t.TempDir(), "503.http")
	page := "HTTP/1.0 503 Service Unavailable\r\nConnection: close\r\n\r\n<h1>later</h1>\n"
	if err := os.WriteFile(path, []byte(page), 0o600); err != nil {
		t.Fatal(err)
	}
	c := web(t, " errorfile 503 "+path+"\n errorfile 408 /dev/null", " errorloc 503 http://sorry/", "")
	f, b := c.Frontends[0], c.Backends[0]
	if e, ok := b.ErrorFile(503); !ok || string(e.Content) != page {
		t.Errorf("%q", e.Content)
	}
	if e, ok := f.ErrorFile(408); !ok || len(e.Content) != 0 {
		t.Errorf("408: %v %q", ok, e.Content)
	}
	if e, _ := f.ErrorFile(503); !strings.Contains(string(e.Content), "\r\nlocation: http://sorry/\r\n") || e.Code != 302 {
		t.Errorf("%q", e.Content)
	}
	if _, ok := f.ErrorFile(404); ok {
		t.Error("404 is there")
	}
	roundTrip(t, c)
}

// TestErrorFileHead: the head has CRLF at the end of each line, and no Connection that is untrue.
// The page stays as it is.
func TestErrorFileHead(t *testing.T) {
	for _, c := range []struct{ file, want string }{
		{"HTTP/1.1 503 x\nA: b\n\nc\nd\n", "HTTP/1.1 503 x\r\nA: b\r\n\r\nc\nd\n"},
		{"HTTP/1.1 503 x\r\nA: b\n\r\n\n", "HTTP/1.1 503 x\r\nA: b\r\n\r\n\n"},
		{"HTTP/1.1 503 x\r\nCONNECTION: keep-alive\r\nB: c\r\n\r\n", "HTTP/1.1 503 x\r\nB: c\r\n\r\n"},
		{"HTTP/1.1 503 x\r\nConnection: Close\r\n\r\n", "HTTP/1.1 503 x\r\nConnection: Close\r\n\r\n"},
	} {
		path := filepath.Join(t.TempDir(), "503.http")
		if err := os.WriteFile(path, []byte(c.file), 0o600); err != nil {
			t.Fatal(err)
		}
		e, _ := web(t, " errorfile 503 "+path, "", "").Frontends[0].ErrorFile(503)
		if got := string(e.Content); got != c.want {
			t.Errorf("%q: %q, want %q", c.file, got, c.want)
		}
	}
}

func TestErrorFileMustBeAResponse(t *testing.T) {
	dir := t.TempDir()
	for name, page := range map[string]string{"no-head": "<h1>later</h1>\n", "endless": "HTTP/1.0 503 x\r\n", "large": "HTTP/1.0 503 x\r\n\r\n" + strings.Repeat("x", largestAnswer)} {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(page), 0o600); err != nil {
			t.Fatal(err)
		}
		text := "listen l\n mode http\n bind 127.0.0.1:80\n server s 127.0.0.1:81\n errorfile 503 " + path
		if _, problems := ParseString("x.cfg", text); problems.Err() == nil {
			t.Errorf("%s is taken", name)
		}
		text = strings.Replace(text, "mode http", "mode tcp", 1)
		if _, problems := ParseString("x.cfg", text); problems.Err() != nil {
			t.Errorf("%s is refused in mode tcp: %v", name, problems)
		}
	}
}

// TestHTTPCheck: an http-check directive of the proxy removes the inherited request and expected
// answer, but not disable-on-404. Directives of one section add to each other.
func TestHTTPCheck(t *testing.T) {
	plain := HTTPCheck{Method: "OPTIONS", URI: "/", Version: "HTTP/1.0"}
	with := func(change func(*HTTPCheck)) *HTTPCheck {
		h := plain
		change(&h)
		return &h
	}
	const all = " option httpchk HEAD /a HTTP/1.1 h\n http-check send hdr X d body D\n http-check expect status 404\n http-check disable-on-404"
	for _, c := range []struct {
		name, defaults, own string
		want                *HTTPCheck
	}{
		{"nothing of its own", " option httpchk HEAD /a HTTP/1.1 h\n http-check send body D\n http-check expect status 404", "", with(func(h *HTTPCheck) {
			*h = HTTPCheck{Method: "HEAD", URI: "/a", Version: "HTTP/1.1", Host: "h", Body: "D", Expect: []StatusRange{{404, 404}}}
		})},
		{"bare option", all, " option httpchk", with(func(h *HTTPCheck) { h.DisableOn404 = true })},
		{"option with a path", all, " option httpchk /b", with(func(h *HTTPCheck) { h.URI, h.DisableOn404 = "/b", true })},
		{"send", all, " http-check send hdr Y o", with(func(h *HTTPCheck) { h.Headers, h.DisableOn404 = []CheckHeader{{"Y", "o"}}, true })},
		{"send a path", " option httpchk GET /a HTTP/1.1", " http-check send uri /b", with(func(h *HTTPCheck) { h.URI = "/b" })},
		{"send a method", " option httpchk GET /a HTTP/1.1", " http-check send meth PUT", with(func(h *HTTPCheck) { h.Method = "PUT" })},
		{"expect", all, " http-check expect ! status 500-599,404", with(func(h *HTTPCheck) {
			h.Expect, h.Not, h.DisableOn404 = []StatusRange{{500, 599}, {404, 404}}, true, true
		})},
		{"disable-on-404", " option httpchk GET /a\n http-check send body d", " http-check disable-on-404", with(func(h *HTTPCheck) {
			h.Method, h.URI, h.Body, h.DisableOn404 = "GET", "/a", "d", true
		})},
		{"an inherited send without an option", " http-check send uri /d", " option httpchk", &plain},
		{"option, then send", "", " option httpchk GET /o HTTP/1.1\n http-check send uri /s", with(func(h *HTTPCheck) { h.Method, h.URI, h.Version = "GET", "/s", "HTTP/1.1" })},
		{"send, then option", "", " http-check send meth PUT uri /s body x\n option httpchk GET /o HTTP/1.1", with(func(h *HTTPCheck) {
			h.Method, h.URI, h.Version, h.Body = "GET", "/o", "HTTP/1.1", "x"
		})},
		{"send, then bare option", "", " http-check send meth PUT uri /s\n option httpchk", with(func(h *HTTPCheck) { h.Method, h.URI = "PUT", "/s" })},
		{"option twice", "", " option httpchk GET /o HTTP/1.1 h\n option httpchk", &plain},
		{"option twice, with expect", "", " http-check expect status 404\n option httpchk GET /o\n option httpchk", with(func(h *HTTPCheck) { h.Expect = []StatusRange{{404, 404}} })},
		{"option, send, option", "", " option httpchk GET /a HTTP/1.1\n http-check send hdr A b\n option httpchk /b", with(func(h *HTTPCheck) {
			h.Method, h.URI, h.Version, h.Headers = "GET", "/b", "HTTP/1.1", []CheckHeader{{"A", "b"}}
		})},
		{"host, then headers", "", " option httpchk GET / HTTP/1.1\\r\\nHost:\\ www\n http-check send hdr A b", with(func(h *HTTPCheck) {
			h.Method, h.Version, h.Headers = "GET", "HTTP/1.1", []CheckHeader{{"A", "b"}}
		})},
		{"headers, then host", "", " http-check send hdr A b\n option httpchk GET / HTTP/1.1 www", with(func(h *HTTPCheck) {
			h.Method, h.Version, h.Host = "GET", "HTTP/1.1", "www"
		})},
		{"tcp-check", all, " option tcp-check", nil},
		{"tcp-check, then httpchk", " option tcp-check", " option httpchk", &plain},
		{"httpchk, then tcp-check", "", " option httpchk\n option tcp-check", nil},
		{"no option", all, " no option httpchk", nil},
	} {
		conf := web(t, c.defaults, "", c.own)
		if diff := cmp.Diff(c.want, conf.Backends[0].HTTPCheck, ignorePos); diff != "" {
			t.Errorf("%s: %s", c.name, diff)
		}
		roundTrip(t, conf)
	}
}

// TestBalanceAlone: `balance` without an argument sets the default, even if defaults has another
// algorithm.
func TestBalanceAlone(t *testing.T) {
	for _, defaults := range []string{"", " balance leastconn", " balance"} {
		c := web(t, defaults, "", " balance")
		if diff := cmp.Diff(Balance{Algorithm: "roundrobin"}, c.Backends[0].Balance); diff != "" {
			t.Errorf("%q: %s", defaults, diff)
		}
		roundTrip(t, c)
	}
}

func TestCookieWords(t *testing.T) {
	b := web(t, "", "", " cookie A insert indirect nocache postonly preserve httponly secure domain .a.b domain c.d attr SameSite=Lax attr X maxidle 90 maxlife 30d").Backends[0]
	want := &Cookie{
		Name: "A", Insert: true, Indirect: true, NoCache: true, PostOnly: true, Preserve: true, HTTPOnly: true, Secure: true,
		Domains: []string{".a.b", "c.d"}, Attrs: []string{"SameSite=Lax", "X"}, MaxIdle: 90e9, MaxLife: 30 * day,
	}
	if diff := cmp.Diff(want, b.Cookie, ignorePos); diff != "" {
		t.Error(diff)
	}
}

// TestListenHasItsRulesTwice: the frontend and the backend of a listen section both have its rules,
// because other frontends may use the backend.
func TestListenHasItsRulesTwice(t *testing.T) {
	c := parse(t, "listen l\n mode http\n bind 127.0.0.1:80\n server s 127.0.0.1:81\n acl odd path /odd\n http-request deny if odd\n http-request deny if odd")
	f, b := c.Frontends[0], c.Backends[0]
	if len(f.HTTPRequest) != 2 || len(b.HTTPRequest) != 2 || len(f.ACLs) != 1 || len(b.ACLs) != 1 {
		t.Errorf("%+v %+v", f, b)
	}
	roundTrip(t, c)
}
