package httpflow

import (
	"strings"
	"testing"
)

const (
	ok200    = "HTTP/1.1 200 OK\r\n"
	simple   = ok200 + "Content-Length: 2\r\n\r\nok"
	get11    = "GET / HTTP/1.1\r\nHost: a\r\n\r\n"
	get10    = "GET / HTTP/1.0\r\n\r\n"
	head11   = "HEAD / HTTP/1.1\r\nHost: a\r\n\r\n"
	socket   = "GET / HTTP/1.1\r\nHost: a\r\nConnection: keep-alive, Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
	granted  = "HTTP/1.1 101 S\r\nUpgrade: websocket\r\nConnection: upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n"
	tunnel11 = "CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n"
)

// framed holds answers and their expected ends. Bytes after an answer must never be read as another
// answer.
var framed = []struct{ name, stream, want string }{
	{"length", simple, "200, done 2"},
	{"length 0", ok200 + "Content-Length: 0\r\n\r\n", "200, done 0"},
	{"length, bytes behind", simple + "HTTP/1.1 200 OK\r\n\r\n", "200, done 2 left 19"},
	{"length, cut", ok200 + "Content-Length: 5\r\n\r\nok", "200, body 2"},
	{"length, twice alike", ok200 + "Content-Length: 2\r\nContent-Length: 2\r\n\r\nok", "200, done 2"},
	{"length, twice alike but for zeros", ok200 + "Content-Length: 2\r\nContent-Length: 02\r\n\r\nok", "200, done 2"},
	{"length, twice different", ok200 + "Content-Length: 2\r\nContent-Length: 3\r\n\r\nok1", "502"},
	{"length, list", ok200 + "Content-Length: 2, 2\r\n\r\nok", "200, done 2"},
	{"length, list of zeros and blanks", ok200 + "Content-Length: 0,0 ,\t00\r\n\r\n", "200, done 0"},
	{"length, list of different ones", ok200 + "Content-Length: 2, 3\r\n\r\nok1", "502"},
	{"length, list, then another", ok200 + "Content-Length: 2, 2\r\nContent-Length: 3\r\n\r\nok1", "502"},
	{"length, list with nothing", ok200 + "Content-Length: 2,\r\n\r\nok", "502"},
	{"length, sign", ok200 + "Content-Length: +2\r\n\r\nok", "502"},
	{"length, empty", ok200 + "Content-Length:\r\n\r\nok", "502"},
	{"length, not a digit", ok200 + "Content-Length: 2x\r\n\r\nok", "502"},
	{"length, largest", ok200 + "Content-Length: 9223372036854775807\r\n\r\nok", "200, body 2"},
	{"length, too large", ok200 + "Content-Length: 9223372036854775808\r\n\r\nok", "502"},
	{"chunks", ok200 + "Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n", "200, done 12"},
	{"chunks, bytes behind", ok200 + "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\nx", "200, done 5 left 1"},
	{"chunks, padded size", ok200 + "Transfer-Encoding: chunked\r\n\r\n2  \r\nok\r\n0 \r\n\r\n", "200, done 15"},
	{"chunks, trailer", ok200 + "Transfer-Encoding: chunked\r\n\r\n0\r\nX: y\r\n\r\n", "200, done 11"},
	{"chunks, trailer that frames", ok200 + "Transfer-Encoding: chunked\r\n\r\n0\r\nContent-Length: 5\r\n\r\n", "200, broken"},
	{"chunks, LF", ok200 + "Transfer-Encoding: chunked\r\n\r\n2\nok\r\n0\r\n\r\n", "200, broken"},
	{"chunks, cut", ok200 + "Transfer-Encoding: chunked\r\n\r\n5\r\nok", "200, body 5"},
	{"chunks behind gzip", ok200 + "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", "200, done 5"},
	{"chunks behind gzip in two fields", ok200 + "Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "200, done 5"},
	{"chunks before gzip", ok200 + "Transfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n", "502"},
	{"chunks twice", ok200 + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "502"},
	{"gzip alone", ok200 + "Transfer-Encoding: gzip\r\n\r\nxx", "502"},
	{"no coding", ok200 + "Transfer-Encoding:\r\n\r\nxx", "502"},
	{"length and chunks", ok200 + "Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "502"},
	{"chunks and length", ok200 + "Transfer-Encoding: chunked\r\nContent-Length: 2\r\n\r\n0\r\n\r\n", "502"},
	{"chunks in HTTP/1.0", "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "502"},
	{"neither", ok200 + "\r\nsome text", "200, body 9"},
	{"204", "HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\nhello", "204, done 0 left 5"},
	{"304", "HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n", "304, done 0"},
	{"304 in chunks", "HTTP/1.1 304 Not Modified\r\nTransfer-Encoding: chunked\r\n\r\n", "304, done 0"},
	{"205 has a body as others", "HTTP/1.1 205 Reset Content\r\nContent-Length: 2\r\n\r\nok", "205, done 2"},
	{"100 before", "HTTP/1.1 100 Continue\r\n\r\n" + simple, "100, 200, done 2"},
	{"100, 102 and 103 before", "HTTP/1.1 100 C\r\n\r\nHTTP/1.1 102 P\r\n\r\nHTTP/1.1 103 E\r\nLink: x\r\n\r\n" + simple, "100, 102, 103, 200, done 2"},
	{"100 with a length has no body", "HTTP/1.1 100 Continue\r\nContent-Length: 5\r\n\r\n" + simple, "100, 200, done 2"},
	{"100 alone", "HTTP/1.1 100 Continue\r\n\r\n", "100, more"},
	{"101 unasked", "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n", "502"},
	{"LF alone", "HTTP/1.1 200 OK\nContent-Length: 2\n\nok", "200, done 2"},
	{"no reason", "HTTP/1.1 200\r\nContent-Length: 2\r\n\r\nok", "200, done 2"},
	{"empty reason", "HTTP/1.1 200 \r\nContent-Length: 2\r\n\r\nok", "200, done 2"},
	{"reason in Latin-1", "HTTP/1.1 200 d\xe9j\xe0\r\nContent-Length: 2\r\n\r\nok", "200, done 2"},
	{"999", "HTTP/1.1 999 Denied\r\nContent-Length: 2\r\n\r\nok", "999, done 2"},
	{"HTTP/1.0", "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok", "200, done 2"},
	{"HTTP/1.2", "HTTP/1.2 200 OK\r\nContent-Length: 2\r\n\r\nok", "200, done 2"},
	{"099", "HTTP/1.1 099 X\r\n\r\n", "502"},
	{"two digits", "HTTP/1.1 20 OK\r\n\r\n", "502"},
	{"four digits", "HTTP/1.1 2000 OK\r\n\r\n", "502"},
	{"two blanks", "HTTP/1.1  200 OK\r\n\r\n", "502"},
	{"HTTP/2.0", "HTTP/2.0 200 OK\r\n\r\n", "502"},
	{"lower case", "http/1.1 200 OK\r\n\r\n", "502"},
	{"ICY", "ICY 200 OK\r\n\r\n", "502"},
	{"HTTP/0.9", "<html>", "502"},
	{"empty line first", "\r\n" + simple, "502"},
	{"no colon", ok200 + "X\r\n\r\n", "502"},
	{"empty name", ok200 + ": y\r\n\r\n", "502"},
	{"blank before the colon", ok200 + "Content-Length : 2\r\n\r\nok", "502"},
	{"folded", ok200 + "X: y\r\n z\r\n\r\n", "502"},
	{"first field folded", ok200 + " X: y\r\n\r\n", "502"},
	{"CR alone", ok200 + "X: y\rz\r\n\r\n", "502"},
	{"NUL", ok200 + "X: y\x00\r\n\r\n", "502"},
	{"splitting is seen as it is", ok200 + "X: y\r\nContent-Length: 0\r\n\r\n" + simple, "200, done 0 left 40"},
	{"too large", ok200 + "X: " + strings.Repeat("y", 64<<10), "502"},
}

func TestAnswers(t *testing.T) {
	for _, c := range framed {
		t.Run(c.name, func(t *testing.T) { checkAnswers(t, get11, c.stream, false, c.want) })
	}
}

// TestAnswersTo holds answers whose end depends on the request.
func TestAnswersTo(t *testing.T) {
	for _, c := range []struct {
		name, request, stream string
		closes                bool
		want                  string
	}{
		{"HEAD with a length", head11, ok200 + "Content-Length: 5\r\n\r\n", false, "200, done 0"},
		{"HEAD in chunks", head11, ok200 + "Transfer-Encoding: chunked\r\n\r\n", false, "200, done 0"},
		{"HEAD with neither", head11, ok200 + "\r\n", false, "200, done 0"},
		{"HEAD, and yet a body", head11, simple, false, "200, done 0 left 2"},
		{"until the end", get11, ok200 + "\r\nsome text", true, "200, done 9"},
		{"length, cut off", get11, ok200 + "Content-Length: 5\r\n\r\nok", true, "200, body 2"},
		{"chunks, cut off", get11, ok200 + "Transfer-Encoding: chunked\r\n\r\n0\r\n", true, "200, body 3"},
		{"upgrade", socket, granted + "HTTP/1.1", false, "101, tunnel 8"},
		{"upgrade by HTTP/1.0", socket, "HTTP/1.0 101 Switching\r\n\r\n", false, "502"},
		{"upgrade refused", socket, simple, false, "200, done 2"},
		{"upgrade behind 100", socket, "HTTP/1.1 100 C\r\n\r\n" + granted, false, "100, 101, tunnel 0"},
		{"a WebSocket without the accepted key", socket, "HTTP/1.1 101 S\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n", false, "502"},
		{"a WebSocket with an accepted key cut short", socket, strings.Replace(granted, "xOo=", "xOo", 1), false, "502"},
		{"upgrade that Connection does not name", socket, strings.Replace(granted, "upgrade", "keep-alive", 1), false, "502"},
		{"upgrade to another protocol", socket, "HTTP/1.1 101 S\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n", false, "101, tunnel 0"},
		{"CONNECT", tunnel11, ok200 + "Content-Length: 2\r\n\r\nall of it", false, "200, tunnel 9"},
		{"CONNECT refused", tunnel11, "HTTP/1.1 403 No\r\nContent-Length: 2\r\n\r\nnoHTTP", false, "403, done 2 left 4"},
		{"100 to HTTP/1.0", get10, "HTTP/1.1 100 C\r\n\r\n" + simple, false, "100, 200, done 2"},
		{"upgrade to h2c was not passed on", "GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n\r\n",
			"HTTP/1.1 101 Switching\r\nUpgrade: h2c\r\n\r\n", false, "502"},
		{"upgrade without Connection", "GET / HTTP/1.1\r\nHost: a\r\nUpgrade: x\r\n\r\n", granted, false, "502"},
		{"upgrade in HTTP/1.0", "GET / HTTP/1.0\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n", granted, false, "502"},
		{"upgrade before the request is whole", strings.Replace(socket, "Host", "Content-Length: 5\r\nHost", 1), granted, false, "502"},
	} {
		t.Run(c.name, func(t *testing.T) { checkAnswers(t, c.request, c.stream, c.closes, c.want) })
	}
}

func TestHeadOfAnswer(t *testing.T) {
	x, _ := asked(t, get11)
	h := replied(t, x, "HTTP/1.1 404 Not Found\r\nA: b\r\nC:\t d \nE:\r\n\r\n")
	if h.Status != 404 || h.Minor != 1 || string(h.Line) != "HTTP/1.1 404 Not Found" || h.Interim() {
		t.Errorf("%d, minor %d, line %q", h.Status, h.Minor, h.Line)
	}
	var got []string
	for name, value, at := h.Next(0); at > 0; name, value, at = h.Next(at) {
		got = append(got, string(name)+"="+string(value))
	}
	if all := strings.Join(got, " "); all != "A=b C=d E=" {
		t.Errorf("fields %q", all)
	}
}
