package httpflow

import (
	"net/http"
	"strconv"
)

// Answer is what is said to the client without asking a server. It is immutable
// once made, so that all loops can share it.
type Answer struct {
	Status      int
	Fields      []byte // further field lines, each with CRLF
	ContentType string // empty: no body
	Body        []byte
	// Location is a redirect's target; nil: none.
	Location []byte
}

// pages tell what went wrong to a reader who did nothing wrong.
var pages = map[int]string{
	200: "Service ready.",
	400: "The request was not understood.",
	403: "The request is not allowed here.",
	404: "There is nothing at this address.",
	405: "The method is not allowed here.",
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
			Fields:      []byte("cache-control: no-cache\r\n"),
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
	if !x.Request.Done() || a.Status == 400 || a.Status == 408 {
		x.marks |= closeClient
	}
	x.marks |= answered
	dst = append(dst, "HTTP/1.1 "...)
	dst = strconv.AppendInt(dst, int64(a.Status), 10)
	dst = append(append(dst, ' '), http.StatusText(a.Status)...)
	dst = append(dst, "\r\n"...)
	if bare := a.Status == 204 || a.Status == 304; !bare {
		dst = append(dst, "content-length: "...)
		dst = strconv.AppendInt(dst, int64(len(a.Body)), 10)
		dst = append(dst, "\r\n"...)
	}
	dst = append(dst, a.Fields...)
	dst = appendLine(dst, "content-type: ", a.ContentType)
	dst = appendLine(dst, "location: ", a.Location)
	switch {
	case x.has(closeClient):
		dst = append(dst, "connection: close\r\n"...)
	case x.has(old):
		dst = append(dst, "connection: keep-alive\r\n"...)
	}
	dst = append(dst, "\r\n"...)
	if x.has(head) {
		return dst
	}
	return append(dst, a.Body...)
}

// appendLine writes a field, but none without a value.
func appendLine[text []byte | string](dst []byte, name string, value text) []byte {
	if len(value) == 0 {
		return dst
	}
	dst = append(dst, name...)
	dst = append(dst, value...)
	return append(dst, "\r\n"...)
}
