package httpflow

import (
	"net/http"
	"strconv"

	"sluice/conf"
)

// Answer is an answer that the load balancer itself sends to the client, without asking a server.
type Answer struct {
	Status      int
	Fields      []byte // further field lines, each with its CRLF; nil: none
	NoCache     bool   // adds the field cache-control: no-cache
	ContentType string // media type of the body; empty: no Content-Type field
	Body        []byte
}

// pages holds the sentence that the error page of a status shows to a visitor.
var pages = map[int]string{
	200: "Service ready.",
	400: "The request was not understood.",
	401: "The request has no valid credentials.",
	403: "The request is not allowed here.",
	404: "There is nothing at this address.",
	405: "The method is not allowed here.",
	407: "The request has no valid credentials for this proxy.",
	408: "The request did not arrive in time.",
	410: "There is nothing at this address any more.",
	413: "The request is too large.",
	414: "The address is too long.",
	425: "The request came too early to be safe. Try again.",
	429: "There were too many requests. Try again later.",
	431: "The head of the request is too large.",
	500: "Something went wrong here.",
	501: "The request asks for something that is not supported.",
	502: "The server gave no valid answer.",
	503: "No server is available to handle this request.",
	504: "The server did not answer in time.",
}

var answersOfOurs = makeAnswersOfOurs()

func makeAnswersOfOurs() map[int]*Answer {
	all := map[int]*Answer{}
	for status, text := range pages {
		title := strconv.Itoa(status) + " " + http.StatusText(status)
		all[status] = &Answer{
			Status:      status,
			NoCache:     true,
			ContentType: "text/html",
			Body:        []byte("<!doctype html>\n<title>" + title + "</title>\n<h1>" + title + "</h1>\n<p>" + text + "</p>\n"),
		}
	}
	return all
}

// Page returns an answer with a short HTML page for a status. It is sent when a request is refused,
// when no server is available, and with status 200 for `monitor-uri`. Page returns nil for a status
// without a page.
func Page(status int) *Answer { return answersOfOurs[status] }

// AppendAnswer appends a, as the final answer of this exchange, to dst. The exchange ends with it.
// The client may also have sent bytes that are not a request. KeepClient then reports whether the
// client may send another request on the connection. AppendAnswer does not allocate if dst has
// enough capacity.
func (x *Exchange) AppendAnswer(dst []byte, a *Answer) []byte {
	dst = x.beginAnswer(dst, a.Status, a.Fields, len(a.Body))
	if a.NoCache {
		dst = append(dst, "cache-control: no-cache\r\n"...)
	}
	if a.ContentType != "" && len(a.Body) > 0 && !conf.Bodyless(a.Status) {
		dst = append(dst, "content-type: "...)
		dst = append(dst, a.ContentType...)
		dst = append(dst, "\r\n"...)
	}
	dst = x.endAnswer(dst)
	if x.bodyless(a.Status) {
		return dst
	}
	return append(dst, a.Body...)
}

// Fitting returns the part of a complete answer that the client must get: the head alone if the
// method or the status of the answer allows no body (RFC 9112 6.3), otherwise everything.
func (x *Exchange) Fitting(answer []byte) []byte {
	if n := headEnd(answer); n > 0 && x.bodyless(statusOf(answer)) {
		return answer[:n]
	}
	return answer
}

// beginAnswer appends the status line, the fields and the content length. If the request was not
// read completely, the connection closes after this answer. The bytes that follow cannot be trusted
// to be a new request. The same is true of bytes that were not a request at all.
func (x *Exchange) beginAnswer(dst []byte, status int, fields []byte, length int) []byte {
	if !x.has(taken) || !x.Request.Done() || status == 408 {
		x.marks |= closeClient
	}
	x.marks = x.marks&^tunnel | answered // this answer takes the place of one that opened a tunnel
	x.Response = Body{}
	dst = append(dst, "HTTP/1.1 "...)
	dst = strconv.AppendInt(dst, int64(status), 10)
	dst = append(append(dst, ' '), http.StatusText(status)...)
	dst = append(dst, "\r\n"...)
	dst = append(dst, fields...)
	if conf.Bodyless(status) {
		return dst
	}
	dst = append(dst, "content-length: "...)
	dst = strconv.AppendInt(dst, int64(length), 10)
	return append(dst, "\r\n"...)
}

func (x *Exchange) endAnswer(dst []byte) []byte {
	switch {
	case x.has(closeClient):
		dst = append(dst, "connection: close\r\n"...)
	case x.has(old):
		dst = append(dst, "connection: keep-alive\r\n"...)
	}
	return append(dst, "\r\n"...)
}
