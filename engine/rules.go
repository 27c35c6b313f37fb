package engine

import (
	"time"

	"sluice/conf"
	"sluice/engine/acl"
	"sluice/engine/httpflow"
	"sluice/sniff"
)

// course is the result of a rule whose condition is true: it decides what follows.
type course uint8

const (
	skipped  course = iota // the rule did nothing: the next rule is evaluated
	edited                 // the head was edited, and the next rule is evaluated
	passed                 // no further rule of this proxy is evaluated
	answered               // the request has its answer, or the session has ended
)

// follow applies a rule whose condition is true.
func (l *loop) follow(id int32, s *session, x *exchange, r *acl.HTTPRule) course {
	switch r.Action {
	case conf.Allow:
		return passed
	case conf.Deny, conf.Return:
		l.answerRule(id, s, x, r)
		return answered
	case conf.RedirectTo:
		return l.redirect(s, x, r)
	default:
		l.edit(x, r)
		return edited
	}
}

// requestRules applies `http-request` rules to the current head. It reports whether the request
// continues.
func (l *loop) requestRules(id int32, s *session, x *exchange, rules *acl.Rules) bool {
	unread := false // the facts do not contain the latest edits
	for i := rules.Next(&l.facts, 0); i >= 0; i = rules.Next(&l.facts, i+1) {
		switch l.follow(id, s, x, rules.At(i)) {
		case edited:
			if unread = !rules.Reads(i + 1); !unread && !l.reread(id, s, x) {
				return false
			}
		case answered:
			return false
		case passed:
			return !unread || l.reread(id, s, x)
		}
	}
	return !unread || l.reread(id, s, x)
}

// responseRules applies `http-response` rules to the head of an answer: those of the backend,
// then those of the frontend, as in HAProxy. It reports whether the answer continues.
func (l *loop) responseRules(id int32, s *session, x *exchange) bool {
	f, b := l.listeners[s.line].frontend, l.backendOf(s)
	if b.rules.Response.Len() == 0 && f.rules.Response.Len() == 0 {
		return true
	}
	l.response = acl.Response{Status: l.reply.Status, Line: l.reply.Line, Fields: &l.reply}
	l.facts.Response = &l.response
	defer func() { l.facts.Response = nil }()
	l.tellFacts(s)
	if !f.owns(b) && b.rules.Response.Len() > 0 {
		if !l.responseRulesOf(id, s, x, &b.rules.Response) {
			return false
		}
		if f.rules.Response.Reads(0) {
			l.rereadAnswer(x)
		}
	}
	return l.responseRulesOf(id, s, x, &f.rules.Response)
}

// responseRulesOf applies the `http-response` rules of one proxy.
func (l *loop) responseRulesOf(id int32, s *session, x *exchange, rules *acl.Rules) bool {
	for i := rules.Next(&l.facts, 0); i >= 0; i = rules.Next(&l.facts, i+1) {
		switch l.follow(id, s, x, rules.At(i)) {
		case edited:
			if rules.Reads(i + 1) {
				l.rereadAnswer(x)
			}
		case answered:
			return false
		case passed:
			return true
		}
	}
	return true
}

// rereadAnswer parses the edited head of the answer, so that later rules read the edits.
func (l *loop) rereadAnswer(x *exchange) {
	l.edited = l.rewrite.Append(l.edited[:0])
	l.edited, l.shown = l.shown, l.edited
	l.reply.Reread(l.shown)
	l.rewrite.Response(&l.reply)
	l.response.Status, l.response.Line = int(x.status), l.reply.Line
}

// tellFacts sets the values that formats may use, except the heads.
func (l *loop) tellFacts(s *session) {
	f := &l.facts
	f.Src, f.Final = s.clientAddr(), true
	f.Accepted = time.UnixMilli(s.wall)
	f.Frontend, f.Backend, f.Server = l.listeners[s.line].frontend.conf.Name, "", ""
	if s.backend >= 0 {
		f.Backend = l.backendOf(s).Name
	}
	if s.backend >= 0 && s.server >= 0 {
		f.Server, f.ServerAddr = l.serverOf(s).Name, l.serverOf(s).Addr
	}
}

// value returns the text that a rule's format yields. The text is valid until the next head.
func (l *loop) value(v *acl.Value) []byte {
	start := len(l.values)
	l.values = v.Append(l.values, &l.facts)
	return l.values[start:]
}

// edit applies one edit to the current head.
func (l *loop) edit(x *exchange, r *acl.HTTPRule) {
	w := &l.rewrite
	switch r.Action {
	case conf.SetHeader:
		w.SetHeader(r.Name, l.value(r.Value))
	case conf.AddHeader:
		w.AddHeader(r.Name, l.value(r.Value))
	case conf.DelHeader:
		w.DelHeaders(r.Deletes)
	case conf.ReplaceHeader:
		w.ReplaceHeader(r.Name, r.Regexp, l.value(r.Value))
	case conf.ReplaceValue:
		w.ReplaceValue(r.Name, r.Regexp, l.value(r.Value))
	case conf.SetMethod:
		x.flow.SetMethod(w, l.value(r.Value))
	case conf.SetPath:
		w.SetPath(l.value(r.Value))
	case conf.SetPathQ:
		w.SetPathQ(l.value(r.Value))
	case conf.SetQuery:
		w.SetQuery(l.value(r.Value))
	case conf.SetURI:
		w.SetURI(l.value(r.Value))
	case conf.ReplacePath:
		w.ReplacePath(r.Regexp, l.value(r.Value))
	case conf.ReplacePathQ:
		w.ReplacePathQ(r.Regexp, l.value(r.Value))
	case conf.ReplaceURI:
		w.ReplaceURI(r.Regexp, l.value(r.Value))
	case conf.SetStatus:
		if x.flow.SetStatus(w, r.Status, r.Reason) {
			x.status = int16(r.Status)
		}
	}
}

// reread parses the edited head of the request, so that later rules read the edits. If the
// edits made the head invalid, it refuses the request and returns false.
func (l *loop) reread(id int32, s *session, x *exchange) bool {
	l.edited = l.rewrite.Append(l.edited[:0])
	l.edited, l.shown = l.shown, l.edited
	var st sniff.State
	l.scanner.Sniff(&st, l.shown, &l.sniffed)
	if l.sniffed.HTTP.Verdict != sniff.Yes {
		l.refuse(id, s, x, 500, term('P', 'R'))
		return false
	}
	l.rewrite.Request(&l.sniffed.HTTP)
	return true
}

// redirect prepares the answer of a redirect. With `ignore-empty` and an empty location, the
// rule does nothing.
func (l *loop) redirect(s *session, x *exchange, r *acl.HTTPRule) course {
	to := l.value(r.Value)
	if len(to) == 0 && r.Redirect.Skips() {
		return skipped
	}
	l.countRule(s, r)
	l.head = x.flow.AppendRedirect(l.head[:0], r.Redirect, to, &l.sniffed.HTTP)
	x.status, x.term = int16(r.Redirect.Code), term('L', l.ruleLetter())
	x.marks |= local
	return answered
}

// answerRule prepares the answer of a `return` or `deny` for sayOurs. If the answer is a file,
// it sends the file as it is and ends the session.
func (l *loop) answerRule(id int32, s *session, x *exchange, r *acl.HTTPRule) {
	x.term = term('L', l.ruleLetter())
	if r.Action == conf.Deny {
		x.term = term('P', l.ruleLetter())
	}
	l.countRule(s, r)
	status := l.answerStatus(r)
	file, isFile := l.answerFile(s, r, status)
	if isFile {
		l.sendFile(id, s, x, status, file, x.term)
		return
	}
	l.head = x.flow.AppendAnswer(l.head[:0], l.answerOf(r, status))
	x.status = int16(status)
	x.marks |= local
}

// answerFile returns the file that contains the whole answer of a rule: its own file, or one of
// `errorfile`.
func (l *loop) answerFile(s *session, r *acl.HTTPRule, status int) ([]byte, bool) {
	switch {
	case r.Answer.Paged():
		return l.errorFile(s, status)
	case r.Answer.Kind == conf.AnswerErrorFile:
		return r.Answer.Content, true
	}
	return nil, false
}

// answerStatus returns the status of the answer of a rule.
func (l *loop) answerStatus(r *acl.HTTPRule) int {
	switch {
	case r.Answer != nil && r.Answer.Status != 0:
		return r.Answer.Status
	case r.Action == conf.Return:
		return 200
	case l.facts.Response != nil:
		return 502
	}
	return 403
}

// ruleLetter returns the second letter of the termination state for an answer of a rule: H if it
// takes the place of a server's answer.
func (l *loop) ruleLetter() byte {
	if l.facts.Response != nil {
		return 'H'
	}
	return 'R'
}

// answerOf returns the answer that a `return` or `deny` describes, otherwise the page of its
// status.
func (l *loop) answerOf(r *acl.HTTPRule, status int) *httpflow.Answer {
	if r.Answer.Paged() {
		return httpflow.Page(status)
	}
	a := r.Answer
	l.ours = httpflow.Answer{Status: status, ContentType: a.ContentType, Body: a.Content}
	if a.Kind == conf.AnswerFormat {
		l.ours.Body = l.value(r.Body)
	}
	start := len(l.values)
	for _, h := range r.Headers {
		l.values = l.appendHeader(l.values, h)
	}
	l.ours.Fields = l.values[start:]
	return &l.ours
}

// appendHeader appends a header of an answer. As in HAProxy, a header with an empty value is
// omitted.
func (l *loop) appendHeader(dst []byte, h acl.AnswerHeader) []byte {
	start := len(dst)
	dst = append(append(dst, h.Name...), ": "...)
	named := len(dst)
	if dst = h.Value.Append(dst, &l.facts); len(dst) == named {
		return dst[:start]
	}
	return append(dst, "\r\n"...)
}
