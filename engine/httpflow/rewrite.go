package httpflow

import (
	"bytes"
	"net/http"
	"regexp"
	"strconv"

	"sluice/sniff"
)

// MaxHead is the maximum size in bytes of a head with its empty line, as received and as rules have
// edited it. It is also the maximum size of one edited value.
const MaxHead = sniff.MaxBytes

// maxText limits the memory in bytes for the replaced values of one head. It allows several rules
// to replace the same large value.
const maxText = 16 * MaxHead

// Rewrite is a head with the edits to make before it is passed on. An edit applies to the result of
// the edits before it. Start with [Rewrite.Request] or [Rewrite.Response]; [Rewrite.Append] writes
// the result.
//
// A loop owns one Rewrite and uses it for all its sessions in turn. The bytes given to a Rewrite
// must not change until Append.
type Rewrite struct {
	fields Fields
	status []byte // status line of an answer; nil: the head is a request
	code   int    // status in that line
	old    bool   // the request is HTTP/1.0

	method []byte
	origin []byte // scheme and authority of an absolute target; empty: the target has none
	path   []byte // the path with its slash; the target up to the query if it has no path
	query  []byte // the query with its question mark; nil: none

	edits []edit
	text  []byte // buffer in which new values are built
	large bool   // an edit was not made in full, because its result would exceed MaxHead or maxText
}

// edit is one change to the fields. The letters of name may be in any case.
type edit struct {
	name   string
	change change // applied to each field of that name; nil: only append
	value  []byte // value of the field to append, or an argument of change
	append bool   // append a field after all others
	word   string // another argument of change
	regexp *regexp.Regexp
	match  func(name []byte) bool // selects fields in place of name; nil: use name
	met    bool                   // change has been called for a field
}

// change returns the new value of a field. It returns false if the field must be removed.
type change func(w *Rewrite, e *edit, value []byte) ([]byte, bool)

func drop(*Rewrite, *edit, []byte) ([]byte, bool) { return nil, false }

// Request starts with the head of a request. It discards earlier edits.
func (w *Rewrite) Request(h *sniff.Head) {
	w.begin(h)
	w.status, w.old = nil, h.Version[len("HTTP/1.")] == '0'
	w.method = h.Method
	w.split(h.Target, h.Path)
}

// Response starts with the head of an answer, interim or final. It discards earlier edits.
func (w *Rewrite) Response(h *Head) {
	w.begin(h)
	w.status, w.code = h.Line, statusOf(h.Line)
}

func (w *Rewrite) begin(f Fields) {
	w.fields, w.edits, w.text, w.large = f, w.edits[:0], w.text[:0], false
}

// Large reports whether the head is too large after the edits. made is the edited head, as Append
// has written it. It must not be passed on if Large returns true: a part of it may be missing.
func (w *Rewrite) Large(made []byte) bool { return w.large || len(made) > MaxHead }

// Fits reports whether the edited head certainly has at most MaxHead bytes. n is the size of the
// head before the edits. Fits is cheaper than Append. It returns false for an edited head near the
// limit, and after the replacement of a value.
func (w *Rewrite) Fits(n int) bool {
	if len(w.edits) == 0 && !w.large {
		return true
	}
	n *= 2 // Append may add a CR to each line, and a blank to each field
	for i := range w.edits {
		e := &w.edits[i]
		if e.regexp != nil {
			return false
		}
		n += len(e.name) + len(": \r\n") + len(e.value)
	}
	return !w.large && n+len(w.status) <= MaxHead
}

// split splits a target into origin, path and query. If it has no path, everything up to the query
// counts as the path. Setting the path then replaces it, as HAProxy does with "*".
func (w *Rewrite) split(target, path []byte) {
	w.origin, w.path, w.query = nil, target, nil
	if i := bytes.IndexByte(target, '?'); i >= 0 {
		w.path, w.query = target[:i], target[i:]
	}
	if path != nil {
		w.origin, w.path = w.path[:len(w.path)-len(path)], path
	}
}

// SetPath implements `http-request set-path`: scheme, authority and query stay unchanged.
func (w *Rewrite) SetPath(path []byte) { w.path = path }

// SetQuery implements `http-request set-query`. query has no question mark: SetQuery adds one. An
// empty query is ignored if the target has no query; otherwise the question mark remains.
func (w *Rewrite) SetQuery(query []byte) {
	if len(query) == 0 && w.query == nil {
		return
	}
	start := len(w.text)
	w.text = append(append(w.text, '?'), query...)
	w.query = w.text[start:]
}

// SetPathQ implements `http-request set-pathq`: scheme and authority stay unchanged. pathq may
// contain a query.
func (w *Rewrite) SetPathQ(pathq []byte) { w.path, w.query = pathq, nil }

// SetURI implements `http-request set-uri`: it replaces the whole request target.
func (w *Rewrite) SetURI(uri []byte) { w.origin, w.path, w.query = nil, uri, nil }

// AddHeader implements `http-request add-header`: it adds a field after all others.
func (w *Rewrite) AddHeader(name string, value []byte) {
	w.edit(edit{name: name, value: value, append: true})
}

// SetHeader implements `http-request set-header`: it removes all fields of that name and adds this
// one.
func (w *Rewrite) SetHeader(name string, value []byte) {
	w.edit(edit{name: name, value: value, append: true, change: drop})
}

// DelHeader implements `http-request del-header`: it removes all fields of that name.
func (w *Rewrite) DelHeader(name string) {
	w.edit(edit{name: name, change: drop})
}

// DelHeaders implements `http-request del-header` with a match other than str. It removes all
// fields whose name satisfies match. match gets the name as sent.
func (w *Rewrite) DelHeaders(match func(name []byte) bool) {
	w.edit(edit{match: match, change: drop})
}

// edit records an edit. It ignores edits of Content-Length and Transfer-Encoding, because they
// would change where the message ends.
func (w *Rewrite) edit(e edit) {
	if !frames(e.name) {
		w.edits = append(w.edits, e)
	}
}

// unframe removes the fields that announce a body. An answer whose status means that it has no body
// must not have them (RFC 9110 8.6, RFC 9112 6.1).
func (w *Rewrite) unframe() {
	w.edits = append(w.edits, edit{name: "content-length", change: drop}, edit{name: "transfer-encoding", change: drop})
}

// tellOnce keeps one of several Content-Length fields with the same value.
func (w *Rewrite) tellOnce(length []byte) {
	w.edits = append(w.edits, edit{name: "content-length", change: first, value: length})
}

// first keeps only the first field of the name and gives it the value of the edit.
func first(_ *Rewrite, e *edit, _ []byte) ([]byte, bool) {
	again := e.met
	e.met = true
	return e.value, !again
}

func frames[text []byte | string](name text) bool {
	return isWord(name, "content-length") || isWord(name, "transfer-encoding")
}

// setStatus replaces status and reason phrase of an answer. An empty reason stands for the usual
// phrase of the status.
func (w *Rewrite) setStatus(status int, reason string) {
	if reason == "" {
		reason = http.StatusText(status)
	}
	start := len(w.text)
	w.text = append(w.text, w.status[:len("HTTP/1.1 ")]...)
	w.text = strconv.AppendInt(w.text, int64(status), 10)
	w.text = append(append(w.text, ' '), reason...)
	w.status, w.code = w.text[start:], status
	disarm(w.status)
}
