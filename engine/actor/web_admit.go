package actor

import (
	"bytes"
	"strconv"
	"strings"
)

// locate returns the request that a request line identifies, or nil. The argument number is the
// X-Number of the head, for targets without a number; -1: not known yet.
func (s *webService) locate(line []byte, number int) *webTrack {
	_, target, _ := bytes.Cut(line, blankByte)
	target, _, _ = bytes.Cut(target, blankByte)
	if n := numberOf(target); n >= 0 {
		number = n
	}
	return s.tracks[number]
}

var blankByte = []byte(" ")

// admit records that a request has come to the server, and checks that it may come now.
func (s *webService) admit(t *webTrack) *webDelivery {
	wrong := s.misplaced(t)
	if wrong == "" {
		wrong = t.againWrong()
	}
	if wrong == "" {
		wrong = s.unkept(t)
	}
	if wrong != "" {
		s.failf(t.request, "at server %s%s: %s", s.Name, s.behind(), wrong)
	}
	d := &webDelivery{server: s.Name, kept: s.prior != nil, fast: s.FastOpen && s.prior == nil}
	t.deliveries = append(t.deliveries, d)
	s.prior = t
	return d
}

// judge compares the head of a request with its plan.
func (s *webService) judge(q *WebRequest, h *webHead) {
	method, target, _ := bytes.Cut(h.line, blankByte)
	target, version, _ := bytes.Cut(target, blankByte)
	wrong := q.lineDiffers(string(method), string(target), string(version))
	if wrong == "" {
		wrong = q.fieldsDiffer(h)
	}
	if wrong == "" && s.Sites != nil {
		wrong = s.Sites.Reaches(q.Number, h.text("x-site"), h.text("x-site-back"))
	}
	if wrong != "" {
		s.failf(q, "at server %s: %s", s.Name, wrong)
	}
}

// behind returns a text that names the request before on the connection; empty: there was none.
func (s *webService) behind() string {
	if s.prior == nil {
		return ""
	}
	return " behind request " + strconv.Itoa(s.prior.request.Number)
}

// numberOf returns the last part of a path as a number, or -1.
func numberOf(target []byte) int {
	path, _, _ := bytes.Cut(target, []byte("?"))
	return digits(path[bytes.LastIndexByte(path, '/')+1:])
}

// misplaced returns the reason why a request must not come to this server now; empty: it may come.
func (s *webService) misplaced(t *webTrack) string {
	q := t.request
	bad := entry(badRequests, q.Malformed)
	switch {
	case bad != nil && bad.head != "":
		return "it is malformed (" + bad.name + "), and was not refused"
	case q.ruled():
		return "a rule refuses it with " + strconv.Itoa(q.Expect.Answer) + ", and it came"
	case q.Expect.Backend != "" && q.Expect.Backend != s.Backend:
		return "it belongs to backend " + q.Expect.Backend
	case q.Expect.Server != "" && q.Expect.Server != s.Name && len(s.Own) == 0 && len(t.deliveries) == 0:
		return "its cookie names server " + q.Expect.Server
	case s.shut:
		return "it came although the connection was to end"
	case s.prior != nil && s.prior.request.Number >= q.Number:
		return "it came too late"
	case s.prior != nil && s.prior.plan != t.plan:
		return "it came on the connection of another client"
	case s.prior != nil && s.prior.request.Expect.Frees:
		return "it came on a connection that must not be kept"
	}
	return t.overtakes(s.WebWorld)
}

// unkept returns why the request must come on the connection of the one before; empty: it need not.
func (s *webService) unkept(t *webTrack) string {
	if !s.Keeps || s.prior != nil || t.index == 0 || len(t.deliveries) > 0 {
		return ""
	}
	before := &t.plan.Requests[t.index-1]
	d := s.tracks[before.Number].last()
	a, next := &before.Answer, t.request.Expect
	fair := a.Fault == Fair && !a.Close && !a.Old && a.Early < 0 && !before.untilEnd() && !before.tunnels()
	same := before.Expect.Backend != "" && before.Expect.Backend == next.Backend
	if d == nil || !fair || !same || before.last() || before.Malformed != "" || before.Expect.Answer != 0 || before.Expect.Frees {
		return ""
	}
	if next.Server != "" && next.Server != d.server {
		return ""
	}
	return "it came on a new connection, although that of request " + strconv.Itoa(before.Number) + " could be kept"
}

// overtakes checks the requests before on the client's connection. If one of them has no answer, or
// ends the connection, it returns a description; otherwise an empty text.
func (t *webTrack) overtakes(w *WebWorld) string {
	for j := range t.index {
		f := t.plan.fate(j)
		before := &t.plan.Requests[j]
		d := w.tracks[before.Number].last()
		switch {
		case !f.stays:
			return "request " + strconv.Itoa(before.Number) + " before it ends the connection"
		case !before.ruled() && (d == nil || !d.begun):
			return "request " + strconv.Itoa(before.Number) + " before it has no answer yet"
		}
	}
	return ""
}

// lineDiffers returns a description of the first difference between the request line and the plan;
// empty: none.
func (q *WebRequest) lineDiffers(method, target, version string) string {
	want := q.Path
	if q.Expect.Path != "" {
		want = q.Expect.Path
	}
	want += "/" + strconv.Itoa(q.Number) + q.Expect.Query
	wanted := q.Method
	if q.Expect.Method != "" {
		wanted = q.Expect.Method
	}
	if q.Odd == "target with a host" {
		target = strings.TrimPrefix(target, "http://"+q.authority())
	}
	switch {
	case method != wanted:
		return "its method is " + method + "; want " + wanted
	case version != "HTTP/1."+string(minor(q.Old)):
		return "its version is " + version
	case q.Method == "CONNECT" && target != q.authority() || q.Method != "CONNECT" && target != want:
		return "its target is " + target + "; want " + want
	}
	return ""
}

// fieldsDiffer returns a description of the first difference between the fields of a request and
// the plan; empty: none.
func (q *WebRequest) fieldsDiffer(h *webHead) string {
	host, hosts := h.get("host")
	want := q.authority()
	if q.Expect.Host != "" {
		want = q.Expect.Host
	}
	fill, _ := h.get("x-fill")
	length := -1
	if q.Framing == ByLength {
		length = q.Body
	}
	switch {
	case hosts != 1 || string(host) != want:
		return "its host is " + string(host) + "; want " + want
	case h.number != q.Number:
		return "its number is " + strconv.Itoa(h.number)
	case h.length != length || h.chunked != (q.Framing == ByChunks):
		return "its framing is another: " + string(h.fields)
	case !h.upgrade && (h.keep && !q.Old || h.close && !q.Expect.Frees && !q.last()):
		return "it has a field Connection that is not the balancer's"
	case len(fill) != q.Fill:
		return "a field has " + strconv.Itoa(len(fill)) + " bytes; want " + strconv.Itoa(q.Fill)
	case q.Continue && !h.has("Expect: 100-continue"):
		return "it does not expect 100 Continue"
	case q.Upgrade && q.Method != "CONNECT" && !(h.has("Upgrade: stamps") && h.upgrade):
		return "it asks for no tunnel"
	}
	return q.rulesDiffer(h)
}

// rulesDiffer checks the fields that rules of the configuration add or remove. It returns a
// description of the first missing or superfluous field; empty: none.
func (q *WebRequest) rulesDiffer(h *webHead) string {
	for _, line := range q.Expect.Has {
		if !h.has(line) {
			return "it lacks " + line
		}
	}
	for _, name := range q.Expect.Lacks {
		if _, n := h.get(name); n > 0 {
			return "it has " + name
		}
	}
	return ""
}

// againWrong returns the reason why the request must not come again; empty: it may come, or comes
// for the first time.
func (t *webTrack) againWrong() string {
	d := t.last()
	switch {
	case d == nil || d.fast:
		return ""
	case len(t.deliveries) > 1:
		return "it came a third time"
	case !t.request.idempotent():
		return t.request.Method + " came a second time"
	case !d.kept:
		return "it came a second time, and the first time on a new connection"
	case !d.ended:
		return "it came a second time, and server " + d.server + " still has it"
	case d.heard:
		return "it came a second time, and bytes of an answer had come"
	}
	return ""
}
