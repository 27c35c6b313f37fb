package actor

import (
	"strconv"
	"strings"
)

// malformed is a message that must be refused. {N} and {H} are the number and the host of the
// request.
type malformed struct {
	name   string
	head   string // the whole head, and bytes after it; empty: the head is valid
	chunk  string // with a valid head: malformed bytes that follow the valid chunks
	status int    // status of the balancer's answer; 0: there is none, because the answer has begun
}

func (m *malformed) key() string { return m.name }

// odd is a change of a head that makes it unusual, but leaves it valid.
type odd struct {
	name string
	edit func(head, host string) string
}

func (o *odd) key() string { return o.name }

// entry returns the entry of a table with that name, or nil.
func entry[T interface{ key() string }](table []T, name string) (found T) {
	if name == "" {
		return found
	}
	for _, e := range table {
		if e.key() == name {
			return e
		}
	}
	panic("no entry " + name)
}

// filled replaces {N} and {H} in a text.
func (q *WebRequest) filled(text string) string {
	return strings.NewReplacer("{N}", strconv.Itoa(q.Number), "{H}", q.Host).Replace(text)
}

// smuggled returns a request that follows malformed bytes. If a server gets it, the balancer has
// read the bytes as a request of their own.
func (q *WebRequest) smuggled() string {
	return q.filled("GET /" + strconv.Itoa(q.Number/10*10+9) + " HTTP/1.1\r\nHost: {H}\r\n\r\n")
}

const (
	postHead = "POST /{N} HTTP/1.1\r\nHost: {H}\r\nX-Number: {N}\r\n"
	getHead  = "GET /{N} HTTP/1.1\r\nHost: {H}\r\nX-Number: {N}\r\n"
)

// badRequests are requests that the balancer must refuse. Most of them are requests that two
// programs could parse differently (RFC 9112 11.2).
var badRequests = []*malformed{
	{name: "two lengths", head: postHead + "Content-Length: 2\r\nContent-Length: 6\r\n\r\nhello!", status: 400},
	{name: "one length twice", head: postHead + "Content-Length: 2\r\nContent-Length: 2\r\n\r\nhe", status: 400},
	{name: "length and chunks", head: postHead + "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", status: 400},
	{name: "chunks and length", head: postHead + "Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n", status: 400},
	{name: "length with a sign", head: postHead + "Content-Length: +2\r\n\r\nhe", status: 400},
	{name: "negative length", head: postHead + "Content-Length: -2\r\n\r\n", status: 400},
	{name: "length in hexadecimal", head: postHead + "Content-Length: 0x2\r\n\r\nhe", status: 400},
	{name: "length above 64 bits", head: postHead + "Content-Length: 18446744073709551618\r\n\r\nhe", status: 400},
	{name: "empty length", head: postHead + "Content-Length:\r\n\r\n", status: 400},
	{name: "list of lengths", head: postHead + "Content-Length: 2, 2\r\n\r\nhe", status: 400},
	{name: "blank before the colon", head: postHead + "Content-Length : 2\r\n\r\nhe", status: 400},
	{name: "folded length", head: postHead + "Content-Length:\r\n 2\r\n\r\nhe", status: 400},
	{name: "folded field", head: getHead + "X: a\r\n b\r\n\r\n", status: 400},
	{name: "chunked is not last", head: postHead + "Transfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n", status: 400},
	{name: "chunked twice", head: postHead + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", status: 400},
	{name: "empty coding", head: postHead + "Transfer-Encoding: chunked,\r\n\r\n0\r\n\r\n", status: 400},
	{name: "vertical tab in a coding", head: postHead + "Transfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n", status: 400},
	{name: "unknown coding", head: postHead + "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", status: 501},
	{name: "chunks in HTTP/1.0", head: "POST /{N} HTTP/1.0\r\nHost: {H}\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", status: 400},
	{name: "body of a GET in HTTP/1.0", head: "GET /{N} HTTP/1.0\r\nHost: {H}\r\nContent-Length: 2\r\n\r\nhe", status: 413},
	{name: "NUL in a value", head: getHead + "X: a\x00b\r\n\r\n", status: 400},
	{name: "CR alone", head: getHead + "X: a\rY: b\r\n\r\n", status: 400},
	{name: "no host", head: "GET /{N} HTTP/1.1\r\n\r\n", status: 400},
	{name: "two hosts", head: getHead + "Host: other.test\r\n\r\n", status: 400},
	{name: "one host twice", head: getHead + "Host: {H}\r\n\r\n", status: 400},
	{name: "target of another host", head: "GET http://other.test/{N} HTTP/1.1\r\nHost: {H}\r\n\r\n", status: 400},
	{name: "fragment", head: "GET /{N}#a HTTP/1.1\r\nHost: {H}\r\n\r\n", status: 400},
	{name: "tab in the first line", head: "GET\t/{N} HTTP/1.1\r\nHost: {H}\r\n\r\n", status: 400},
	{name: "HTTP/2.0", head: "GET /{N} HTTP/2.0\r\nHost: {H}\r\n\r\n", status: 400},
	{name: "line without a colon", head: getHead + "X\r\n\r\n", status: 400},
	{name: "empty name", head: getHead + ": a\r\n\r\n", status: 400},
	{name: "body of a CONNECT", head: "CONNECT {H}:443 HTTP/1.1\r\nHost: {H}:443\r\nContent-Length: 2\r\n\r\nhe", status: 400},
	{name: "size that is no number", chunk: "g\r\nx\r\n0\r\n\r\n", status: 400},
	{name: "LF behind a size", chunk: "1\nx\r\n0\r\n\r\n", status: 400},
	{name: "size above 64 bits", chunk: "10000000000000001\r\nx\r\n0\r\n\r\n", status: 400},
	{name: "more data than announced", chunk: "1\r\nxx\r\n0\r\n\r\n", status: 400},
	{name: "LF behind data", chunk: "1\r\nx\n0\r\n\r\n", status: 400},
	{name: "CR in an extension", chunk: "1;a\rb\r\nx\r\n0\r\n\r\n", status: 400},
	{name: "size with a sign", chunk: "-1\r\nx\r\n0\r\n\r\n", status: 400},
	{name: "length as a trailer", chunk: "0\r\nContent-Length: 9\r\n\r\n", status: 400},
	{name: "folded trailer", chunk: "0\r\nX-Trailer: {N}\r\n b\r\n\r\n", status: 400},
	{name: "LF as the last line", chunk: "0\r\n\n", status: 400},
}

// unwantedTunnel is the name of an answer 101. It is malformed only after a request without
// Upgrade.
const unwantedTunnel = "a tunnel that nobody wants"

const saidHead = "HTTP/1.1 200 Said\r\nX-Number: {N}\r\n"

// badAnswers are answers that the balancer must not pass on to the client.
var badAnswers = []*malformed{
	{name: "another protocol", head: "220 mail.test ESMTP\r\n\r\n", status: 502},
	{name: "two lengths", head: saidHead + "Content-Length: 2\r\nContent-Length: 6\r\n\r\nhello!", status: 502},
	{name: "length and chunks", head: saidHead + "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", status: 502},
	{name: "negative length", head: saidHead + "Content-Length: -2\r\n\r\n", status: 502},
	{name: "folded field", head: saidHead + "X: a\r\n b\r\nContent-Length: 0\r\n\r\n", status: 502},
	{name: "NUL in a value", head: saidHead + "X: a\x00b\r\nContent-Length: 0\r\n\r\n", status: 502},
	{name: "CR alone", head: saidHead + "X: a\rContent-Length: 2\r\n\r\nhe", status: 502},
	{name: "chunked is not last", head: saidHead + "Transfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n", status: 502},
	{name: "chunks in HTTP/1.0", head: "HTTP/1.0 200 Said\r\nX-Number: {N}\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", status: 502},
	{name: "HTTP/2.0", head: "HTTP/2.0 200 Said\r\nX-Number: {N}\r\nContent-Length: 0\r\n\r\n", status: 502},
	{name: "status of two digits", head: "HTTP/1.1 20 Said\r\nX-Number: {N}\r\nContent-Length: 0\r\n\r\n", status: 502},
	{name: "empty line first", head: "\r\nHTTP/1.1 200 Said\r\nX-Number: {N}\r\nContent-Length: 0\r\n\r\n", status: 502},
	{name: "blank before the colon", head: saidHead + "Content-Length : 0\r\n\r\n", status: 502},
	{name: unwantedTunnel, head: "HTTP/1.1 101 Said\r\nX-Number: {N}\r\nConnection: upgrade\r\nUpgrade: other\r\n\r\n", status: 502},
	{name: "size that is no number", chunk: "g\r\nx\r\n0\r\n\r\n"},
	{name: "LF behind a size", chunk: "1\nx\r\n0\r\n\r\n"},
	{name: "more data than announced", chunk: "1\r\nxx\r\n0\r\n\r\n"},
	{name: "size above 64 bits", chunk: "10000000000000001\r\nx\r\n0\r\n\r\n"},
	{name: "length as a trailer", chunk: "0\r\nContent-Length: 9\r\n\r\n"},
}

// oddRequests are unusual but valid forms of a request's head. The server must get the same request
// as from the usual form.
var oddRequests = []*odd{
	{"LF alone ends lines", func(head, _ string) string { return strings.ReplaceAll(head, "\r\n", "\n") }},
	{"empty lines first", func(head, _ string) string { return "\r\n\n" + head }},
	{"several blanks", func(head, _ string) string { return strings.Replace(head, " ", "   ", 2) }},
	{"no blank behind the colon", func(head, _ string) string { return strings.ReplaceAll(head, ": ", ":") }},
	{"blanks around values", func(head, _ string) string { return strings.ReplaceAll(head, ": ", ": \t ") }},
	{"target with a host", func(head, host string) string { return strings.Replace(head, " /", " http://"+host+"/", 1) }},
	{"length 0 twice", func(head, _ string) string {
		return strings.Replace(head, "Content-Length: 0\r\n", "Content-Length: 0\r\nContent-Length: 0\r\n", 1)
	}},
	{"capitals", capitals},
}

// capitals converts the names of all fields to upper case.
func capitals(head, _ string) string {
	lines := strings.Split(head, "\r\n")
	for i, line := range lines {
		if name, value, found := strings.Cut(line, ":"); i > 0 && found {
			lines[i] = strings.ToUpper(name) + ":" + value
		}
	}
	return strings.Join(lines, "\r\n")
}

// oddAnswers are unusual but valid forms of an answer's head. The client must get the same answer
// as from the usual form.
var oddAnswers = []*odd{
	{"LF alone ends lines", func(head, _ string) string { return strings.ReplaceAll(head, "\r\n", "\n") }},
	{"no blank behind the colon", func(head, _ string) string { return strings.ReplaceAll(head, ": ", ":") }},
	{"blanks around values", func(head, _ string) string { return strings.ReplaceAll(head, ": ", ": \t ") }},
	{"neither blank nor reason", func(head, _ string) string { return strings.Replace(head, " Said", "", 1) }},
	{"no reason", func(head, _ string) string { return strings.Replace(head, " Said", " ", 1) }},
	{"capitals", capitals},
}
