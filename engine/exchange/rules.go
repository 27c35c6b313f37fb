package exchange

import (
	"net/netip"
	"time"

	"sluice/conf"
	"sluice/engine/acl"
	"sluice/engine/httpflow"
	"sluice/engine/session"
	"sluice/sniff"
)

// course is the result of a rule whose condition is true. It selects the next step.
type course uint8

const (
	skipped  course = iota // the rule did nothing: the next rule is evaluated
	edited                 // the head was edited, and the next rule is evaluated
	passed                 // no further rule of this proxy is evaluated
	answered               // the answer of this proxy is prepared
	over                   // the answer of this proxy was sent, and the session has ended
)

// follow applies a rule whose condition is true.
func (m *modeHTTP) follow(r *acl.HTTPRule) course {
	switch r.Action {
	case conf.Allow:
		return passed
	case conf.Deny, conf.Return:
		return m.answerRule(r)
	case conf.RedirectTo:
		return m.redirect(r)
	default:
		m.edit(r)
		return edited
	}
}

// requestRules applies `http-request` rules to the current head.
func (m *modeHTTP) requestRules(rules *acl.Rules) session.Result {
	unread := false // the facts do not contain the latest edits
	for i := rules.Next(&m.Facts, 0); i >= 0; i = rules.Next(&m.Facts, i+1) {
		switch m.follow(rules.At(i)) {
		case edited:
			reads := rules.Reads(i + 1)
			if m.rereadIf(reads) == session.Left {
				return session.Left
			}
			unread = !reads
		case answered:
			return session.OwnAnswer
		case over:
			return session.Left
		case passed:
			return m.rereadIf(unread)
		}
	}
	return m.rereadIf(unread)
}

// responseRules applies `http-response` rules to the head of an answer: those of the backend,
// then those of the frontend, as in HAProxy.
func (m *modeHTTP) responseRules() session.Result {
	if m.Backend.Rules.Response.Len() == 0 && m.Frontend.Rules.Response.Len() == 0 {
		return session.GoesOn
	}
	m.response = acl.Response{Status: m.reply.Status, Line: m.reply.Line, Fields: &m.reply}
	m.Facts.Response = &m.response
	defer func() { m.Facts.Response = nil }()
	m.tellFacts()
	if !m.Frontend.Owns(m.Backend) && m.Backend.Rules.Response.Len() > 0 {
		if became := m.responseRulesOf(&m.Backend.Rules.Response); became != session.GoesOn {
			return became
		}
		if m.Frontend.Rules.Response.Reads(0) && m.rereadAnswer() == session.Left {
			return session.Left
		}
	}
	return m.responseRulesOf(&m.Frontend.Rules.Response)
}

// responseRulesOf applies the `http-response` rules of one proxy.
func (m *modeHTTP) responseRulesOf(rules *acl.Rules) session.Result {
	for i := rules.Next(&m.Facts, 0); i >= 0; i = rules.Next(&m.Facts, i+1) {
		switch m.follow(rules.At(i)) {
		case edited:
			if rules.Reads(i+1) && m.rereadAnswer() == session.Left {
				return session.Left
			}
		case answered:
			return session.OwnAnswer
		case over:
			return session.Left
		case passed:
			return m.boundAnswer()
		}
	}
	return m.boundAnswer()
}

// boundAnswer refuses an answer whose head is too large after the edits, as rereadAnswer does.
func (m *modeHTTP) boundAnswer() session.Result {
	if m.rewrite.Fits(m.reply.Size()) {
		return session.GoesOn
	}
	return m.rereadAnswer()
}

// rereadAnswer parses the edited head of the answer, so that later rules read the edits. If the
// edits made the head larger than a head may be, it answers with status 500 instead, as HAProxy
// does where a head outgrows its buffer.
func (m *modeHTTP) rereadAnswer() session.Result {
	m.edited = m.rewrite.Append(m.edited[:0])
	if m.rewrite.Large(m.edited) {
		m.failRules('P')
		return session.Left
	}
	m.edited, m.shown = m.shown, m.edited
	m.reply.Reread(m.shown)
	m.rewrite.Response(&m.reply)
	m.response.Status, m.response.Line = int(m.x.status), m.reply.Line
	return session.GoesOn
}

// tellFacts sets the values of Facts that rules and formats read, except the heads.
func (m *modeHTTP) tellFacts() {
	f := &m.Facts
	f.Src, f.Listener, f.Final = m.S.ClientAddr(), int32(m.Listener.Number), true
	f.Accepted = time.UnixMilli(m.S.Wall)
	f.Frontend, f.Backend, f.Server = m.Frontend.Conf.Name, "", ""
	if m.Backend != nil {
		f.Backend = m.Backend.Name
	}
	f.ServerAddr = netip.AddrPort{}
	if m.Backend != nil && m.S.Server >= 0 {
		f.Server, f.ServerAddr = m.Server().Name, m.Server().Target().Addr
	}
	m.findAddresses()
}

// findAddresses sets our addresses of the two connections, if a rule of the frontend or of the
// backend reads them. An address that no rule reads is empty, because Facts are those of the loop.
func (m *modeHTTP) findAddresses() {
	dst, source := m.Frontend.Needs.Dst, m.Frontend.Rules.Source
	if m.Backend != nil {
		dst, source = dst || m.Backend.Rules.Dst, source || m.Backend.Rules.Source
	}
	m.Facts.Dst, m.Facts.SourceAddr = netip.AddrPort{}, netip.AddrPort{}
	if dst {
		m.Facts.Dst = session.LocalAddr(int(m.S.Sock[client].FD))
	}
	if source && m.S.Server >= 0 && m.S.Sock[server].FD >= 0 {
		m.Facts.SourceAddr = session.LocalAddr(int(m.S.Sock[server].FD))
	}
}

// value evaluates the format of a rule. The text is valid until the next head is parsed. A text
// above httpflow.MaxHead is cut off after that size.
func (m *modeHTTP) value(v *acl.Value) []byte {
	start := len(m.values)
	m.values = v.Append(m.values, &m.Facts)
	return m.values[start:]
}

// edit applies one edit to the current head.
func (m *modeHTTP) edit(r *acl.HTTPRule) {
	rw := &m.rewrite
	switch r.Action {
	case conf.SetHeader:
		rw.SetHeader(r.Name, m.value(r.Value))
	case conf.AddHeader:
		rw.AddHeader(r.Name, m.value(r.Value))
	case conf.DelHeader:
		rw.DelHeaders(r.Deletes)
	case conf.ReplaceHeader:
		rw.ReplaceHeader(r.Name, r.Regexp, m.value(r.Value))
	case conf.ReplaceValue:
		rw.ReplaceValue(r.Name, r.Regexp, m.value(r.Value))
	case conf.SetMethod:
		m.x.flow.SetMethod(rw, m.value(r.Value))
	case conf.SetPath:
		rw.SetPath(m.value(r.Value))
	case conf.SetPathQ:
		rw.SetPathQ(m.value(r.Value))
	case conf.SetQuery:
		rw.SetQuery(m.value(r.Value))
	case conf.SetURI:
		rw.SetURI(m.value(r.Value))
	case conf.ReplacePath:
		rw.ReplacePath(r.Regexp, m.value(r.Value))
	case conf.ReplacePathQ:
		rw.ReplacePathQ(r.Regexp, m.value(r.Value))
	case conf.ReplaceURI:
		rw.ReplaceURI(r.Regexp, m.value(r.Value))
	case conf.SetStatus:
		if m.x.flow.SetStatus(rw, r.Status, r.Reason) {
			m.x.status = int16(r.Status)
		}
	}
}

// rereadIf parses the edited head of the request if edits is true, so that later rules read the
// edits. If the edits made the head invalid, it refuses the request with status 500.
func (m *modeHTTP) rereadIf(edits bool) session.Result {
	if !edits {
		return session.GoesOn
	}
	m.edited = m.rewrite.Append(m.edited[:0])
	m.edited, m.shown = m.shown, m.edited
	var st sniff.State
	m.Scanner.Sniff(&st, m.shown, &m.Sniffed)
	if m.rewrite.Large(m.shown) || m.Sniffed.HTTP.Verdict != sniff.Yes {
		m.failRules('P')
		return session.Left
	}
	m.rewrite.Request(&m.Sniffed.HTTP)
	return session.GoesOn
}

// redirect prepares the answer of a redirect. With `ignore-empty` and an empty location, the
// rule does nothing. If the head is too large, the client gets status 500.
func (m *modeHTTP) redirect(r *acl.HTTPRule) course {
	to := m.value(r.Value)
	if len(to) == 0 && r.Redirect.Skips() {
		return skipped
	}
	m.head = m.x.flow.AppendRedirect(m.head[:0], r.Redirect, to, &m.Sniffed.HTTP)
	if len(m.head) > httpflow.MaxHead {
		m.failRules('I')
		return over
	}
	m.countRule(r)
	m.x.status, m.x.term = int16(r.Redirect.Code), term('L', m.ruleLetter())
	m.x.marks |= local
	return answered
}

// answerRule prepares the answer of a `return` or `deny` in m.head. If the answer is a file,
// answerRule sends the file unchanged and ends the session. If the fields or the formatted body are
// too large, the client gets status 500.
func (m *modeHTTP) answerRule(r *acl.HTTPRule) course {
	m.x.term = term('L', m.ruleLetter())
	if r.Action == conf.Deny {
		m.x.term = term('P', m.ruleLetter())
	}
	status := m.answerStatus(r)
	file, isFile := m.answerFile(r, status)
	if isFile {
		m.countRule(r)
		m.sendFile(status, file, m.x.term)
		return over
	}
	a := m.answerOf(r, status)
	if len(a.Fields) > httpflow.MaxHead || r.Body != nil && len(a.Body) > httpflow.MaxHead {
		m.failRules('P')
		return over
	}
	m.countRule(r)
	m.head = m.x.flow.AppendAnswer(m.head[:0], a)
	m.x.status = int16(status)
	m.x.marks |= local
	return answered
}

// answerFile returns the file that contains the whole answer of a rule: the file of the rule, or
// one of `errorfile`. It returns false if the answer is not a file.
func (m *modeHTTP) answerFile(r *acl.HTTPRule, status int) ([]byte, bool) {
	switch {
	case r.Answer.Paged():
		return m.errorFile(status)
	case r.Answer.Kind == conf.AnswerErrorFile:
		return r.Answer.Content, true
	}
	return nil, false
}

// answerStatus returns the status of the answer of a rule. The defaults are those of HAProxy: 200
// for return, 403 for deny of a request, 502 for deny of an answer.
func (m *modeHTTP) answerStatus(r *acl.HTTPRule) int {
	switch {
	case r.Answer != nil && r.Answer.Status != 0:
		return r.Answer.Status
	case r.Action == conf.Return:
		return 200
	case m.Facts.Response != nil:
		return 502
	}
	return 403
}

// failRules ends the session with status 500, because the result of a rule cannot be sent. letter is
// the first one of the termination state.
func (m *modeHTTP) failRules(letter byte) {
	if m.Facts.Response == nil {
		m.x.marks |= unsendable
	}
	m.refuse(500, term(letter, m.ruleLetter()))
}

// ruleLetter returns the second letter of the termination state for an answer of a rule: H if it
// replaces a server's answer, otherwise R.
func (m *modeHTTP) ruleLetter() byte {
	if m.Facts.Response != nil {
		return 'H'
	}
	return 'R'
}

// answerOf returns the answer that a `return` or `deny` describes, or the error page of its status
// if the rule describes none.
func (m *modeHTTP) answerOf(r *acl.HTTPRule, status int) *httpflow.Answer {
	if r.Answer.Paged() {
		return httpflow.Page(status)
	}
	a := r.Answer
	m.ours = httpflow.Answer{Status: status, ContentType: a.ContentType, Body: a.Content}
	if a.Kind == conf.AnswerFormat {
		m.ours.Body = m.value(r.Body)
	}
	start := len(m.values)
	for _, h := range r.Headers {
		m.values = m.appendHeader(m.values, h)
	}
	m.ours.Fields = m.values[start:]
	return &m.ours
}

// appendHeader appends a header of an answer. As in HAProxy, a header with an empty value is
// omitted.
func (m *modeHTTP) appendHeader(dst []byte, h acl.AnswerHeader) []byte {
	start := len(dst)
	dst = append(append(dst, h.Name...), ": "...)
	named := len(dst)
	if dst = h.Value.Append(dst, &m.Facts); len(dst) == named {
		return dst[:start]
	}
	return append(dst, "\r\n"...)
}

// countRule counts a rule by which this proxy answers in place of a server.
func (m *modeHTTP) countRule(r *acl.HTTPRule) {
	switch {
	case r.Action != conf.Deny && m.Facts.Response == nil:
		m.CountIntercepted()
	case r.Action != conf.Deny:
	case m.Facts.Response != nil:
		m.CountDeniedAnswer()
	default:
		m.CountDeniedRequest()
	}
}
