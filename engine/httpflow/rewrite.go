package httpflow

import (
	"bytes"
	"net/http"
	"regexp"
	"strconv"

	"sluice/sniff"
)

// Rewrite is one head on its way to the other side: the head as it came and the
// edits made so far. Each edit sees what those before it have made. Begin it
// with [Rewrite.Request] or [Rewrite.Response]; [Rewrite.Append] writes the
// outcome. A loop owns one and uses it for all its sessions in turn; the bytes
// that it is given must stay as they are until Append.
type Rewrite struct {
	fields   Fields
	status   []byte // the status line of an answer; nil: a request
	old      bool   // a request in HTTP/1.0
	bodyless bool   // an answer of such a status

	method []byte
	origin []byte // scheme and authority of an absolute target
	path   []byte // with its slash; or all of a target that has none
	query  []byte // with its question mark

	edits []edit
	text  []byte // where values are built
}

// edit is one change to the fields. Name is in any case.
type edit struct {
	name   string
	change change // of the fields of that name; nil: none
	value  []byte // of the field to append, or what change needs
	append bool   // a field behind all others
	word   string // what change needs, too
	regexp *regexp.Regexp
	match  func(name []byte) bool // instead of name
	met    bool                   // change has had a field
}

// change makes another value of one; false: the field goes.
type change func(w *Rewrite, e *edit, value []byte) ([]byte, bool)

func drop(*Rewrite, *edit, []byte) ([]byte, bool) { return nil, false }

// Request begins with the head of a request.
func (w *Rewrite) Request(h *sniff.Head) {
	w.begin(h)
	w.status, w.old = nil, h.Version[len("HTTP/1.")] == '0'
	w.method = h.Method
	w.split(h.Target, h.Path)
}

// Response begins with the head of an answer, interim or final.
func (w *Rewrite) Response(h *Head) {
	w.begin(h)
	w.status, w.bodyless = h.Line, bodyless(h.Status)
}

func (w *Rewrite) begin(f Fields) {
	w.fields, w.edits, w.text = f, w.edits[:0], w.text[:0]
}

// split takes a target apart. Without a path all of it up to the query stands
// for the path, so that setting the path replaces it, as HAProxy does with "*".
func (w *Rewrite) split(target, path []byte) {
	w.origin, w.path, w.query = nil, target, nil
	if i := bytes.IndexByte(target, '?'); i >= 0 {
		w.path, w.query = target[:i], target[i:]
	}
	if path != nil {
		w.origin, w.path = w.path[:len(w.path)-len(path)], path
	}
}

// SetMethod is `http-request set-method`. It leaves a method as it is if that or
// the new one is HEAD or CONNECT: where the answer ends depends on those, and the
// client and the server would disagree.
func (w *Rewrite) SetMethod(method []byte) {
	if methods[string(w.method)]&(head|connect) == 0 && methods[string(method)]&(head|connect) == 0 {
		w.method = method
	}
}

// SetPath is `http-request set-path`: scheme, authority and query stay.
func (w *Rewrite) SetPath(path []byte) { w.path = path }

// SetQuery is `http-request set-query`: the query comes without its question
// mark, which is added where needed and never taken off.
func (w *Rewrite) SetQuery(query []byte) {
	if len(query) == 0 && w.query == nil {
		return
	}
	start := len(w.text)
	w.text = append(append(w.text, '?'), query...)
	w.query = w.text[start:]
}

// SetPathQ is `http-request set-pathq`: scheme and authority stay.
func (w *Rewrite) SetPathQ(pathq []byte) { w.path, w.query = pathq, nil }

// SetURI is `http-request set-uri`: it replaces all of the target.
func (w *Rewrite) SetURI(uri []byte) { w.origin, w.path, w.query = nil, uri, nil }

// AddHeader is `http-request add-header`: one more field behind all others.
func (w *Rewrite) AddHeader(name string, value []byte) {
	w.edit(edit{name: name, value: value, append: true})
}

// SetHeader is `http-request set-header`: the field is the only one of its name.
func (w *Rewrite) SetHeader(name string, value []byte) {
	w.edit(edit{name: name, value: value, append: true, change: drop})
}

// DelHeader is `http-request del-header`: all fields of that name go.
func (w *Rewrite) DelHeader(name string) {
	w.edit(edit{name: name, change: drop})
}

// DelHeaders is `http-request del-header` with another match than str: all
// fields go whose name, as sent, match picks.
func (w *Rewrite) DelHeaders(match func(name []byte) bool) {
	w.edit(edit{match: match, change: drop})
}

// edit notes an edit, if it does not make a message end elsewhere: the fields
// that say where stay as they are.
func (w *Rewrite) edit(e edit) {
	if !frames(e.name) {
		w.edits = append(w.edits, e)
	}
}

// unframe takes out the fields that say where a message ends: those of an answer
// that has no body by its status must not be there (RFC 9110 8.6, RFC 9112 6.1).
func (w *Rewrite) unframe() {
	w.edits = append(w.edits, edit{name: "content-length", change: drop}, edit{name: "transfer-encoding", change: drop})
}

// tellOnce leaves one Content-Length of several that tell the same.
func (w *Rewrite) tellOnce(length []byte) {
	w.edits = append(w.edits, edit{name: "content-length", change: first, value: length})
}

// first leaves the first field of the name, with the value of the edit.
func first(_ *Rewrite, e *edit, _ []byte) ([]byte, bool) {
	again := e.met
	e.met = true
	return e.value, !again
}

func frames[text []byte | string](name text) bool {
	return isWord(name, "content-length") || isWord(name, "transfer-encoding")
}

// SetStatus is `http-response set-status`; without a reason it is the usual one.
// It leaves a status as it is if only that or only the new one has no body by
// itself: the client would wait for one, or take it for the next answer.
func (w *Rewrite) SetStatus(status int, reason string) {
	if bodyless(status) != w.bodyless {
		return
	}
	if reason == "" {
		reason = http.StatusText(status)
	}
	start := len(w.text)
	w.text = append(w.text, w.status[:len("HTTP/1.1 ")]...)
	w.text = strconv.AppendInt(w.text, int64(status), 10)
	w.text = append(append(w.text, ' '), reason...)
	w.status = w.text[start:]
	disarm(w.status)
}
