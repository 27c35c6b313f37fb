package httpflow

import (
	"strings"
	"testing"
)

// hidden is a request that an attacker wants the server to see, but not the rules.
const hidden = "GET /hidden HTTP/1.1\r\nHost: a\r\n\r\n"

const (
	postHead    = "POST / HTTP/1.1\r\nHost: a\r\n"
	getHead     = "GET / HTTP/1.1\r\nHost: a\r\n"
	chunkedHead = postHead + "Transfer-Encoding: chunked\r\n\r\n"
)

// desync holds requests whose end or target two programs could read differently. Each must be
// refused, or read exactly as its bytes say, so that the rules see every request in it.
var desync = []struct{ name, stream, want string }{
	// Content-Length against Transfer-Encoding.
	{"CL.TE", postHead + "Content-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nG", "400"},
	{"TE.CL", postHead + "Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n5c\r\n" + hidden, "400"},
	{"CL.TE with length 0", postHead + "Content-Length: 0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + hidden, "400"},
	{"CL.TE, LF alone between them", postHead + "Content-Length: 6\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nG", "400"},
	{"CL.TE, names in capitals", postHead + "CONTENT-LENGTH: 6\r\nTRANSFER-ENCODING: CHUNKED\r\n\r\n0\r\n\r\nG", "400"},
	{"CL.TE on GET", getHead + "Content-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nG", "400"},
	{"CL.TE in HTTP/1.0", "POST / HTTP/1.0\r\nContent-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nG", "400"},

	// Obfuscated Transfer-Encoding.
	{"TE.TE: two fields", postHead + "Transfer-Encoding: chunked\r\nTransfer-Encoding: x\r\n\r\n0\r\n\r\n", "400"},
	{"TE.TE: chunked behind identity", postHead + "Transfer-Encoding: identity\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "501"},
	{"TE.TE: twice chunked", postHead + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "400"},
	{"TE: list with chunked twice", postHead + "Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n", "400"},
	{"TE: chunked not last", postHead + "Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n", "400"},
	{"TE: xchunked", postHead + "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n", "400"},
	{"TE: x", postHead + "Transfer-Encoding: x\r\n\r\n0\r\n\r\n", "400"},
	{"TE: identity", postHead + "Transfer-Encoding: identity\r\n\r\n" + hidden, "400"},
	{"TE: gzip", postHead + "Transfer-Encoding: gzip\r\n\r\n", "400"},
	{"TE: gzip, chunked", postHead + "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", "501"},
	{"TE: empty", postHead + "Transfer-Encoding:\r\n\r\n" + hidden, "400"},
	{"TE: comma", postHead + "Transfer-Encoding: chunked,\r\n\r\n0\r\n\r\n", "400"},
	{"TE: comma first", postHead + "Transfer-Encoding: ,chunked\r\n\r\n0\r\n\r\n", "400"},
	{"TE: in quotes", postHead + "Transfer-Encoding: \"chunked\"\r\n\r\n0\r\n\r\n", "400"},
	{"TE: with a parameter", postHead + "Transfer-Encoding: chunked;q=1\r\n\r\n0\r\n\r\n", "400"},
	{"TE: vertical tab", postHead + "Transfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n", "400"},
	{"TE: form feed behind", postHead + "Transfer-Encoding: chunked\x0c\r\n\r\n0\r\n\r\n", "400"},
	{"TE: NUL behind", postHead + "Transfer-Encoding: chunked\x00\r\n\r\n0\r\n\r\n", "400"},
	{"TE: no-break space", postHead + "Transfer-Encoding: \xa0chunked\r\n\r\n0\r\n\r\n", "400"},
	{"TE: tab is a blank", postHead + "Transfer-Encoding:\tchunked\r\n\r\n0\r\n\r\n" + hidden, "POST /, GET /hidden"},
	{"TE: any case", postHead + "transfer-encodinG: cHuNkEd\r\n\r\n0\r\n\r\n" + hidden, "POST /, GET /hidden"},
	{"TE: blank before the colon", postHead + "Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n", "400"},
	{"TE: blank before the name", postHead + " Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "400"},
	{"TE: folded", postHead + "Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n", "400"},
	{"TE: name folded", postHead + "Transfer-Encoding\r\n : chunked\r\n\r\n0\r\n\r\n", "400"},
	{"TE: inside another value", postHead + "X: y\r\n Transfer-Encoding: chunked\r\n\r\n" + hidden, "400"},
	{"TE: behind CR alone", postHead + "X: y\rTransfer-Encoding: chunked\r\n\r\n" + hidden, "400"},
	{"TE: behind LF alone", postHead + "X: y\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + hidden, "POST /, GET /hidden"},
	{"TE: underscore is another name", postHead + "Transfer_Encoding: chunked\r\n\r\n" + hidden, "POST /, GET /hidden"},
	{"TE: name with a byte above 127", postHead + "Transfer-Encoding\xff: chunked\r\n\r\n", "400"},
	{"TE in HTTP/1.0", "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + hidden, "400"},

	// Obfuscated Content-Length.
	{"CL.CL: different", postHead + "Content-Length: 5\r\nContent-Length: 40\r\n\r\nhello" + hidden, "400"},
	{"CL.CL: alike", postHead + "Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello", "400"},
	{"CL: list", postHead + "Content-Length: 5, 5\r\n\r\nhello", "400"},
	{"CL: plus", postHead + "Content-Length: +5\r\n\r\nhello", "400"},
	{"CL: minus", postHead + "Content-Length: -5\r\n\r\nhello", "400"},
	{"CL: hexadecimal", postHead + "Content-Length: 0x5\r\n\r\nhello", "400"},
	{"CL: fraction", postHead + "Content-Length: 5.0\r\n\r\nhello", "400"},
	{"CL: exponent", postHead + "Content-Length: 1e1\r\n\r\nhello", "400"},
	{"CL: underscore", postHead + "Content-Length: 1_0\r\n\r\nhello", "400"},
	{"CL: blank inside", postHead + "Content-Length: 1 0\r\n\r\nhello", "400"},
	{"CL: empty", postHead + "Content-Length:\r\n\r\n" + hidden, "400"},
	{"CL: wraps 32 bits", postHead + "Content-Length: 4294967301\r\n\r\nhello" + hidden, "POST /, body"},
	{"CL: wraps 64 bits", postHead + "Content-Length: 18446744073709551621\r\n\r\nhello" + hidden, "400"},
	{"CL: leading zeros are decimal", postHead + "Content-Length: 010\r\n\r\n0123456789" + hidden, "POST /, GET /hidden"},
	{"CL: blank before the colon", postHead + "Content-Length : 5\r\n\r\nhello", "400"},
	{"CL: folded", postHead + "Content-Length: 1\r\n 0\r\n\r\nhello", "400"},
	{"CL: digits of another script", postHead + "Content-Length: \xd9\xa5\r\n\r\nhello", "400"},
	{"CL: on GET is a body", getHead + "Content-Length: 5\r\n\r\nhello" + hidden, "GET /, GET /hidden"},
	{"CL: on HEAD is a body", "HEAD / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello" + hidden, "HEAD /, GET /hidden"},
	{"CL.0: the length is passed on and kept", postHead + "Content-Length: 33\r\n\r\n" + hidden, "POST /"},
	{"CL: behind LF alone", postHead + "X: y\nContent-Length: 5\r\n\r\nhello" + hidden, "POST /, GET /hidden"},

	// Chunks.
	{"chunk: extension", chunkedHead + "5;a=b\r\nhello\r\n0\r\n\r\n" + hidden, "POST /, GET /hidden"},
	{"chunk: extension in quotes", chunkedHead + "5;a=\"b;c\"\r\nhello\r\n0\r\n\r\n" + hidden, "POST /, GET /hidden"},
	{"chunk: TERM.EXT, LF in the extension", chunkedHead + "5;a\nhello\r\n0\r\n\r\n", "POST /, broken"},
	{"chunk: EXT.TERM, CR in the extension", chunkedHead + "5;a\rb\r\nhello\r\n0\r\n\r\n", "POST /, broken"},
	{"chunk: CR CR LF behind the extension", chunkedHead + "5;a\r\r\nhello\r\n0\r\n\r\n", "POST /, broken"},
	{"chunk: NUL in the extension", chunkedHead + "5;a\x00\r\nhello\r\n0\r\n\r\n", "POST /, broken"},
	{"chunk: LF in quotes", chunkedHead + "5;a=\"\n\"\r\nhello\r\n0\r\n\r\n", "POST /, broken"},
	{"chunk: extension without end", chunkedHead + "5;" + strings.Repeat("a", maxSizeLine), "POST /, broken"},
	{"chunk: TERM.SPILL, LF behind the data", chunkedHead + "5\r\nhello\n0\r\n\r\n", "POST /, broken"},
	{"chunk: SPILL.TERM, two bytes behind the data", chunkedHead + "5\r\nhelloXX0\r\n\r\n", "POST /, broken"},
	{"chunk: CR alone behind the data", chunkedHead + "5\r\nhello\r0\r\n\r\n", "POST /, broken"},
	{"chunk: more data than told", chunkedHead + "5\r\nhello!\r\n0\r\n\r\n", "POST /, broken"},
	{"chunk: LF behind the size", chunkedHead + "5\nhello\r\n0\r\n\r\n", "POST /, broken"},
	{"chunk: CR behind the size", chunkedHead + "5\rhello\r\n0\r\n\r\n", "POST /, broken"},
	{"chunk: LF behind the last size", chunkedHead + "0\n\r\n", "POST /, broken"},
	{"chunk: LF as the last line", chunkedHead + "0\r\n\n" + hidden, "POST /, broken"},
	{"chunk: 0x", chunkedHead + "0x5\r\nhello\r\n0\r\n\r\n", "POST /, broken"},
	{"chunk: plus", chunkedHead + "+5\r\nhello\r\n0\r\n\r\n", "POST /, broken"},
	{"chunk: minus", chunkedHead + "-5\r\nhello\r\n0\r\n\r\n", "POST /, broken"},
	{"chunk: blank first", chunkedHead + " 5\r\nhello\r\n0\r\n\r\n", "POST /, broken"},
	{"chunk: blanks behind", chunkedHead + "5 \t\r\nhello\r\n0\r\n\r\n" + hidden, "POST /, GET /hidden"},
	{"chunk: digit behind blanks", chunkedHead + "5 5\r\nhello\r\n0\r\n\r\n", "POST /, broken"},
	{"chunk: no digit", chunkedHead + "\r\nhello\r\n0\r\n\r\n", "POST /, broken"},
	{"chunk: no digit but an extension", chunkedHead + ";a\r\n\r\n", "POST /, broken"},
	{"chunk: not a digit", chunkedHead + "5g\r\nhello\r\n0\r\n\r\n", "POST /, broken"},
	{"chunk: underscore", chunkedHead + "1_0\r\nhello\r\n0\r\n\r\n", "POST /, broken"},
	{"chunk: size wraps 32 bits", chunkedHead + "100000005\r\nhello\r\n0\r\n\r\n" + hidden, "POST /, body"},
	{"chunk: size wraps 64 bits", chunkedHead + "10000000000000005\r\nhello\r\n0\r\n\r\n", "POST /, broken"},
	{"chunk: negative in 64 bits", chunkedHead + "8000000000000000\r\nhello\r\n", "POST /, broken"},
	{"chunk: largest", chunkedHead + "7fffffffffffffff\r\nhello\r\n" + hidden, "POST /, body"},
	{"chunk: too many zeros", chunkedHead + "00000000000000005\r\nhello\r\n0\r\n\r\n", "POST /, broken"},
	{"chunk: zeros that end the body", chunkedHead + "000\r\n\r\n" + hidden, "POST /, GET /hidden"},
	{"chunk: a request where a size is due", chunkedHead + hidden, "POST /, broken"},
	{"chunk: the body ends at its end", chunkedHead + "0\r\n\r\n" + hidden, "POST /, GET /hidden"},

	// Trailers.
	{"trailer: harmless", chunkedHead + "0\r\nX-Sum: 1\r\n\r\n" + hidden, "POST /, GET /hidden"},
	{"trailer: Content-Length", chunkedHead + "0\r\nContent-Length: 50\r\n\r\n" + hidden, "POST /, broken"},
	{"trailer: Transfer-Encoding", chunkedHead + "0\r\nA: b\r\ntransfer-ENCODING: chunked\r\n\r\n" + hidden, "POST /, broken"},
	{"trailer: Host", chunkedHead + "0\r\nHost: b\r\n\r\n" + hidden, "POST /, broken"},
	{"trailer: LF ends the line", chunkedHead + "0\r\nX: y\n\r\n" + hidden, "POST /, broken"},
	{"trailer: CR inside", chunkedHead + "0\r\nX: y\rz\r\n\r\n" + hidden, "POST /, broken"},
	{"trailer: folded", chunkedHead + "0\r\nX: y\r\n z\r\n\r\n" + hidden, "POST /, broken"},
	{"trailer: blank before the colon", chunkedHead + "0\r\nX : y\r\n\r\n" + hidden, "POST /, broken"},
	{"trailer: no colon", chunkedHead + "0\r\nGET /hidden HTTP/1.1\r\n\r\n", "POST /, broken"},
	{"trailers without end", chunkedHead + "0\r\n" + strings.Repeat("X: y\r\n", maxTrailers/6+1), "POST /, broken"},

	// Lines.
	{"line: LF alone", "GET / HTTP/1.1\nHost: a\n\n" + hidden, "GET /, GET /hidden"},
	{"line: CR alone", "GET / HTTP/1.1\rHost: a\r\r", "400"},
	{"line: CR CR LF", "GET / HTTP/1.1\r\r\nHost: a\r\n\r\n", "400"},
	{"line: LF CR", "GET / HTTP/1.1\n\rHost: a\n\r\n\r", "400"},
	{"line: NUL in a name", getHead + "X\x00: y\r\n\r\n", "400"},
	{"line: NUL in a value", getHead + "X: y\x00z\r\n\r\n", "400"},
	{"line: NUL in the target", "GET /\x00 HTTP/1.1\r\nHost: a\r\n\r\n", "400"},
	{"line: folded", getHead + "X: y\r\n z\r\n\r\n", "400"},
	{"line: folded by a tab", getHead + "X: y\r\n\tz\r\n\r\n", "400"},
	{"line: first field folded", "GET / HTTP/1.1\r\n Host: a\r\n\r\n", "400"},
	{"line: no colon", getHead + "X\r\n\r\n", "400"},
	{"line: empty name", getHead + ": y\r\n\r\n", "400"},
	{"line: empty lines first", "\r\n\n\r\n" + hidden, "GET /hidden"},
	{"line: a blank line is no empty line", getHead + " \r\n\r\n" + hidden, "400"},
	{"line: a tab in the first line", "GET\t/ HTTP/1.1\r\nHost: a\r\n\r\n", "400"},
	{"line: blank behind the version", "GET / HTTP/1.1 \r\nHost: a\r\n\r\n", "400"},
	{"line: two targets", "GET / /hidden HTTP/1.1\r\nHost: a\r\n\r\n", "400"},
	{"line: several blanks", "GET   /   HTTP/1.1\r\nHost: a\r\n\r\n", "GET /"},
	{"line: a version inside the target", "GET /HTTP/1.1 HTTP/1.1\r\nHost: a\r\n\r\n", "GET /HTTP/1.1"},

	// Versions.
	{"version: 0.9", "GET /\r\n", "400"},
	{"version: 0.9 spelt out", "GET / HTTP/0.9\r\n\r\n", "400"},
	{"version: 2.0", "GET / HTTP/2.0\r\nHost: a\r\n\r\n", "400"},
	{"version: the preface of HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "400"},
	{"version: 1.2", "GET / HTTP/1.2\r\nHost: a\r\n\r\n", "GET /"},
	{"version: 1.10", "GET / HTTP/1.10\r\nHost: a\r\n\r\n", "400"},
	{"version: lower case", "GET / http/1.1\r\nHost: a\r\n\r\n", "400"},

	// Hosts.
	{"host: none", "GET / HTTP/1.1\r\n\r\n", "400"},
	{"host: none in HTTP/1.0", "GET / HTTP/1.0\r\n\r\n", "GET /"},
	{"host: two", getHead + "Host: b\r\n\r\n", "400"},
	{"host: two before chunks", postHead + "Host: b\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "400"},
	{"host: two alike", getHead + "Host: a\r\n\r\n", "400"},
	{"host: list", "GET / HTTP/1.1\r\nHost: a, b\r\n\r\n", "400"},
	{"host: blank inside", "GET / HTTP/1.1\r\nHost: a b\r\n\r\n", "400"},
	{"host: user", "GET / HTTP/1.1\r\nHost: a@b\r\n\r\n", "400"},
	{"host: path", "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", "400"},
	{"host: blank before the colon", "GET / HTTP/1.1\r\nHost : a\r\n\r\n", "400"},
	{"host: folded", "GET / HTTP/1.1\r\nHost:\r\n a\r\n\r\n", "400"},
	{"host: of the target is another", "GET http://b/ HTTP/1.1\r\nHost: a\r\n\r\n", "400"},
	{"host: of the target is another by its port", "GET http://a:81/ HTTP/1.1\r\nHost: a\r\n\r\n", "400"},
	{"host: user of the target", "GET http://a@b/ HTTP/1.1\r\nHost: a\r\n\r\n", "400"},
	{"host: target and field agree", "GET http://A:80/x HTTP/1.1\r\nHost: a\r\n\r\n", "GET http://A:80/x"},
	{"host: target alone", "GET http://a/ HTTP/1.1\r\n\r\n", "400"},
	{"host: CONNECT to another", "CONNECT b:443 HTTP/1.1\r\nHost: a:443\r\n\r\n", "400"},
	{"host: a second slash is no host", "GET //b/ HTTP/1.1\r\nHost: a\r\n\r\n", "GET //b/"},

	// Targets.
	{"target: fragment", "GET /#x HTTP/1.1\r\nHost: a\r\n\r\n", "400"},
	{"target: relative", "GET hidden HTTP/1.1\r\nHost: a\r\n\r\n", "400"},
	{"target: byte above 127", "GET /\xe9 HTTP/1.1\r\nHost: a\r\n\r\n", "400"},
	{"target: empty", "GET  HTTP/1.1\r\nHost: a\r\n\r\n", "400"},

	// Bodies where none is expected.
	{"CONNECT with a length", "CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\nContent-Length: 5\r\n\r\nhello", "400"},
	{"CONNECT in chunks", "CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "400"},
	{"CONNECT that succeeds", "CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n" + hidden, "CONNECT a:443"},

	// Sizes.
	{"head: too large", getHead + "X: " + strings.Repeat("y", 64<<10), "431"},
	{"head: too many fields", getHead + strings.Repeat("X: y\r\n", 11000), "431"},
	{"head: target too long", "GET /" + strings.Repeat("y", 64<<10), "414"},
	{"head: bad before it is too large", getHead + "X: \x00" + strings.Repeat("y", 64<<10), "400"},
	{"head: no request", strings.Repeat("\x16\x03\x01", 30<<10), "400"},
	{"head: empty lines without end", strings.Repeat("\r\n", 33<<10), "414"},

	// Several requests in one stream.
	{"pipelined", getHead + "\r\n" + hidden + hidden, "GET /, GET /hidden, GET /hidden"},
	{"pipelined, the second is bad", getHead + "\r\nGET /x HTTP/1.1\r\nX : y\r\n\r\n", "GET /, 400"},
	{"pipelined, the second is cut", getHead + "\r\nGET /x HTTP/1.1\r\n", "GET /, more"},
	{"pipelined behind a body", postHead + "Content-Length: 5\r\n\r\nhello" + hidden, "POST /, GET /hidden"},
}

func TestDesync(t *testing.T) {
	names := map[string]bool{}
	for _, c := range desync {
		if names[c.name] {
			t.Errorf("two cases are called %s", c.name)
		}
		names[c.name] = true
		t.Run(c.name, func(t *testing.T) { checkRequests(t, c.stream, c.want) })
	}
}
