package httpflow

import (
	"net/http"
	"strconv"
)

// Answer is what is said to the client without asking a server.
type Answer struct {
	Status      int
	Fields      []byte // further field lines, each with CRLF
	NoCache     bool   // no cache may keep it
	ContentType string // of the body; empty: not told
	Body        []byte
}

// pages tell what went wrong to a reader who did nothing wrong.
var pages = map[int]string{
	200: "Service ready.",
	400: "The request was not understood.",
	401: "The request lacks what proves who sent it.",
	403: "The request is not allowed here.",
	404: "There is nothing at this address.",
	405: "The method is not allowed here.",
	407: "The request lacks what proves to this proxy who sent it.",
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

// Page is the answer with a short page for a status: what is said when a request
// is refused or no server can be had, and with 200 to `monitor-uri`. It is nil
// for a status that has no page.
func Page(status int) *Answer { return answersOfOurs[status] }

// AppendAnswer writes an answer of ours to the request of this exchange, or to
// what was no request, and is the end of it: KeepClient then says whether the
// client may ask again. It does not allocate if dst has room.
func (x *Exchange) AppendAnswer(dst []byte, a *Answer) []byte {
	dst = x.beginAnswer(dst, a.Status, a.Fields, len(a.Body))
	if a.NoCache {
		dst = append(dst, "cache-control: no-cache\r\n"...)
	}
	if a.ContentType != "" && len(a.Body) > 0 {
		dst = append(dst, "content-type: "...)
		dst = append(dst, a.ContentType...)
		dst = append(dst, "\r\n"...)
	}
	dst = x.endAnswer(dst)
	if x.has(head) {
		return dst
	}
	return append(dst, a.Body...)
}

// beginAnswer writes the first line, fields and the length. What follows the head of a
// request that was not read to its end is no request, nor what follows bytes
// that are none.
func (x *Exchange) beginAnswer(dst []byte, status int, fields []byte, length int) []byte {
	if !x.has(taken) || !x.Request.Done() || status == 408 {
		x.marks |= closeClient
	}
	x.marks |= answered
	x.Response = Body{}
	dst = append(dst, "HTTP/1.1 "...)
	dst = strconv.AppendInt(dst, int64(status), 10)
	dst = append(append(dst, ' '), http.StatusText(status)...)
	dst = append(dst, "\r\n"...)
	dst = append(dst, fields...)
	if bodyless(status) {
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
