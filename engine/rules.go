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
func (v *visit) follow(r *acl.HTTPRule) course {
	switch r.Action {
	case conf.Allow:
		return passed
	case conf.Deny, conf.Return:
		v.answerRule(r)
		return answered
	case conf.RedirectTo:
		return v.redirect(r)
	default:
		v.edit(r)
		return edited
	}
}

// requestRules applies `http-request` rules to the current head. It reports whether the request
// continues.
func (v *visit) requestRules(rules *acl.Rules) bool {
	unread := false // the facts do not contain the latest edits
	for i := rules.Next(&v.facts, 0); i >= 0; i = rules.Next(&v.facts, i+1) {
		switch v.follow(rules.At(i)) {
		case edited:
			if unread = !rules.Reads(i + 1); !unread && !v.reread() {
				return false
			}
		case answered:
			return false
		case passed:
			return !unread || v.reread()
		}
	}
	return !unread || v.reread()
}

// responseRules applies `http-response` rules to the head of an answer: those of the backend,
// then those of the frontend, as in HAProxy. It reports whether the answer continues.
func (v *visit) responseRules() bool {
	if v.b.rules.Response.Len() == 0 && v.f.rules.Response.Len() == 0 {
		return true
	}
	v.response = acl.Response{Status: v.reply.Status, Line: v.reply.Line, Fields: &v.reply}
	v.facts.Response = &v.response
	defer func() { v.facts.Response = nil }()
	v.tellFacts()
	if !v.f.owns(v.b) && v.b.rules.Response.Len() > 0 {
		if !v.responseRulesOf(&v.b.rules.Response) {
			return false
		}
		if v.f.rules.Response.Reads(0) {
			v.rereadAnswer()
		}
	}
	return v.responseRulesOf(&v.f.rules.Response)
}

// responseRulesOf applies the `http-response` rules of one proxy.
func (v *visit) responseRulesOf(rules *acl.Rules) bool {
	for i := rules.Next(&v.facts, 0); i >= 0; i = rules.Next(&v.facts, i+1) {
		switch v.follow(rules.At(i)) {
		case edited:
			if rules.Reads(i + 1) {
				v.rereadAnswer()
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
func (v *visit) rereadAnswer() {
	v.edited = v.rewrite.Append(v.edited[:0])
	v.edited, v.shown = v.shown, v.edited
	v.reply.Reread(v.shown)
	v.rewrite.Response(&v.reply)
	v.response.Status, v.response.Line = int(v.x.status), v.reply.Line
}

// tellFacts sets the values that formats may use, except the heads.
func (v *visit) tellFacts() {
	f := &v.facts
	f.Src, f.Final = v.s.clientAddr(), true
	f.Accepted = time.UnixMilli(v.s.wall)
	f.Frontend, f.Backend, f.Server = v.f.conf.Name, "", ""
	if v.b != nil {
		f.Backend = v.b.Name
	}
	if v.b != nil && v.s.server >= 0 {
		f.Server, f.ServerAddr = v.srv().Name, v.srv().Addr
	}
}

// value returns the text that a rule's format yields. The text is valid until the next head.
func (l *loop) value(v *acl.Value) []byte {
	start := len(l.values)
	l.values = v.Append(l.values, &l.facts)
	return l.values[start:]
}

// edit applies one edit to the current head.
func (v *visit) edit(r *acl.HTTPRule) {
	w := &v.rewrite
	switch r.Action {
	case conf.SetHeader:
		w.SetHeader(r.Name, v.value(r.Value))
	case conf.AddHeader:
		w.AddHeader(r.Name, v.value(r.Value))
	case conf.DelHeader:
		w.DelHeaders(r.Deletes)
	case conf.ReplaceHeader:
		w.ReplaceHeader(r.Name, r.Regexp, v.value(r.Value))
	case conf.ReplaceValue:
		w.ReplaceValue(r.Name, r.Regexp, v.value(r.Value))
	case conf.SetMethod:
		v.x.flow.SetMethod(w, v.value(r.Value))
	case conf.SetPath:
		w.SetPath(v.value(r.Value))
	case conf.SetPathQ:
		w.SetPathQ(v.value(r.Value))
	case conf.SetQuery:
		w.SetQuery(v.value(r.Value))
	case conf.SetURI:
		w.SetURI(v.value(r.Value))
	case conf.ReplacePath:
		w.ReplacePath(r.Regexp, v.value(r.Value))
	case conf.ReplacePathQ:
		w.ReplacePathQ(r.Regexp, v.value(r.Value))
	case conf.ReplaceURI:
		w.ReplaceURI(r.Regexp, v.value(r.Value))
	case conf.SetStatus:
		if v.x.flow.SetStatus(w, r.Status, r.Reason) {
			v.x.status = int16(r.Status)
		}
	}
}

// reread parses the edited head of the request, so that later rules read the edits. If the
// edits made the head invalid, it refuses the request and returns false.
func (v *visit) reread() bool {
	v.edited = v.rewrite.Append(v.edited[:0])
	v.edited, v.shown = v.shown, v.edited
	var st sniff.State
	v.scanner.Sniff(&st, v.shown, &v.sniffed)
	if v.sniffed.HTTP.Verdict != sniff.Yes {
		v.refuse(500, term('P', 'R'))
		return false
	}
	v.rewrite.Request(&v.sniffed.HTTP)
	return true
}

// redirect prepares the answer of a redirect. With `ignore-empty` and an empty location, the
// rule does nothing.
func (v *visit) redirect(r *acl.HTTPRule) course {
	to := v.value(r.Value)
	if len(to) == 0 && r.Redirect.Skips() {
		return skipped
	}
	v.countRule(r)
	v.head = v.x.flow.AppendRedirect(v.head[:0], r.Redirect, to, &v.sniffed.HTTP)
	v.x.status, v.x.term = int16(r.Redirect.Code), term('L', v.ruleLetter())
	v.x.marks |= local
	return answered
}

// answerRule prepares the answer of a `return` or `deny` for sayOurs. If the answer is a file,
// it sends the file as it is and ends the session.
func (v *visit) answerRule(r *acl.HTTPRule) {
	v.x.term = term('L', v.ruleLetter())
	if r.Action == conf.Deny {
		v.x.term = term('P', v.ruleLetter())
	}
	v.countRule(r)
	status := v.answerStatus(r)
	file, isFile := v.answerFile(r, status)
	if isFile {
		v.sendFile(status, file, v.x.term)
		return
	}
	v.head = v.x.flow.AppendAnswer(v.head[:0], v.answerOf(r, status))
	v.x.status = int16(status)
	v.x.marks |= local
}

// answerFile returns the file that contains the whole answer of a rule: its own file, or one of
// `errorfile`.
func (v *visit) answerFile(r *acl.HTTPRule, status int) ([]byte, bool) {
	switch {
	case r.Answer.Paged():
		return v.errorFile(status)
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
