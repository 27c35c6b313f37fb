package conf

import (
	"regexp"
	"slices"
	"strings"
)

// side is the set of rule kinds in which an action is allowed.
type side uint8

const (
	onRequest side = 1 << iota
	onResponse
)

// httpAction is one action of http-request or http-response. parse reads the arguments before the
// condition and returns false on an error.
type httpAction struct {
	name   string
	side   side
	action HTTPAction
	parse  func(*reader, *HTTPRule) bool
}

var httpActions []httpAction

func init() { // not an initializer, because it would refer to itself: parse functions list all names in messages
	const both = onRequest | onResponse
	httpActions = []httpAction{
		{"allow", both, Allow, nothing},
		{"deny", both, Deny, (*reader).answer},
		{"return", both, Return, (*reader).answer},
		{"redirect", both, RedirectTo, (*reader).ruleRedirect},
		{"set-header", both, SetHeader, (*reader).headerValue},
		{"add-header", both, AddHeader, (*reader).headerValue},
		{"del-header", both, DelHeader, (*reader).delHeader},
		{"replace-header", both, ReplaceHeader, (*reader).replaceHeader},
		{"replace-value", both, ReplaceValue, (*reader).replaceHeader},
		{"set-method", onRequest, SetMethod, (*reader).value},
		{"set-path", onRequest, SetPath, (*reader).value},
		{"set-pathq", onRequest, SetPathQ, (*reader).value},
		{"set-query", onRequest, SetQuery, (*reader).value},
		{"set-uri", onRequest, SetURI, (*reader).value},
		{"replace-path", onRequest, ReplacePath, (*reader).replace},
		{"replace-pathq", onRequest, ReplacePathQ, (*reader).replace},
		{"replace-uri", onRequest, ReplaceURI, (*reader).replace},
		{"set-status", onResponse, SetStatus, (*reader).setStatus},
	}
}

func nothing(*reader, *HTTPRule) bool { return true }

// String returns the name of the action in a rule.
func (a HTTPAction) String() string { return httpActions[a].name }

func (r *reader) httpRequest() { r.httpRule(onRequest, &r.p.http.HTTPRequest) }

func (r *reader) httpResponse() { r.httpRule(onResponse, &r.p.http.HTTPResponse) }

// httpRule parses `http-request ACTION [arguments] [if|unless ...]`.
func (r *reader) httpRule(on side, rules *[]HTTPRule) {
	word := r.next()
	if word == "" {
		r.errorf("nothing follows, wanted an action such as deny or set-header")
		return
	}
	r.name += " " + word
	i := slices.IndexFunc(httpActions, func(a httpAction) bool { return a.name == word && a.side&on != 0 })
	if i < 0 {
		r.unknownAction(word, on)
		return
	}
	rule := HTTPRule{Pos: r.at, Action: httpActions[i].action}
	if httpActions[i].parse(r, &rule) && r.redirects(&rule, on) && r.ruleCond(&rule) {
		*rules = append(*rules, rule)
	}
}

// redirects reports a redirect on an answer that needs the request, which is no longer available.
func (r *reader) redirects(rule *HTTPRule, on side) bool {
	if on == onResponse && rule.Redirect != nil && rule.Redirect.Kind != Location {
		r.errorf("%s, wanted location: the request is gone when the answer comes", redirectKinds[rule.Redirect.Kind])
		return false
	}
	return true
}

// explainedActions are actions of HAProxy that are not supported, with their replacement if there
// is one.
var explainedActions = map[string]string{
	"auth":          "; who may come in is the server's matter",
	"tarpit":        "; 'deny' refuses at once",
	"reject":        "; 'deny' answers, 'tcp-request content reject' closes",
	"silent-drop":   "; 'deny' answers, 'tcp-request content reject' closes",
	"wait-for-body": "; rules never wait for a body",
	"capture":       "; 'capture request header' logs a header",
}

func (r *reader) unknownAction(word string, on side) {
	var names []string
	for _, a := range httpActions {
		if a.side&on != 0 {
			names = append(names, a.name)
		}
	}
	name, _, _ := strings.Cut(word, "(")
	why, known := explainedActions[name]
	if !known {
		why = suggest(word, names, "")
	}
	if why == "" {
		why = ", wanted " + list(names)
	}
	r.onlyHTTP(why)
}

// ruleCond parses the condition. It reports an error if other arguments are left before it.
func (r *reader) ruleCond(rule *HTTPRule) bool {
	if len(r.args) > 0 && !r.atCond() {
		r.errorf("found '%s', wanted if, unless or the end of the line", strings.Join(r.args, " "))
		return false
	}
	var ok bool
	rule.Cond, ok = r.cond()
	return ok
}

// atCond reports whether the arguments of an action end here.
func (r *reader) atCond() bool {
	return len(r.args) == 0 || beginsCond(r.args[0])
}

func beginsCond(word string) bool { return word == "if" || word == "unless" }

func (r *reader) headerName(rule *HTTPRule) bool {
	rule.Name = r.next()
	if !isToken(rule.Name) {
		r.errorf("%s, wanted a header's name", shown(rule.Name))
		return false
	}
	return true
}

func (r *reader) headerValue(rule *HTTPRule) bool { return r.headerName(rule) && r.value(rule) }

// value parses the format that the rule writes.
func (r *reader) value(rule *HTTPRule) bool {
	var ok bool
	rule.Value, ok = r.format("value", forValue)
	return ok
}

// format parses the next argument as a log-format that is allowed where use says. what names the
// argument in messages. It returns false if there was an error.
func (r *reader) format(what string, use formatUse) (*Format, bool) {
	if len(r.args) == 0 {
		r.errorf("no %s follows, wanted text such as \"%%[src]\"", what)
		return nil, false
	}
	f, err := parseFormat(r.next(), use)
	if err != nil {
		r.errorf("%s: %s", what, err)
		return nil, false
	}
	return f, true
}

// nameMatches are the methods by which del-header compares names.
var nameMatches = []string{"str", "beg", "end", "sub", "reg"}

func (r *reader) delHeader(rule *HTTPRule) bool {
	rule.Name = r.next()
	if len(r.args) > 0 && r.args[0] == "-m" {
		r.next()
		if rule.Match = r.next(); !slices.Contains(nameMatches, rule.Match) {
			r.errorf("%s, wanted %s", after("-m", rule.Match), list(nameMatches))
			return false
		}
	}
	switch {
	case rule.Match == "reg":
		return r.expression(rule.Name)
	case !isToken(rule.Name):
		r.errorf("%s, wanted a header's name", shown(rule.Name))
		return false
	}
	return true
}

func (r *reader) replaceHeader(rule *HTTPRule) bool { return r.headerName(rule) && r.replace(rule) }

func (r *reader) replace(rule *HTTPRule) bool {
	rule.Regex = r.next()
	return r.expression(rule.Regex) && r.value(rule)
}

func (r *reader) expression(text string) bool {
	if text == "" {
		r.errorf("nothing follows, wanted a regular expression")
		return false
	}
	if _, err := regexp.Compile(text); err != nil {
		r.errorf("'%s' is no regular expression of RE2, which has no back references and no look-around: %s", text, strings.TrimPrefix(err.Error(), "error parsing regexp: "))
		return false
	}
	return true
}

func (r *reader) setStatus(rule *HTTPRule) bool {
	if !r.atoi("status", r.next(), 100, 999, &rule.Status) {
		return false
	}
	if len(r.args) > 0 && r.args[0] == "reason" {
		r.next()
		if rule.Reason = r.next(); rule.Reason == "" || hasControl(rule.Reason) {
			r.errorf("%s, wanted text without control characters", after("reason", rule.Reason))
			return false
		}
	}
	return true
}

func hasControl(s string) bool {
	return strings.ContainsFunc(s, func(c rune) bool { return c < ' ' || c == 0x7f })
}

// httpReuse accepts HAProxy's settings for idle server connections without effect. Here a server
// connection serves one client, and every setting allows that.
func (r *reader) httpReuse() {
	const wanted = "never, safe, aggressive or always"
	if arg, ok := r.only(wanted); ok && !slices.Contains([]string{"never", "safe", "aggressive", "always"}, arg) {
		r.errorf("'%s', wanted %s", arg, wanted)
	}
}
