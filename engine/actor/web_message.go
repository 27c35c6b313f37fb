package actor

import (
	"slices"
	"strconv"
	"strings"
)

// numberField is the lower-case name of the field that contains the number of the request, in
// requests and answers.
const numberField = "x-number"

// target returns the target of the request line.
func (q *WebRequest) target() string {
	if q.Method == "CONNECT" {
		return q.authority()
	}
	return q.Path + "/" + strconv.Itoa(q.Number)
}

// authority returns the value of the Host field. The target of CONNECT needs a port.
func (q *WebRequest) authority() string {
	if q.Method == "CONNECT" {
		return q.Host + ":443"
	}
	return q.Host
}

// appendTo appends the bytes of the request, as the client sends it. body is the size of its head.
func (q *WebRequest) appendTo(b []byte) (text []byte, body int) {
	start := len(b)
	if bad := entry(badRequests, q.Malformed); bad != nil && bad.head != "" {
		b = append(b, q.filled(bad.head)...)
		body = len(b) - start
		return append(b, q.smuggled()...), body
	}
	b = q.appendHead(b)
	if odd := entry(oddRequests, q.Odd); odd != nil {
		b = append(b[:start], odd.edit(string(b[start:]), q.authority())...)
	}
	body = len(b) - start
	switch q.Framing {
	case ByLength:
		b = appendStamp(b, q.stream(askedBody), 0, q.Body)
	case ByChunks:
		b = appendChunks(b, q.stream(askedBody), q.Body, q.Number, q.chunksEnd())
	}
	return b, body
}

// HeadSize returns the size of the request's head in bytes, as the client sends it.
func (q *WebRequest) HeadSize() int {
	_, size := q.appendTo(nil)
	return size
}

// chunksEnd returns the bytes after the data of a chunked body. After a malformed body, they
// contain a request that no server may get.
func (q *WebRequest) chunksEnd() string {
	if bad := entry(badRequests, q.Malformed); bad != nil {
		return q.filled(bad.chunk) + q.smuggled()
	}
	return lastChunk(q.Number, q.Trailer)
}

func (q *WebRequest) appendHead(b []byte) []byte {
	b = append(append(b, q.Method...), ' ')
	b = append(append(b, q.target()...), " HTTP/1."...)
	b = append(b, minor(q.Old))
	b = appendField(b, "\r\nHost", q.authority())
	b = appendNumber(b, "X-Number", q.Number)
	for _, line := range q.Fields {
		b = append(append(b, line...), "\r\n"...)
	}
	b = appendCommon(b, q.Close, q.Keep, q.Fill)
	if q.Cookie != "" {
		b = appendField(b, "Cookie", q.Cookie)
	}
	if q.Continue {
		b = append(b, "Expect: 100-continue\r\n"...)
	}
	if q.Upgrade && q.Method != "CONNECT" {
		b = append(b, "Connection: Upgrade\r\nUpgrade: stamps\r\n"...)
	}
	b = appendFraming(b, q.Framing, q.Body)
	return append(b, "\r\n"...)
}

// minor returns the minor version as a digit.
func minor(old bool) byte {
	if old {
		return '0'
	}
	return '1'
}

func appendField(b []byte, name, value string) []byte {
	b = append(append(b, name...), ": "...)
	return append(append(b, value...), "\r\n"...)
}

func appendNumber(b []byte, name string, n int) []byte {
	b = append(append(b, name...), ": "...)
	return append(strconv.AppendInt(b, int64(n), 10), "\r\n"...)
}

// appendCommon appends fields that requests and answers have.
func appendCommon(b []byte, closes, keeps bool, fill int) []byte {
	if closes {
		b = append(b, "Connection: close\r\n"...)
	}
	if keeps {
		b = append(b, "Connection: keep-alive\r\n"...)
	}
	if fill > 0 {
		b = append(b, "X-Fill: "...)
		for range fill {
			b = append(b, '.')
		}
		b = append(b, "\r\n"...)
	}
	return b
}

func appendFraming(b []byte, framing Framing, size int) []byte {
	switch framing {
	case ByLength:
		return appendNumber(b, "Content-Length", size)
	case ByChunks:
		return append(b, "Transfer-Encoding: chunked\r\n"...)
	}
	return b
}

// appendStamp appends n bytes of a stream from offset at on.
func appendStamp(b []byte, s Stream, at, n int) []byte {
	end := len(b)
	b = slices.Grow(b, n)[:end+n]
	Stamp(b[end:], s, at)
	return b
}

// appendChunks appends a body in chunks of different sizes, and then end, the bytes after the last
// chunk with data. The data is the start of stream s.
func appendChunks(b []byte, s Stream, size, number int, end string) []byte {
	for i, at := 0, 0; at < size; i++ {
		n := min(1+(number*7919+i*104729)%(size/3+1), size-at)
		if (number+i)%5 == 0 { // leading zeros are allowed (RFC 9112 7.1)
			b = append(b, "000000000000"...)
		}
		b = strconv.AppendInt(b, int64(n), 16)
		if (number+i)%3 == 0 {
			b = strconv.AppendInt(append(b, ";x="...), int64(number), 10)
		}
		b = appendStamp(append(b, "\r\n"...), s, at, n)
		b = append(b, "\r\n"...)
		at += n
	}
	return append(b, end...)
}

// lastChunk returns the end of a chunked body.
func lastChunk(number int, trailer bool) string {
	if trailer {
		return "0\r\nX-Trailer: " + strconv.Itoa(number) + "\r\n\r\n"
	}
	return "0\r\n\r\n"
}

// answerText contains the bytes of an answer, as the server sends it: interim answers, the final
// head and its body.
type answerText struct {
	bytes []byte
	head  int // offset in bytes of the final answer's head
	body  int // offset in bytes of its body
}

// appendAnswer appends the answer to b.
func (q *WebRequest) appendAnswer(b []byte) answerText {
	a, start := &q.Answer, len(b)
	for i := range a.Interim {
		b = append(b, interims[(q.Number+i)%len(interims)]...)
	}
	t := answerText{head: len(b) - start}
	bad := entry(badAnswers, a.Bad)
	if bad != nil && bad.head != "" {
		b = append(b, q.filled(bad.head)...)
		t.bytes, t.body = b, len(b)-start
		return t
	}
	b = q.appendAnswerHead(b)
	if odd := entry(oddAnswers, a.Odd); odd != nil {
		b = append(b[:start+t.head], odd.edit(string(b[start+t.head:]), "")...)
	}
	t.body = len(b) - start
	end := lastChunk(q.Number, a.Trailer)
	if bad != nil {
		end = bad.chunk
	}
	t.bytes = q.appendAnswerBody(b, end)
	return t
}

var interims = [...]string{
	"HTTP/1.1 103 Early Hints\r\nLink: </style.css>\r\n\r\n",
	"HTTP/1.1 102 Processing\r\n\r\n",
	"HTTP/1.1 100 Continue\r\n\r\n",
}

func (q *WebRequest) appendAnswerHead(b []byte) []byte {
	a := &q.Answer
	b = append(append(b, "HTTP/1."...), minor(a.Old), ' ')
	b = append(strconv.AppendInt(b, int64(a.Status), 10), " Said\r\n"...)
	b = appendNumber(b, "X-Number", q.Number)
	for _, line := range a.Fields {
		b = append(append(b, line...), "\r\n"...)
	}
	b = appendCommon(b, a.Close, a.Old && !a.Close && q.Number%2 == 0, a.Fill)
	switch {
	case a.Status == 101:
		b = append(b, "Connection: Upgrade\r\nUpgrade: stamps\r\n"...)
	case !q.tunnels() && a.Status != 204:
		b = appendFraming(b, a.Framing, a.Body)
	}
	return append(b, "\r\n"...)
}

func (q *WebRequest) appendAnswerBody(b []byte, end string) []byte {
	a := &q.Answer
	switch {
	case q.tunnels():
		return appendStamp(b, q.stream(tunnelDown), 0, a.Body)
	case q.bodiless():
		return b
	case a.Framing == ByChunks:
		return appendChunks(b, q.stream(givenBody), a.Body, q.Number, end)
	}
	return appendStamp(b, q.stream(givenBody), 0, a.Body)
}

// added returns the bytes that a server with the fault ServerAdds sends after its answer.
func (q *WebRequest) added() string {
	unasked := q.Number/10*10 + 9
	switch q.Number % 3 {
	case 0:
		return strings.Repeat("more", 1+q.Number%40)
	case 1:
		return "\r\n"
	}
	return "HTTP/1.1 200 Said\r\nX-Number: " + strconv.Itoa(unasked) + "\r\nContent-Length: 6\r\n\r\nunsaid"
}
