package conf

import (
	"cmp"
	"slices"
	"strings"
)

// Defaults for the request of a check.
const (
	defaultMethod  = "OPTIONS"
	defaultVersion = "HTTP/1.0"
)

// checkRules holds the settings of `option httpchk` and the http-check directives of a section. The
// first of these directives in a section removes all inherited settings, as in HAProxy.
type checkRules struct {
	own                  bool
	option, send, expect bool // the section itself has option httpchk, http-check send, http-check expect
	HTTPCheck                 // an empty field is not set
}

// ownCheckRules returns the settings of the current section, without inherited ones.
func (r *reader) ownCheckRules() *checkRules {
	if !r.p.checkRules.own {
		r.p.checkRules = checkRules{own: true}
	}
	return &r.p.checkRules
}

// optionHTTPCheck parses `option httpchk [URI | METHOD URI [VERSION [HOST]]]`.
func (r *reader) optionHTTPCheck(on bool) {
	r.p.checks, r.p.checksAt = on, r.at
	if !on {
		return
	}
	rules := r.ownCheckRules()
	var h HTTPCheck
	if len(r.args) == 1 {
		h.URI = r.next()
	}
	for _, field := range []*string{&h.Method, &h.URI, &h.Version, &h.Host} {
		if arg := r.next(); arg != "" {
			*field = arg
		}
	}
	h.headerInVersion()
	if !r.end() || !r.checkRequest(&h) {
		return
	}
	if !rules.send { // the last of several option httpchk counts
		rules.HTTPCheck = HTTPCheck{Expect: rules.Expect, Not: rules.Not}
	}
	rules.option = true
	rules.say(&h)
}

// say overwrites the parts of the request that a directive sets.
func (c *checkRules) say(h *HTTPCheck) {
	for _, f := range []struct{ into, said *string }{
		{&c.Method, &h.Method}, {&c.URI, &h.URI}, {&c.Version, &h.Version}, {&c.Body, &h.Body},
	} {
		if *f.said != "" {
			*f.into = *f.said
		}
	}
	if h.Host != "" || h.Headers != nil {
		c.Host, c.Headers = h.Host, h.Headers
	}
}

// tcpCheck parses `option tcp-check`: the check only connects.
func (r *reader) tcpCheck(on bool) {
	if r.end() && on {
		r.p.checks = false
	}
}

// headerInVersion parses the older way to send a Host header, as a part of the version:
// HTTP/1.1\r\nHost:\ www.example.org.
func (h *HTTPCheck) headerInVersion() {
	version, header, ok := strings.Cut(h.Version, "\r\n")
	name, value, _ := strings.Cut(header, ":")
	if ok && strings.EqualFold(name, "host") && h.Host == "" {
		h.Version, h.Host = version, strings.TrimSpace(value)
	}
}

// checkRequest reports an error if a part would make the request invalid. A server would refuse it,
// and count as failed.
func (r *reader) checkRequest(h *HTTPCheck) bool {
	for _, part := range []string{h.Method, h.URI, h.Version, h.Host} {
		if strings.ContainsFunc(part, func(c rune) bool { return c <= ' ' || c >= 0x7f }) {
			r.errorf("%q, wanted visible ASCII without blanks (Host alone can be sent: METHOD URI VERSION HOST)", part)
			return false
		}
	}
	switch {
	case h.Version != "" && !slices.Contains([]string{"HTTP/1.0", "HTTP/1.1"}, h.Version):
		r.errorf("version '%s', wanted HTTP/1.0 or HTTP/1.1", h.Version)
		return false
	case h.Method != "" && !isToken(h.Method):
		r.errorf("method '%s', wanted a name such as GET or HEAD", h.Method)
		return false
	case h.URI != "" && h.Method != "CONNECT" && h.URI[0] != '/' && h.URI != "*" && !strings.Contains(h.URI, "://"):
		r.warnf("'%s' is sent as it is, wanted a path such as /%s: most servers refuse such a request", h.URI, h.URI)
	}
	return true
}

// httpCheckLine parses `http-check send ...`, `http-check expect [!] status LIST` and `http-check
// disable-on-404` (configuration.txt 4.2). The last does not remove inherited settings.
func (r *reader) httpCheckLine() {
	word := r.next()
	if word != "" {
		r.name += " " + word
	}
	switch word {
	case "send":
		if rules := r.ownCheckRules(); r.once(&rules.send) {
			r.checkSend(rules)
		}
	case "expect":
		if rules := r.ownCheckRules(); r.once(&rules.expect) {
			r.checkExpect(&rules.HTTPCheck)
		}
	case "disable-on-404":
		r.p.disableOn404 = r.end()
	case "send-state", "comment":
		r.warnf("ignored, it has no meaning here")
	default:
		r.errorf("not supported, wanted send, expect or disable-on-404")
	}
}

// once reports an error for a second directive of its kind: a check sends one request and expects
// one answer.
func (r *reader) once(said *bool) bool {
	first := !*said
	*said = true
	if !first {
		r.errorf("a second one, wanted one: a check sends one request")
	}
	return first
}

// checkSend parses [meth M] [uri U] [ver V] [hdr NAME VALUE]... [body TEXT].
func (r *reader) checkSend(rules *checkRules) {
	var c HTTPCheck
	fields := map[string]*string{"meth": &c.Method, "uri": &c.URI, "ver": &c.Version, "body": &c.Body}
	for len(r.args) > 0 {
		word := r.next()
		arg := r.next()
		switch {
		case word == "comment":
		case word == "hdr":
			if !r.checkHeader(&c, arg) {
				return
			}
		case fields[word] != nil && arg != "":
			*fields[word] = arg
		default:
			r.errorf("%s, wanted meth, uri, ver, hdr or body and a value", after(word, arg))
			return
		}
	}
	if r.checkRequest(&c) {
		rules.say(&c)
	}
}

// checkHeader parses NAME VALUE of `http-check send hdr`. Only one Host is allowed, as in HAProxy,
// because a server must refuse a request with two (RFC 9112 3.2).
func (r *reader) checkHeader(c *HTTPCheck, name string) bool {
	if !isToken(name) {
		r.errorf("%s, wanted a header's name", after("hdr", name))
		return false
	}
	h := CheckHeader{name, r.next()}
	isHost := func(h CheckHeader) bool { return strings.EqualFold(h.Name, "host") }
	switch {
	case !r.visible("hdr "+name, h.Value):
		return false
	case strings.Contains(h.Value, "%"): // HAProxy would evaluate it as a format
		r.errorf("%s, wanted text without '%%': a check's headers are sent as they are", after("hdr "+name, h.Value))
		return false
	case isHost(h) && slices.ContainsFunc(c.Headers, isHost):
		r.errorf("%s, wanted one Host: a server refuses a request with two", after("hdr "+name, h.Value))
		return false
	case isHost(h) && strings.ContainsAny(h.Value, " /,"):
		r.errorf("%s, wanted a host such as www.example.org", after("hdr "+name, h.Value))
		return false
	}
	c.Headers = append(c.Headers, h)
	return true
}

func (r *reader) checkExpect(c *HTTPCheck) {
	if len(r.args) > 0 && r.args[0] == "!" {
		c.Not = true
		r.next()
	}
	word := r.next()
	if rest, negated := strings.CutPrefix(word, "!"); negated {
		c.Not, word = true, rest
	}
	if word != "status" {
		r.errorf("%s, wanted status or ! status, and codes such as 200,301-308", shown(word))
		return
	}
	codes, ok := r.only("codes such as 200,301-308")
	if !ok {
		return
	}
	for text := range strings.SplitSeq(codes, ",") {
		low, high, isRange := strings.Cut(text, "-")
		if !isRange {
			high = low
		}
		var s StatusRange
		if !r.atoi("status", low, 100, 999, &s.Low) || !r.atoi("status", high, s.Low, 999, &s.High) {
			return
		}
		c.Expect = append(c.Expect, s)
	}
}

// httpCheck returns the check of the proxy's servers, after all directives were read. It returns
// nil if a check only connects.
func (b *builder) httpCheck(p *proxy) *HTTPCheck {
	at, said := p.ownCheck()
	rules := &p.checkRules
	switch {
	case !p.checks && said:
		b.problems.Warnf(at, "'http-check' in %s: ignored without 'option httpchk'", p.title())
		return nil
	case !p.checks:
		return nil
	case rules.expect && !rules.send && !rules.option:
		b.problems.Warnf(p.own["http-check expect"], "'http-check expect' in %s: the request that defaults gave does not hold beside it, the check asks for '%s /'; wanted 'option httpchk' or 'http-check send' here too", p.title(), defaultMethod)
	}
	c := rules.HTTPCheck
	c.Pos, c.DisableOn404 = p.checksAt, p.disableOn404
	c.Method, c.URI, c.Version = cmp.Or(c.Method, defaultMethod), cmp.Or(c.URI, "/"), cmp.Or(c.Version, defaultVersion)
	return &c
}

// ownCheck returns the position of an http-check directive in the section. It returns false if
// there is none.
func (p *proxy) ownCheck() (Pos, bool) {
	for _, name := range keysOf(p.own) {
		if strings.HasPrefix(name, "http-check") {
			return p.own[name], true
		}
	}
	return Pos{}, false
}
