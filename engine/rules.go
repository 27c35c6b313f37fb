package engine

import (
	"time"

	"sluice/conf"
	"sluice/engine/acl"
	"sluice/engine/httpflow"
	"sluice/sniff"
)

// requestRules applies `http-request` rules to the head under way. It reports
// whether the request goes on.
func (l *loop) requestRules(id int32, s *session, x *exchange, rules *acl.Rules) bool {
	edited := false
	for i := rules.Next(&l.facts, 0); i >= 0; i = rules.Next(&l.facts, i+1) {
		r := rules.At(i)
		if r.Action.Final() {
			if r.Action != conf.Allow {
				return l.answerRule(id, s, x, r, 403)
			}
			break
		}
		l.edit(x, r)
		if edited = !rules.Reads(i + 1); !edited && !l.reread(id, s, x) {
			return false
		}
	}
	return !edited || l.reread(id, s, x)
}

// responseRules does the same for an answer's head: those of the backend, then
// those of the frontend (as HAProxy does).
func (l *loop) responseRules(id int32, s *session, x *exchange) bool {
	f, b := l.listeners[s.line].frontend, l.backendOf(s)
	if b.rules.Response.Len() == 0 && f.rules.Response.Len() == 0 {
		return true
	}
	l.response = acl.Response{Status: l.reply.Status, Line: l.reply.Line, Fields: &l.reply}
	l.facts.Response = &l.response
	defer func() { l.facts.Response = nil }()
	l.tellFacts(s)
	if !f.owns(b) && !l.responseRulesOf(id, s, x, &b.rules.Response) {
		return false
	}
	return l.responseRulesOf(id, s, x, &f.rules.Response)
}

func (l *loop) responseRulesOf(id int32, s *session, x *exchange, rules *acl.Rules) bool {
	for i := rules.Next(&l.facts, 0); i >= 0; i = rules.Next(&l.facts, i+1) {
		r := rules.At(i)
		if r.Action.Final() {
			return r.Action == conf.Allow || l.answerRule(id, s, x, r, 502)
		}
		l.edit(x, r)
	}
	return true
}

// tellFacts sets what formats may write beside the heads.
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

// value writes what a rule's format comes to. It stays as it is until the next
// head.
func (l *loop) value(v *acl.Value) []byte {
	start := len(l.values)
	l.values = v.Append(l.values, &l.facts)
	return l.values[start:]
}

// edit makes one edit of the head under way.
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
		w.SetMethod(l.value(r.Value))
		x.flow.CloseServer() // its answer may have a body where none is expected, or none
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
		w.SetStatus(r.Status, r.Reason)
		x.status = int16(r.Status)
	}
}

// reread has later rules see the request as the edits so far have made it. One
// that is none any more does not go on.
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

// answerRule makes ready the answer of a rule, for sayOurs, or ends the session
// with it. It returns false: the request does not go on.
func (l *loop) answerRule(id int32, s *session, x *exchange, r *acl.HTTPRule, denied int) bool {
	if r.Action == conf.Deny {
		l.listeners[s.line].frontend.stat.DeniedReq.Inc()
		if r.Answer == nil || r.Answer.Kind == conf.AnswerDefault || r.Answer.Kind == conf.AnswerPlain {
			if r.Answer != nil && r.Answer.Status != 0 {
				denied = r.Answer.Status
			}
			l.refuse(id, s, x, denied, term('P', l.ruleLetter(x)))
			return false
		}
	}
	l.head = l.head[:0]
	switch {
	case r.Action == conf.RedirectTo:
		to := l.value(r.Value)
		if r.Redirect.IgnoreEmpty && len(to) == 0 {
			return true
		}
		x.status = int16(r.Redirect.Code)
		l.head = x.flow.AppendRedirect(l.head, r.Redirect, to, &l.sniffed.HTTP)
	case r.Answer.Kind == conf.AnswerErrorFile:
		l.sendFile(id, s, x, r.Answer.Status, r.Answer.Content, term('L', 'R'))
		return false
	default:
		l.head = x.flow.AppendAnswer(l.head, l.answerOf(r, denied))
		x.status = int16(l.ours.Status)
	}
	x.term = term('L', 'R')
	if r.Action == conf.Deny {
		x.term = term('P', l.ruleLetter(x))
	}
	x.marks |= local
	return false
}

// ruleLetter is when a rule denied: a request, or an answer's head.
func (l *loop) ruleLetter(x *exchange) byte {
	if l.facts.Response != nil {
		return 'H'
	}
	return 'R'
}

// answerOf makes ready what `return` and `deny` say.
func (l *loop) answerOf(r *acl.HTTPRule, denied int) *httpflow.Answer {
	a := r.Answer
	l.ours = httpflow.Answer{Status: a.Status, ContentType: a.ContentType, Body: a.Content}
	if a.Status == 0 {
		l.ours.Status = 200
		if r.Action == conf.Deny {
			l.ours.Status = denied
		}
	}
	if a.Kind == conf.AnswerFormat {
		l.ours.Body = l.value(r.Body)
	}
	start := len(l.values)
	for i, h := range r.Headers {
		l.values = append(append(l.values, a.Headers[i].Name...), ": "...)
		l.values = append(h.Append(l.values, &l.facts), "\r\n"...)
	}
	l.ours.Fields = l.values[start:]
	return &l.ours
}
