package conf

import (
	"slices"
	"strconv"
	"strings"
)

// answer parses the arguments of deny and return:
//
//	[status N] [content-type T] [string S | lf-string F | file P | errorfile P | default-errorfiles] [hdr NAME F]...
func (r *reader) answer(rule *HTTPRule) bool {
	a := &Answer{}
	if rule.Action == Return {
		a.Status = defaultStatus
	}
	paged := rule.Action == Deny && r.atPage()
	for !r.atCond() {
		if !r.answerWord(r.next(), a) {
			return false
		}
	}
	if paged {
		a.Kind = AnswerDefault
	}
	if !paged || a.Status != 0 {
		rule.Answer = a
	}
	return r.answerFits(a)
}

// atPage reports whether nothing except a deny_status follows. Such a deny answers with the error
// page of its status. Any other deny without a body has an empty body, as in HAProxy.
func (r *reader) atPage() bool {
	rest := r.args
	if len(rest) > 1 && rest[0] == "deny_status" {
		rest = rest[2:]
	}
	return len(rest) == 0 || beginsCond(rest[0])
}

const defaultStatus = 200

func (r *reader) answerWord(word string, a *Answer) bool {
	switch word {
	case "status", "deny_status":
		return r.atoi(word, r.next(), 200, 599, &a.Status)
	case "content-type":
		a.ContentType = r.next()
		return r.visible(word, a.ContentType)
	case "hdr":
		return r.answerHeader(a)
	case "errorfiles", "lf-file":
		r.errorf("'%s' is not supported, wanted string, lf-string, file, errorfile or default-errorfiles", word)
		return false
	}
	kind := slices.Index(answerKinds[:], word)
	if kind < 0 {
		r.errorf("'%s' is not known, wanted status, content-type, string, lf-string, file, errorfile, default-errorfiles, hdr, if or unless", word)
		return false
	}
	if a.Kind != AnswerPlain {
		r.errorf("'%s' after '%s', wanted one of them", word, answerKinds[a.Kind])
		return false
	}
	a.Kind = AnswerKind(kind)
	return r.answerBody(word, a)
}

var answerKinds = [...]string{
	AnswerString: "string", AnswerFormat: "lf-string", AnswerFile: "file", AnswerErrorFile: "errorfile", AnswerDefault: "default-errorfiles",
}

func (r *reader) answerBody(word string, a *Answer) (ok bool) {
	switch a.Kind {
	case AnswerString:
		a.Content = []byte(r.next())
	case AnswerFormat:
		a.Format, ok = r.format(word, forBody)
		return ok
	case AnswerFile:
		a.File = r.next()
		a.Content, ok = r.file(a.File)
		return ok
	case AnswerErrorFile:
		a.File = r.next()
		a.Content, ok = r.response(a.File)
		return ok
	}
	return true
}

func (r *reader) answerHeader(a *Answer) bool {
	name := r.next()
	if !isToken(name) {
		r.errorf("%s, wanted a header's name", after("hdr", name))
		return false
	}
	value, ok := r.format("value of hdr '"+name+"'", forValue)
	if slices.Contains(ownHeaders, strings.ToLower(name)) {
		r.warnf("hdr '%s' is ignored: it follows from the rest of the answer", name)
		return ok
	}
	a.Headers = append(a.Headers, AnswerHeader{name, value})
	return ok
}

// ownHeaders are the header fields that a rule may not add to an answer. They follow from the
// answer and the state of the connection, or another keyword sets them.
var ownHeaders = []string{"content-length", "transfer-encoding", "connection", "content-type"}

// visible reports an error if arg cannot be the value of a header field.
func (r *reader) visible(word, arg string) bool {
	if arg == "" || hasControl(arg) {
		r.errorf("%s, wanted text without control characters", after(word, arg))
		return false
	}
	return true
}

func (r *reader) answerFits(a *Answer) bool {
	body := len(a.Content) > 0 || a.Format != nil && a.Format.Text != ""
	switch {
	case a.Kind == AnswerErrorFile || a.Kind == AnswerDefault:
		if a.Headers != nil || a.ContentType != "" {
			r.errorf("content-type and hdr stand beside '%s', which has its own headers; wanted one or the other", answerKinds[a.Kind])
			return false
		}
		return r.hasPage(a)
	case body && Bodyless(a.Status) && a.Status != 0:
		r.errorf("status %d beside '%s', wanted no body: the client would read it as the next answer", a.Status, answerKinds[a.Kind])
		return false
	case body && a.ContentType == "":
		r.errorf("a body without content-type, wanted one such as content-type text/plain")
		return false
	case !body && a.ContentType != "":
		r.warnf("content-type '%s' is ignored, there is no body", a.ContentType)
	}
	return true
}

// hasPage reports an error if no error page and no errorfile exists for the status.
func (r *reader) hasPage(a *Answer) bool {
	if a.Kind == AnswerDefault && a.Status != 0 && !slices.Contains(errorStatus, strconv.Itoa(a.Status)) {
		r.errorf("status %d has no page, wanted %s, or 'status %d' with string or file", a.Status, list(errorStatus), a.Status)
		return false
	}
	return true
}

// redirect parses the older `redirect` directive. Its rules run after all http-request rules, and
// their targets are plain text (configuration.txt 4.2, redirect).
func (r *reader) redirect() {
	rule := HTTPRule{Pos: r.at, Action: RedirectTo}
	plain := func(text string) (*Format, error) {
		return literalFormat(text), nil
	}
	if r.redirectTo(&rule, plain) && r.ruleCond(&rule) {
		r.p.redirects = append(r.p.redirects, rule)
	}
}

func (r *reader) ruleRedirect(rule *HTTPRule) bool {
	return r.redirectTo(rule, func(text string) (*Format, error) { return parseFormat(text, forValue) })
}

const defaultCode = 302

var redirectCodes = []string{"301", "302", "303", "307", "308"}

func (r *reader) redirectTo(rule *HTTPRule, target func(string) (*Format, error)) bool {
	to := &Redirect{Code: defaultCode}
	for !r.atCond() {
		if !r.redirectWord(r.next(), to, target) {
			return false
		}
	}
	if to.To == nil {
		r.errorf("no target, wanted location, prefix or scheme and where to")
		return false
	}
	rule.Redirect = to
	return true
}

func (r *reader) redirectWord(word string, to *Redirect, target func(string) (*Format, error)) bool {
	marks := map[string]*bool{"drop-query": &to.DropQuery, "append-slash": &to.AppendSlash, "ignore-empty": &to.IgnoreEmpty}
	kind := slices.Index(redirectKinds[:], word)
	switch {
	case marks[word] != nil:
		*marks[word] = true
	case kind >= 0:
		to.Kind = RedirectKind(kind)
		return r.redirectTarget(word, to, target)
	case word == "code":
		code := "302"
		r.oneOf(word, &code, redirectCodes...)
		to.Code, _ = strconv.Atoi(code)
	case word == "set-cookie" || word == "clear-cookie":
		to.Cookie, to.ClearCookie = r.next(), word == "clear-cookie"
		return r.visible(word, to.Cookie)
	default:
		r.errorf("'%s' is not known, wanted location, prefix, scheme, code, drop-query, append-slash, ignore-empty, set-cookie, clear-cookie, if or unless", word)
		return false
	}
	return true
}

func (r *reader) redirectTarget(word string, to *Redirect, target func(string) (*Format, error)) bool {
	text := r.next()
	if !r.visible(word, text) {
		return false
	}
	var err error
	if to.To, err = target(text); err != nil {
		r.errorf("%s: %s", word, err)
		return false
	}
	return true
}

// errorStatus are the status codes for which an error page exists (configuration.txt 4.2,
// errorfile). 200 is the answer of the monitor URI.
var errorStatus = []string{
	"200", "400", "401", "403", "404", "405", "407", "408", "410", "413", "425", "429", "431", "500", "501", "502", "503", "504",
}

func (r *reader) errorFile() {
	e := ErrorFile{Pos: r.at}
	if !r.errorStatus(&e) {
		return
	}
	e.File = r.next()
	var ok bool
	if e.Content, ok = r.response(e.File); ok && r.end() {
		r.setErrorFile(e)
	}
}

func (r *reader) errorStatus(e *ErrorFile) bool {
	status := r.next()
	if !slices.Contains(errorStatus, status) {
		r.errorf("%s, wanted %s", shown(status), list(errorStatus))
		return false
	}
	e.Status, _ = strconv.Atoi(status)
	r.name += " " + status
	return true
}

// setErrorFile keeps one error file for each status, sorted by status. It copies the list, so that
// an inherited list stays unchanged.
func (r *reader) setErrorFile(e ErrorFile) {
	files := slices.DeleteFunc(slices.Clone(r.p.http.ErrorFiles), func(old ErrorFile) bool { return old.Status == e.Status })
	files = append(files, e)
	slices.SortFunc(files, func(a, b ErrorFile) int { return a.Status - b.Status })
	r.p.http.ErrorFiles = files
}

// errorLoc parses errorloc, errorloc302 and errorloc303: a redirect replaces the error page.
func errorLoc(code int) func(*reader) {
	return func(r *reader) {
		e := ErrorFile{Pos: r.at, Code: code}
		if !r.errorStatus(&e) {
			return
		}
		if e.Location = r.next(); !r.visible(r.name, e.Location) || !r.end() {
			return
		}
		e.Content = []byte("HTTP/1.1 " + map[int]string{302: "302 Found", 303: "303 See Other"}[code] +
			"\r\ncache-control: no-cache\r\ncontent-length: 0\r\nlocation: " + strings.TrimSpace(e.Location) + "\r\n\r\n")
		r.setErrorFile(e)
	}
}
