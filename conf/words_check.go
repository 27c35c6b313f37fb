package conf

import (
	"strings"
)

// The request of a check that names none.
const (
	defaultMethod  = "OPTIONS"
	defaultVersion = "HTTP/1.0"
)

// optionHTTPCheck reads `option httpchk [URI | METHOD URI [VERSION [HOST]]]`.
func (r *reader) optionHTTPCheck(on bool) {
	r.p.back.HTTPCheck = nil
	if !on {
		return
	}
	h := &HTTPCheck{Pos: r.at, Method: defaultMethod, URI: "/", Version: defaultVersion}
	if len(r.args) == 1 {
		h.URI = r.next()
	}
	for _, field := range []*string{&h.Method, &h.URI, &h.Version, &h.Host} {
		if arg := r.next(); arg != "" {
			*field = arg
		}
	}
	h.headerInVersion()
	if !r.end() || !r.checkRequest(h) {
		return
	}
	r.p.back.HTTPCheck = h
}

// headerInVersion understands the idiom of old for a check with a Host header,
// which put it behind the version: HTTP/1.1\r\nHost:\ www.example.org.
func (h *HTTPCheck) headerInVersion() {
	version, header, ok := strings.Cut(h.Version, "\r\n")
	name, value, _ := strings.Cut(header, ":")
	if ok && strings.EqualFold(name, "host") && h.Host == "" {
		h.Version, h.Host = version, strings.TrimSpace(value)
	}
}

// checkRequest refuses what would not be one line of an HTTP request.
func (r *reader) checkRequest(h *HTTPCheck) bool {
	for _, part := range []string{h.Method, h.URI, h.Version, h.Host} {
		if strings.ContainsFunc(part, func(c rune) bool { return c <= ' ' || c >= 0x7f }) {
			r.errorf("%q, wanted visible ASCII without blanks (Host alone can be sent: METHOD URI VERSION HOST)", part)
			return false
		}
	}
	if !strings.HasPrefix(h.Version, "HTTP/1.") {
		r.errorf("version '%s', wanted HTTP/1.0 or HTTP/1.1", h.Version)
		return false
	}
	return true
}

// checkLines are the http-check lines of a proxy, or those it inherits: a line
// of its own drops them all, as in HAProxy.
type checkLines struct {
	own, send, expect bool
	HTTPCheck
}

// httpCheckLine reads `http-check send ...`, `http-check expect [!] status
// LIST` and `http-check disable-on-404` (configuration.txt 4.2).
func (r *reader) httpCheckLine() {
	if !r.p.checkLines.own {
		r.p.checkLines = checkLines{own: true}
	}
	c, word := &r.p.checkLines, r.next()
	if word != "" {
		r.name += " " + word
	}
	switch word {
	case "send":
		if r.once(&c.send) {
			r.checkSend(&c.HTTPCheck)
		}
	case "expect":
		if r.once(&c.expect) {
			r.checkExpect(&c.HTTPCheck)
		}
	case "disable-on-404":
		c.DisableOn404 = r.end()
	case "send-state", "comment":
		r.warnf("ignored, it has no meaning here")
	default:
		r.errorf("not supported, wanted send, expect or disable-on-404")
	}
}

// once refuses a second request or answer: a check has one of each.
func (r *reader) once(said *bool) bool {
	first := !*said
	*said = true
	if !first {
		r.errorf("a second one, wanted one: a check sends one request")
	}
	return first
}

// checkSend reads [meth M] [uri U] [ver V] [hdr NAME VALUE]... [body TEXT].
func (r *reader) checkSend(c *HTTPCheck) {
	fields := map[string]*string{"meth": &c.Method, "uri": &c.URI, "ver": &c.Version, "body": &c.Body}
	for len(r.args) > 0 {
		word := r.next()
		arg := r.next()
		switch {
		case word == "comment":
		case word == "hdr" && isToken(arg):
			h := CheckHeader{arg, r.next()}
			if !r.visible("hdr "+arg, h.Value) {
				return
			}
			if strings.Contains(h.Value, "%") { // HAProxy would fill it in
				r.errorf("%s, wanted text without '%%': a check's headers are sent as they are", after("hdr "+arg, h.Value))
				return
			}
			c.Headers = append(c.Headers, h)
		case word == "hdr":
			r.errorf("%s, wanted a header's name", after(word, arg))
			return
		case fields[word] != nil && arg != "":
			*fields[word] = arg
		default:
			r.errorf("%s, wanted meth, uri, ver, hdr or body and a value", after(word, arg))
			return
		}
	}
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

// httpCheck joins option httpchk and http-check, now that all lines are read.
func (b *builder) httpCheck(p *proxy) *HTTPCheck {
	lines := &p.checkLines
	if p.back.HTTPCheck == nil {
		if lines.own {
			b.problems.Warnf(p.ownCheck(), "'http-check' in %s: ignored without 'option httpchk'", p.title())
		}
		return nil
	}
	c := *p.back.HTTPCheck
	c.Headers, c.Expect, c.Not, c.DisableOn404 = lines.Headers, lines.Expect, lines.Not, lines.DisableOn404
	c.Body = lines.Body
	for _, f := range []struct{ into, said *string }{{&c.Method, &lines.Method}, {&c.URI, &lines.URI}, {&c.Version, &lines.Version}} {
		if *f.said != "" {
			*f.into = *f.said
		}
	}
	r := reader{builder: b, p: p, at: c.Pos, where: p.title(), name: "http-check send"}
	if !r.checkRequest(&c) {
		return nil
	}
	return &c
}

// ownCheck is where the proxy has an http-check line.
func (p *proxy) ownCheck() Pos {
	for _, name := range keysOf(p.own) {
		if strings.HasPrefix(name, "http-check") {
			return p.own[name]
		}
	}
	return p.pos
}
