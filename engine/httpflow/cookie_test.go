package httpflow

import (
	"strings"
	"testing"
	"time"

	"sluice/conf"
)

// now is the current time in these tests, in seconds since 1970. Dates in cookies are multiples of
// 4 seconds.
const now = 1_700_000_000

// servers is a Lookup with one server that is up and two that are down; one of these may be used
// because of `option persist`.
func servers(value []byte) (int32, byte) {
	switch string(value) {
	case "s1":
		return 0, 'V'
	case "down":
		return -1, 'D'
	case "persist":
		return 2, 'D'
	}
	return -1, 'I'
}

// serve applies the cookie c to a request and to its answer from the server with this id. It
// returns both edited heads and the two letters of the termination state.
func serve(t *testing.T, c *Cookie, request, answer, id string) (toServer, toClient, letters string) {
	t.Helper()
	x, head := asked(t, request)
	var w Rewrite
	claim := c.Pick(head, now, servers)
	w.Request(head)
	c.Hide(&w)
	toServer = string(w.Append(nil))
	h := replied(t, x, answer)
	w.Response(h)
	letter := c.Give(&w, x, h, claim, id, now)
	return toServer, string(w.Append(nil)), string([]byte{claim.Letter, letter})
}

// The `cookie` directives of the tests.
var (
	insert   = conf.Cookie{Name: "S", Insert: true}
	indirect = conf.Cookie{Name: "S", Insert: true, Indirect: true, NoCache: true}
	preserve = conf.Cookie{Name: "S", Insert: true, Preserve: true}
	rewrite  = conf.Cookie{Name: "S", Rewrite: true}
	prefix   = conf.Cookie{Name: "S", Prefix: true}
	postOnly = conf.Cookie{Name: "S", Insert: true, PostOnly: true}
	idle     = conf.Cookie{Name: "S", Insert: true, MaxIdle: time.Minute}
	life     = conf.Cookie{Name: "S", Insert: true, MaxLife: time.Minute}
	both     = conf.Cookie{Name: "S", Insert: true, Indirect: true, MaxIdle: time.Minute, MaxLife: time.Hour}
)

// TestHidden expects the Cookie fields that HAProxy 2.6 passes on with `insert indirect`; "-" means
// that the field is removed.
func TestHidden(t *testing.T) {
	c := NewCookie(&indirect)
	for _, test := range []struct{ sent, want, letter string }{
		{"S=s1", "-", "V"},
		{"S=zz", "-", "I"},
		{"S=down", "-", "D"},
		{"S=", "-", "I"},
		{"S", "S", "N"},
		{"s=s1", "s=s1", "N"},
		{`S="s1"`, "-", "I"},
		{"a=b; S=s1; c=d", "a=b; c=d", "V"},
		{"S=s1; c=d", "c=d", "V"},
		{"a=b; S=s1", "a=b", "V"},
		{"S=s1;S=zz", "-", "V"},
		{"S=zz;  S=s1 ; x=y", "x=y", "V"},
		{"S=zz; S=down", "-", "D"},
		{"S=down; S=zz", "-", "D"},
		{`a="x; S=s1"; b=c`, `a="x; S=s1"; b=c`, "N"},
		{`a="x\"; S=s1"; b=c`, `a="x\"; S=s1"; b=c`, "N"},
		{"a; S=s1; b", "a; b", "V"},
		{"S = s1; c=d", "c=d", "V"},
		{"$Version=1; S=s1; $Path=/; c=d", "$Version=1; c=d", "V"},
		{"$Version=1; S=s1; $Path=/", "-", "V"},
		{"a=b, S=s1, c=d", "a=b, c=d", "V"},
		{"a=b;; S=s1;; c=d;", "a=b;; ; c=d;", "V"},
		{"a=b ;S=s1 ;c=d", "a=b; c=d", "V"},
		{"S=s1;", "-", "V"},
		{"SS=s1; xS=s1; S2=s1", "SS=s1; xS=s1; S2=s1", "N"},
		{"a=S=s1", "a=S=s1", "N"},
		{"S=s1=s1", "-", "I"},
	} {
		toServer, _, letters := serve(t, c, lines("GET / HTTP/1.1", "Host: a", "Cookie: "+test.sent), simple, "s1")
		want := lines("GET / HTTP/1.1", "Host: a")
		if test.want != "-" {
			want = lines("GET / HTTP/1.1", "Host: a", "Cookie: "+test.want)
		}
		if toServer != want || letters[:1] != test.letter {
			t.Errorf("%s: %q, letter %s; want %q, %s", test.sent, toServer, letters[:1], test.want, test.letter)
		}
	}
}

func TestSeveralCookieFields(t *testing.T) {
	request := lines("GET / HTTP/1.1", "Host: a", "Cookie: a=b", "cookie: S=s1", "COOKIE: c=d; S=zz")
	got, _, letters := serve(t, NewCookie(&indirect), request, simple, "s1")
	if want := lines("GET / HTTP/1.1", "Host: a", "Cookie: a=b", "COOKIE: c=d"); got != want || letters != "VN" {
		t.Errorf("%q, letters %s", got, letters)
	}
}

// TestGiven expects the answers that HAProxy 2.6 sends to the client.
func TestGiven(t *testing.T) {
	const ours = "set-cookie: S=s1; path=/"
	for _, test := range []struct {
		name        string
		cookie      conf.Cookie
		sent        string // Cookie of the request
		answer, got string // fields of the answer
		letters     string
	}{
		{"insert, new", insert, "", "", ours, "NI"},
		{"insert, known", insert, "S=s1", "", "", "VN"},
		{"insert, unknown", insert, "S=zz", "", ours, "II"},
		{"insert, down", insert, "S=down", "", ours, "DI"},
		{"insert, down and persistent", insert, "S=persist", "", "", "DN"},
		{"insert, the server's goes", insert, "", "Set-Cookie: S=app", ours, "NI"},
		{"insert, the server's goes without ours", insert, "S=s1", "Set-Cookie: S=app; path=/", "", "VD"},
		{"insert, others stay", insert, "S=s1", "Set-Cookie: x=y|Set-Cookie: S=app|set-cookie: S2=z", "Set-Cookie: x=y|set-cookie: S2=z", "VD"},
		{"insert, not a list", insert, "S=s1", "Set-Cookie: a=b, S=app", "Set-Cookie: a=b, S=app", "VN"},
		{"preserve, none", preserve, "", "", ours, "NI"},
		{"preserve", preserve, "", "Set-Cookie: S=app", "Set-Cookie: S=app", "NP"},
		{"preserve, known", preserve, "S=s1", "Set-Cookie: S=app", "Set-Cookie: S=app", "VP"},
		{"postonly", postOnly, "", "", "", "NN"},
		{"rewrite, none", rewrite, "", "", "", "NN"},
		{"rewrite", rewrite, "", "Set-Cookie: S=app; path=/x", "Set-Cookie: S=s1; path=/x", "NR"},
		{"rewrite, known", rewrite, "S=s1", "Set-Cookie: S=app", "Set-Cookie: S=s1", "VR"},
		{"rewrite twice", rewrite, "", "Set-Cookie: S=a|Set-Cookie: S=b", "Set-Cookie: S=s1|Set-Cookie: S=s1", "NR"},
		{"rewrite, blanks", rewrite, "", "Set-Cookie: S = app ;x", "Set-Cookie: S=s1 ;x", "NR"},
		{"rewrite, empty", rewrite, "", "Set-Cookie: S=; path=/", "Set-Cookie: S=s1; path=/", "NR"},
		{"rewrite, quotes", rewrite, "", `Set-Cookie: S="a;b"; path=/`, "Set-Cookie: S=s1; path=/", "NR"},
		{"rewrite, others stay", rewrite, "", "Set-Cookie: x=y", "Set-Cookie: x=y", "NN"},
		{"prefix, none", prefix, "S=s1~app", "", "", "VN"},
		{"prefix", prefix, "", "Set-Cookie: S=app; path=/x", "Set-Cookie: S=s1~app; path=/x", "NR"},
		{"prefix, empty", prefix, "", "Set-Cookie: S=; path=/x", "Set-Cookie: S=s1~; path=/x", "NR"},
		{"nocache, nothing to keep it", indirect, "", "", ours, "NI"},
		{"nocache", indirect, "", `ETag: "x"`, `ETag: "x"|` + ours + "|cache-control: private", "NI"},
		{"nocache, no cookie from us", indirect, "S=s1", `ETag: "x"`, `ETag: "x"`, "VN"},
	} {
		t.Run(test.name, func(t *testing.T) {
			request := []string{"GET / HTTP/1.1", "Host: a"}
			if test.sent != "" {
				request = append(request, "Cookie: "+test.sent)
			}
			answer := ok200 + "Content-Length: 0" + separated(test.answer) + "\r\n\r\n"
			_, got, letters := serve(t, NewCookie(&test.cookie), lines(request...), answer, "s1")
			if want := ok200 + "Content-Length: 0" + separated(test.got) + "\r\n\r\n"; got != want || letters != test.letters {
				t.Errorf("%q, letters %s; want %q, %s", got, letters, want, test.letters)
			}
		})
	}
}

func TestPostOnly(t *testing.T) {
	_, got, letters := serve(t, NewCookie(&postOnly), "POST / HTTP/1.1\r\nHost: a\r\n\r\n", simple, "s1")
	if !strings.Contains(got, "set-cookie: S=s1") || letters != "NI" {
		t.Errorf("%q, letters %s", got, letters)
	}
}

func TestPrefixIsHidden(t *testing.T) {
	for sent, want := range map[string][2]string{
		"S=s1~app; x=y":       {"S=app; x=y", "V"},
		"S=app":               {"S=app", "I"},
		"S=zz~app":            {"S=app", "I"},
		"S=s1":                {"S=s1", "V"},
		"S=s1~":               {"S=", "V"},
		"S=~app":              {"S=app", "I"},
		"S=s1~a~b; S=s1~c":    {"S=a~b; S=c", "V"},
		"a=s1~b; S = s1~c ;d": {"a=s1~b; S = c ;d", "V"},
	} {
		got, _, letters := serve(t, NewCookie(&prefix), lines("GET / HTTP/1.1", "Host: a", "Cookie: "+sent), simple, "s1")
		if got != lines("GET / HTTP/1.1", "Host: a", "Cookie: "+want[0]) || letters[:1] != want[1] {
			t.Errorf("%s: %q, letter %s; want %s", sent, got, letters[:1], want)
		}
	}
}

// TestServerWithoutID: an answer of a server without a cookie value makes the client delete its
// cookie.
func TestServerWithoutID(t *testing.T) {
	_, got, letters := serve(t, NewCookie(&insert), lines("GET / HTTP/1.1", "Host: a", "Cookie: S=zz"), simple, "")
	if want := "set-cookie: S=; Expires=Thu, 01-Jan-1970 00:00:01 GMT; path=/\r\n"; !strings.Contains(got, want) || letters != "II" {
		t.Errorf("%q, letters %s; want %q", got, letters, want)
	}
}

func TestAttributes(t *testing.T) {
	c := insert
	c.Domains, c.HTTPOnly, c.Secure, c.Attrs = []string{".a.b", "c.d"}, true, true, []string{"SameSite=Lax"}
	_, got, _ := serve(t, NewCookie(&c), get11, simple, "s1")
	if want := "set-cookie: S=s1; path=/; domain=.a.b; domain=c.d; HttpOnly; Secure; SameSite=Lax\r\n"; !strings.Contains(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}
