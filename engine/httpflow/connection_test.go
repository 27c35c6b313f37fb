package httpflow

import (
	"strings"
	"testing"
)

// transaction is a request and its answer, with the fields that the other side must receive
// (without the first line and Host). It also says which connections are kept.
type transaction struct {
	name           string
	request        string // version and fields
	options        string // C: httpclose of the frontend, S: of the backend, P: pretend
	toServer       string
	answer         string // status line and fields; no body is sent
	toClient       string
	client, server bool // true: the connection is kept
}

var transactions = []transaction{
	{"as it is", "1.1", "", "", "1.1 200", "", true, true},
	{"client closes", "1.1|Connection: close", "", "connection: close", "1.1 200", "connection: close", false, false},
	{"client keeps", "1.1|Connection: keep-alive", "", "", "1.1 200", "", true, true},
	{"client has other words", "1.1|Connection: X, Close, y", "", "connection: close", "1.1 200", "connection: close", false, false},
	{"two fields", "1.1|Connection: keep-alive|Connection: x", "", "", "1.1 200", "", true, true},
	{"HTTP/1.0", "1.0", "", "", "1.1 200", "connection: close", false, false},
	{"HTTP/1.0 keeps", "1.0|Connection: Keep-Alive", "", "connection: keep-alive", "1.1 200", "connection: keep-alive", true, true},
	{"HTTP/1.0 keeps, the server can't", "1.0|Connection: keep-alive", "", "connection: keep-alive", "1.0 200", "connection: keep-alive", true, false},
	{"HTTP/1.0 on both sides", "1.0|Connection: keep-alive", "", "connection: keep-alive", "1.0 200|Connection: keep-alive", "connection: keep-alive", true, true},
	{"server of HTTP/1.0", "1.1", "", "", "1.0 200", "connection: keep-alive", true, false},
	{"server closes", "1.1", "", "", "1.1 200|Connection: close", "", true, false},
	{"server of HTTP/1.0, client closes", "1.1|Connection: close", "", "connection: close", "1.0 200", "", false, false},
	{"until the end", "1.1", "", "", "1.1 200 endless", "connection: close", false, false},
	{"httpclose of the frontend", "1.1", "CS", "connection: close", "1.1 200", "connection: close", false, false},
	{"httpclose of the backend", "1.1", "S", "connection: close", "1.1 200", "", true, false},
	{"httpclose is there already", "1.1|Connection: close", "CS", "connection: close", "1.1 200|Connection: close", "connection: close", false, false},
	{"httpclose, HTTP/1.0", "1.0", "CS", "", "1.1 200", "connection: close", false, false},
	{"httpclose, HTTP/1.0 keeps", "1.0|Connection: keep-alive", "S", "", "1.1 200", "connection: keep-alive", true, false},
	{"httpclose, other words", "1.1|Connection: keep-alive, x", "S", "connection: close", "1.1 200", "", true, false},
	{"httpclose, upgrade", "1.1|Connection: Upgrade|Upgrade: x", "S", "Upgrade: x|connection: upgrade", "1.1 200", "", true, false},
	{"upgrade", "1.1|Connection: Upgrade|Upgrade: x", "", "Upgrade: x|connection: upgrade", "1.1 101 endless|Connection: Upgrade, keep-alive", "connection: upgrade", false, false},
	{"upgrade to h2c", "1.1|Connection: Upgrade, HTTP2-Settings|Upgrade: h2c|HTTP2-Settings: AA", "", "", "1.1 200", "", true, true},
	{"upgrade to h2c among others", "1.1|Connection: Upgrade|Upgrade: x, h2c", "", "", "1.1 200", "", true, true},
	{"upgrade to HTTP/2.0 in another field", "1.1|Connection: Upgrade|Upgrade: x|Upgrade: HTTP/2.0", "", "", "1.1 200", "", true, true},
	{"upgrade to TLS, client closes", "1.1|Connection: Upgrade, close, x|Upgrade: TLS/1.0", "", "connection: close", "1.1 200", "connection: close", false, false},
	{"upgrade without Connection", "1.1|Upgrade: x", "", "", "1.1 200", "", true, true},
	{"codings that the client takes", "1.1|TE: trailers, deflate", "", "TE: trailers", "1.1 200", "", true, true},
	{"names of fields", "1.1|Connection: X-Forwarded-For|X-Forwarded-For: 1", "", "X-Forwarded-For: 1", "1.1 200|Connection: X|X: y", "X: y", true, true},
	{"names of fields beside upgrade", "1.1|Connection: Upgrade, X|Upgrade: x|X: y", "", "Upgrade: x|X: y|connection: upgrade", "1.1 200", "", true, true},
	{"pretend keep-alive", "1.1", "SP", "", "1.1 200", "", true, false},
	{"pretend keep-alive, HTTP/1.0", "1.0", "SP", "connection: keep-alive", "1.1 200", "connection: close", false, false},
	{"no trailers", "1.1|TE: deflate", "", "", "1.1 200", "", true, true},
	{"length told twice", "1.1", "", "", "1.1 304|Content-Length: 3|X: y|Content-Length: 3", "Content-Length: 3|X: y", true, true},
	{"length of 204", "1.1", "", "", "1.1 204|Content-Length: 3|X: y|content-length: 3", "X: y", true, true},
	{"coding of 204", "1.1", "", "", "1.1 204 endless|Transfer-Encoding: chunked|X: y", "X: y", true, true},
	{"length of 304", "1.1", "", "", "1.1 304|Content-Length: 3", "Content-Length: 3", true, true},
	{"length of 101", "1.1|Connection: Upgrade|Upgrade: x", "", "Upgrade: x|connection: upgrade", "1.1 101|Connection: Upgrade|Content-Length: 3", "connection: upgrade", false, false},
	{"Keep-Alive stays", "1.1|Keep-Alive: 5", "", "Keep-Alive: 5", "1.1 200|Keep-Alive: timeout=5", "Keep-Alive: timeout=5", true, true},
}

func TestTransactions(t *testing.T) {
	for _, c := range transactions {
		t.Run(c.name, func(t *testing.T) { c.check(t) })
	}
}

func (c *transaction) check(t *testing.T) {
	t.Helper()
	version, fields, _ := strings.Cut(c.request, "|")
	x, head := asked(t, "GET / HTTP/"+version+"\r\nHost: a"+separated(fields)+"\r\n\r\n")
	if strings.Contains(c.options, "C") {
		x.CloseClient()
	}
	if strings.Contains(c.options, "S") {
		x.CloseServer()
	}
	if strings.Contains(c.options, "P") {
		x.PretendKeepAlive()
	}
	var w Rewrite
	w.Request(head)
	x.ToServer(&w)
	if got, want := string(w.Append(nil)), "GET / HTTP/"+version+"\r\nHost: a"+separated(c.toServer)+"\r\n\r\n"; got != want {
		t.Errorf("to the server: %q, want %q", got, want)
	}
	c.reply(t, x, &w)
	if x.KeepClient() != c.client || x.KeepServer() != c.server {
		t.Errorf("client kept %v, server kept %v; want %v, %v", x.KeepClient(), x.KeepServer(), c.client, c.server)
	}
}

func (c *transaction) reply(t *testing.T, x *Exchange, w *Rewrite) {
	t.Helper()
	version, fields, _ := strings.Cut(c.answer, "|")
	version, endless := strings.CutSuffix(version, " endless")
	line := "HTTP/" + version + " X"
	body := ""
	if !endless && !strings.Contains(fields, "Length") {
		body = "\r\nContent-Length: 0"
	}
	h := replied(t, x, line+body+separated(fields)+"\r\n\r\n")
	w.Response(h)
	x.ToClient(w, h)
	if got, want := string(w.Append(nil)), line+body+separated(c.toClient)+"\r\n\r\n"; got != want {
		t.Errorf("to the client: %q, want %q", got, want)
	}
	x.Response.Ended()
}

func separated(fields string) string {
	if fields == "" {
		return ""
	}
	return "\r\n" + strings.ReplaceAll(fields, "|", "\r\n")
}

// TestEarlyAnswer: an answer may be complete before its request; then no connection is kept.
func TestEarlyAnswer(t *testing.T) {
	x, _ := asked(t, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n")
	x.Request.Take([]byte("01234"))
	replied(t, x, "HTTP/1.1 413 X\r\nContent-Length: 0\r\n\r\n")
	if !x.Answered() || !x.Response.Done() || x.Done() || x.KeepClient() || x.KeepServer() {
		t.Error("an exchange with half a request passes for a whole one")
	}
	x.Request.Take([]byte("56789"))
	if !x.Done() || !x.KeepClient() || !x.KeepServer() {
		t.Error("a whole exchange does not pass for one")
	}
}

// TestInterimIsLeft: the Connection field of an interim answer has no effect.
func TestInterimIsLeft(t *testing.T) {
	x, _ := asked(t, "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
	h := replied(t, x, "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n")
	var w Rewrite
	w.Response(h)
	x.ToClient(&w, h)
	if got := string(w.Append(nil)); got != "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" || x.Answered() {
		t.Errorf("%q, answered %v", got, x.Answered())
	}
}
