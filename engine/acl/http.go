package acl

import (
	"io/fs"
	"regexp"
	"strings"

	"sluice/conf"
)

// HTTP holds the compiled http-request and http-response rules of one proxy. It is immutable and
// used by all loops at the same time.
type HTTP struct {
	Request, Response Rules
	Dst               bool // the rules or the values that they write read Facts.Dst
	Source            bool // values that the rules on answers write read Facts.SourceAddr
}

// CompileBackend checks and compiles the rules of a backend. It returns no problems for a listen
// section: Compile has already reported them for its frontend part.
func CompileBackend(files fs.FS, b *conf.Backend) (*HTTP, conf.Problems) {
	w := newCompiler(files, b.Title(), b.Mode, b.ACLs)
	h := w.http(&b.HTTPSettings)
	if b.Listen {
		return &h, nil
	}
	return &h, w.problems
}

// Rules is a list of http-request or http-response rules, in order. The caller executes a rule that
// applies, and then asks for the next one unless the action is final.
type Rules struct {
	chain
	rules []HTTPRule
	reads []bool // for each rule: whether it or a later rule reads the head
}

// HTTPRule is one rule with its compiled values.
type HTTPRule struct {
	*conf.HTTPRule
	Value   *Value         // value to set, template to replace by, or target of a redirect
	Regexp  *regexp.Regexp // of replace-* and of del-header -m reg; nil: none
	Body    *Value         // body of an answer with lf-string; nil: none
	Headers []AnswerHeader // header fields of an answer
}

// AnswerHeader is a header field of an answer. Its name is in lower case.
type AnswerHeader struct {
	Name  string
	Value *Value
}

// Len returns the number of rules.
func (r *Rules) Len() int { return len(r.rules) }

// At returns the rule with index i, from 0.
func (r *Rules) At(i int) *HTTPRule { return &r.rules[i] }

// Next returns the index of the first rule, from index from on, whose condition is true. It returns
// -1 if there is none. f.Final must be set. f must describe the head after all edits so far, if
// Reads(from) is true. Next allocates nothing.
func (r *Rules) Next(f *Facts, from int) int {
	rule, t := r.next(f, int32(from))
	if t != True {
		return -1
	}
	return int(rule)
}

// Reads reports whether a rule from that index on, or a value that it writes, reads the head, which
// earlier rules may have changed.
func (r *Rules) Reads(from int) bool { return from < len(r.reads) && r.reads[from] }

// Deletes reports whether this del-header rule removes header fields of that name. name is as sent.
func (r *HTTPRule) Deletes(name []byte) bool {
	switch r.Match {
	case "reg":
		return r.Regexp.Match(name)
	case "", "str":
		return isName(name, r.Name)
	case "beg":
		return len(name) >= len(r.Name) && isName(name[:len(r.Name)], r.Name)
	case "end":
		return len(name) >= len(r.Name) && isName(name[len(name)-len(r.Name):], r.Name)
	}
	for ; len(name) >= len(r.Name); name = name[1:] {
		if isName(name[:len(r.Name)], r.Name) {
			return true
		}
	}
	return false
}

// http compiles the http-request and http-response rules of a proxy.
func (w *compiler) http(s *conf.HTTPSettings) HTTP {
	var h HTTP
	h.Request = w.httpRules(&h, "http-request", s.HTTPRequest)
	h.Response = w.httpRules(&h, "http-response", s.HTTPResponse)
	return h
}

func (w *compiler) httpRules(h *HTTP, word string, lines []conf.HTTPRule) Rules {
	r := Rules{rules: make([]HTTPRule, len(lines)), reads: make([]bool, len(lines))}
	var conds []*cond
	for i := range lines {
		line := &lines[i]
		c := w.cond(line.Cond)
		conds = append(conds, c)
		v := valuer{compiler: w, response: word == "http-response"}
		v.what, v.at = "'"+word+" "+line.Action.String()+"'", line.Pos
		v.condition(c)
		r.rules[i] = v.rule(line)
		r.reads[i] = v.reads || c.looks()
		h.Dst = h.Dst || v.dst || c.needs().Dst
		h.Source = h.Source || v.source
	}
	for i := len(lines) - 2; i >= 0; i-- {
		r.reads[i] = r.reads[i] || r.reads[i+1]
	}
	r.chain = newChain(conds)
	return r
}

// looks reports whether the condition reads a head.
func (c *cond) looks() bool {
	looks := c.needs().HTTP
	c.each(func(f *fetch) { looks = looks || f.response })
	return looks
}

// each calls use for every fetch of the condition.
func (c *cond) each(use func(*fetch)) {
	if c == nil {
		return
	}
	for _, terms := range c.any {
		for _, t := range terms {
			for _, test := range t.acl.tests {
				use(test.expr.fetch)
			}
		}
	}
}

// valuer compiles the values of one rule.
type valuer struct {
	*compiler
	what     string // the rule as named in messages
	at       conf.Pos
	response bool
	reads    bool // a value compiled so far reads the head
	dst      bool // a value compiled so far reads Facts.Dst
	source   bool // a value compiled so far reads Facts.SourceAddr of an answer
}

func (v *valuer) rule(line *conf.HTTPRule) HTTPRule {
	r := HTTPRule{HTTPRule: line, Value: v.value(line.Value)}
	switch {
	case line.Regex != "":
		r.Regexp = v.expression(line.Regex)
		v.reads = true
	case line.Match == "reg":
		r.Regexp = v.expression("(?i)" + line.Name)
	case line.Match != "":
		v.reads = true
	}
	if line.Redirect != nil {
		r.Value = v.value(line.Redirect.To)
		v.reads = v.reads || line.Redirect.Kind != conf.Location
	}
	if a := line.Answer; a != nil {
		r.Body = v.value(a.Format)
		for _, h := range a.Headers {
			r.Headers = append(r.Headers, AnswerHeader{strings.ToLower(h.Name), v.value(h.Value)})
		}
	}
	if line.Action == conf.DelHeader && r.Regexp == nil {
		lowered := *line
		lowered.Name = string(mapString(line.Name, lower))
		r.HTTPRule = &lowered
	}
	return r
}

// expression compiles a regular expression that package conf has already checked.
func (v *valuer) expression(text string) *regexp.Regexp {
	re, err := regexp.Compile(text)
	if err != nil {
		v.problems.Errorf(v.at, "%s in %s: '%s' is no regular expression of RE2: %s", v.what, v.where, text, reason(err))
	}
	return re
}

// condition reports tests that read a head which does not exist yet or any more. It warns, because
// HAProxy accepts such a rule, which then never applies. For method it reports an error, because
// HAProxy still knows the method of the request.
func (v *valuer) condition(c *cond) {
	told := false
	c.each(func(f *fetch) {
		why := v.gone(f)
		switch {
		case why == "" || told:
			return
		case f == fetches["method"]:
			v.problems.Errorf(v.at, "%s in %s: %s", v.what, v.where, why)
		default:
			v.problems.Warnf(v.at, "%s in %s: %s: what it looks for is never there", v.what, v.where, why)
		}
		told = true
	})
}

// gone returns the reason why a fetch finds nothing in this rule, or "".
func (v *valuer) gone(f *fetch) string {
	switch {
	case v.response && f.needs.HTTP:
		return "it looks at the request, which is gone when the answer comes"
	case !v.response && f.response:
		return "it looks at the answer, which has not come yet"
	}
	return ""
}
