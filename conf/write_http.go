package conf

import (
	"strconv"
	"strings"
)

func (t *table) acls(acls []*ACL) {
	for _, a := range acls {
		w := a.Words()
		t.line(0, "acl", bare("name", w[0]), bare("", w[1:]...))
	}
}

func (t *table) captures(c *Captures) {
	lines := func(captures []Capture, words ...string) {
		for _, one := range captures {
			t.line(0, "capture", bare("what", words...), bare("name", one.Name), keyword("len", strconv.Itoa(one.Len)))
		}
	}
	lines(c.Request, "request", "header")
	lines(c.Response, "response", "header")
	if c.Cookie != nil {
		lines([]Capture{*c.Cookie}, "cookie")
	}
}

func (t *table) monitor(m *Monitor) {
	t.text(inFront, "monitor-uri", m.URI)
	for _, c := range m.Fail {
		t.line(0, "monitor", bare("what", "fail"), bare("", c.Words()...))
	}
}

func (t *table) httpRules(h *HTTPSettings) {
	add := func(name string, rules []HTTPRule) {
		for _, r := range rules {
			l := Line{Name: name, Params: []Param{bare("", r.words()...)}}
			if r.Answer != nil && r.Answer.File != "" {
				l.File, l.Content = r.Answer.File, r.Answer.Content
			}
			t.add(0, l)
		}
	}
	add("http-request", h.HTTPRequest)
	add("http-response", h.HTTPResponse)
}

// checkLines adds the settings of a check that `option httpchk` cannot express.
func (t *table) checkLines(h *HTTPCheck) {
	var send []string
	for _, header := range h.Headers {
		send = append(send, "hdr", header.Name, header.Value)
	}
	if h.Body != "" {
		send = append(send, "body", h.Body)
	}
	if send != nil {
		t.line(0, "http-check", bare("what", "send"), bare("", send...))
	}
	if h.Expect != nil {
		t.line(0, "http-check", bare("what", "expect"), bare("", h.expectWords()...))
	}
	if h.DisableOn404 {
		t.line(0, "http-check", bare("what", "disable-on-404"))
	}
}

func (h *HTTPCheck) expectWords() []string {
	var codes []string
	for _, s := range h.Expect {
		code := strconv.Itoa(s.Low)
		if s.High != s.Low {
			code += "-" + strconv.Itoa(s.High)
		}
		codes = append(codes, code)
	}
	var w []string
	if h.Not {
		w = append(w, "!")
	}
	return append(w, "status", strings.Join(codes, ","))
}

func (e ErrorFile) line() Line {
	name := "errorfile"
	if e.Code != 0 {
		name = "errorloc" + strconv.Itoa(e.Code)
	}
	l := Line{Name: name, Params: []Param{bare("status", strconv.Itoa(e.Status)), bare("", e.File+e.Location)}}
	if e.File != "" {
		l.File, l.Content = e.File, e.Content
	}
	return l
}

// words returns the rule as the arguments of http-request or http-response.
func (r HTTPRule) words() []string {
	w := []string{r.Action.String()}
	switch r.Action {
	case Deny, Return:
		w = append(w, r.Answer.words()...)
	case RedirectTo:
		w = append(w, r.Redirect.words()...)
	case SetStatus:
		w = append(w, strconv.Itoa(r.Status))
		if r.Reason != "" {
			w = append(w, "reason", r.Reason)
		}
	}
	if r.Name != "" {
		w = append(w, r.Name)
	}
	if r.Match != "" {
		w = append(w, "-m", r.Match)
	}
	if r.Regex != "" {
		w = append(w, r.Regex)
	}
	if r.Value != nil {
		w = append(w, r.Value.Text)
	}
	return append(w, r.Cond.Words()...)
}

func (a *Answer) words() []string {
	var w []string
	if a == nil {
		return nil
	}
	if a.Status != 0 {
		w = append(w, "status", strconv.Itoa(a.Status))
	}
	if a.ContentType != "" {
		w = append(w, "content-type", a.ContentType)
	}
	if a.Kind != AnswerPlain {
		w = append(w, answerKinds[a.Kind])
	}
	switch a.Kind {
	case AnswerString:
		w = append(w, string(a.Content))
	case AnswerFormat:
		w = append(w, a.Format.Text)
	case AnswerFile, AnswerErrorFile:
		w = append(w, a.File)
	}
	for _, h := range a.Headers {
		w = append(w, "hdr", h.Name, h.Value.Text)
	}
	return w
}

func (r *Redirect) words() []string {
	w := []string{redirectKinds[r.Kind], r.To.Text, "code", strconv.Itoa(r.Code)}
	marks := []struct {
		word string
		on   bool
	}{{"drop-query", r.DropQuery}, {"append-slash", r.AppendSlash}, {"ignore-empty", r.IgnoreEmpty}}
	for _, m := range marks {
		if m.on {
			w = append(w, m.word)
		}
	}
	switch {
	case r.Cookie == "":
	case r.ClearCookie:
		w = append(w, "clear-cookie", r.Cookie)
	default:
		w = append(w, "set-cookie", r.Cookie)
	}
	return w
}
