package conf

import (
	"cmp"
	"math"
	"slices"
	"strings"
	"time"
)

func (r *reader) mode() {
	arg, ok := r.only("tcp or http")
	switch {
	case !ok:
	case arg == "tcp":
		r.p.mode = TCP
	case arg == "http":
		r.p.mode = HTTP
	default:
		r.errorf("'%s', wanted tcp or http", arg)
	}
}

func (r *reader) frontMaxConn() { r.number(0, maxCount, &r.p.front.MaxConn) }

func (r *reader) backlog() { r.number(0, maxCount, &r.p.front.Backlog) }

// maxRetries limits the number of attempts, so that a session does not retry for too long.
const maxRetries = 1 << 16

func (r *reader) retries() { r.number(0, maxRetries, &r.p.back.Retries) }

func (r *reader) oldRedispatch() {
	if r.end() {
		r.p.back.Redispatch, r.p.back.RedispatchEvery = true, -1
		r.warnf("HAProxy 2.1 removed it; taken as 'option redispatch'")
	}
}

func (r *reader) proxyLog() {
	switch {
	case r.off:
		if r.end() {
			r.p.logs = nil
		}
	case slices.Equal(r.args, []string{"global"}):
		r.p.logs = append(r.p.logs, logLine{global: true})
	default:
		if t, ok := r.logTarget(); ok {
			r.p.logs = append(r.p.logs, logLine{target: t})
		}
	}
}

func (r *reader) globalLog() {
	if t, ok := r.logTarget(); ok {
		r.cfg.Global.Log = append(r.cfg.Global.Log, t)
	}
}

// timeoutWord is one keyword after `timeout`, with the sections in which it is allowed and its
// field.
type timeoutWord struct {
	name  string
	scope scope
	field func(*proxy) *time.Duration
}

var timeouts = []timeoutWord{
	{"connect", inBack, func(p *proxy) *time.Duration { return &p.back.Timeout.Connect }},
	{"client", inFront, func(p *proxy) *time.Duration { return &p.front.Timeout.Client }},
	{"server", inBack, func(p *proxy) *time.Duration { return &p.back.Timeout.Server }},
	{"client-fin", inFront, func(p *proxy) *time.Duration { return &p.front.Timeout.ClientFin }},
	{"server-fin", inBack, func(p *proxy) *time.Duration { return &p.back.Timeout.ServerFin }},
	{"tunnel", inBack, func(p *proxy) *time.Duration { return &p.back.Timeout.Tunnel }},
	{"check", inBack, func(p *proxy) *time.Duration { return &p.back.Timeout.Check }},
	{"queue", inBack, func(p *proxy) *time.Duration { return &p.back.Timeout.Queue }},
	{"http-request", inFront, func(p *proxy) *time.Duration { return &p.front.Timeout.HTTPRequest }},
	{"http-keep-alive", inFront, func(p *proxy) *time.Duration { return &p.front.Timeout.HTTPKeepAlive }},
}

// idleTimeouts are accepted without effect: they concern tarpit and TLS handshakes of clients,
// which are not supported.
var idleTimeouts = []string{"tarpit", "client-hs"}

func (r *reader) timeout() {
	which := r.next()
	if slices.Contains(idleTimeouts, which) {
		r.name += " " + which
		r.warnf("ignored, nothing here waits for it")
		return
	}
	var names []string
	for _, t := range timeouts {
		if t.name == which {
			r.name += " " + which
			r.setTimeout(t.scope, t.field(r.p))
			return
		}
		names = append(names, t.name)
	}
	r.errorf("%s, wanted %s%s", shown(which), list(names), suggest(which, names, ""))
}

func (r *reader) setTimeout(in scope, field *time.Duration) {
	if (r.p.scope|inDefaults)&in == 0 && r.p.scope != inDefaults {
		r.warnf("ignored, it belongs into a %s", in.home())
		return
	}
	if arg, ok := r.only("a time"); ok {
		r.duration(r.name, arg, field)
	}
}

// oldTimeout parses contimeout, clitimeout and srvtimeout, which HAProxy 2.1 removed.
func oldTimeout(now string) func(*reader) {
	return func(r *reader) {
		r.warnf("HAProxy 2.1 removed it; taken as 'timeout %s'", now)
		r.name, r.args = "timeout", append([]string{now}, r.args...)
		r.timeout()
	}
}

func (r *reader) defaultBackend() {
	if arg, ok := r.only("a backend's name"); ok && r.backendName(arg) {
		r.p.front.DefaultBackend = arg
	}
}

// backendName reports an error if name cannot be the name of a backend. It has its own message for
// the log-format expressions that HAProxy allows here.
func (r *reader) backendName(name string) bool {
	if strings.Contains(name, "%[") {
		r.errorf("'%s': names computed from a fetch are not supported; wanted a backend's name", name)
		return false
	}
	if fault := nameFault(name); fault != "" {
		r.errorf("%s", fault)
		return false
	}
	return true
}

// algorithms are HAProxy's (configuration.txt 4.2, balance).
var algorithms = []string{
	"roundrobin", "static-rr", "leastconn", "first", "hash", "source", "uri", "url_param", "hdr", "random",
	"rdp-cookie", "log-hash", "sticky",
}

// balance parses `balance [ALGORITHM [argument...]]`. Without arguments it sets the default
// algorithm.
func (r *reader) balance() {
	algorithm := cmp.Or(r.next(), defaultBalance)
	name, _, _ := strings.Cut(algorithm, "(")
	if !slices.Contains(algorithms, name) {
		r.errorf("%s, wanted one of HAProxy's algorithms, such as roundrobin", shown(algorithm))
		return
	}
	r.p.back.Balance = Balance{Algorithm: algorithm, Args: append([]string(nil), r.args...)}
}

// cookie parses `cookie NAME [param...]` (configuration.txt 4.2).
func (r *reader) cookie() {
	c := &Cookie{Pos: r.at, Name: r.next()}
	if !isToken(c.Name) {
		r.errorf("%s, wanted a cookie's name", shown(c.Name))
		return
	}
	marks := map[string]*bool{
		"rewrite": &c.Rewrite, "insert": &c.Insert, "prefix": &c.Prefix, "indirect": &c.Indirect,
		"nocache": &c.NoCache, "postonly": &c.PostOnly, "preserve": &c.Preserve, "httponly": &c.HTTPOnly, "secure": &c.Secure,
	}
	for len(r.args) > 0 {
		word := r.next()
		if marks[word] != nil {
			*marks[word] = true
		} else if !r.cookieWord(word, c) {
			return
		}
	}
	if fault := c.fault(); fault != "" {
		r.errorf("%s", fault)
		return
	}
	r.p.back.Cookie = c
}

func (r *reader) cookieWord(word string, c *Cookie) bool {
	switch word {
	case "domain":
		r.cookieDomain(c)
	case "attr":
		attr := r.next()
		if attr == "" || hasControl(attr) || strings.Contains(attr, ";") {
			r.errorf("%s, wanted text without control characters and ';'", after(word, attr))
			return false
		}
		c.Attrs = append(c.Attrs, attr)
	case "maxidle":
		r.cookieTime(word, &c.MaxIdle)
	case "maxlife":
		r.cookieTime(word, &c.MaxLife)
	case "dynamic":
		r.errorf("'dynamic' is not supported, wanted a 'cookie' on each server")
		return false
	default:
		r.errorf("'%s' is not known, wanted insert, rewrite, prefix, indirect, nocache, postonly, preserve, httponly, secure, domain, attr, maxidle or maxlife", word)
		return false
	}
	return true
}

// cookieTime parses a time that is stored in the cookie, and rounds it up to seconds. A number
// without a unit is in seconds, as in HAProxy.
func (r *reader) cookieTime(word string, into *time.Duration) {
	arg := r.next()
	text := arg
	if strings.Trim(arg, "0123456789") == "" && arg != "" && !r.units {
		text += "s"
	}
	d, err := parseTime(text, r.units, maxCookieTime)
	switch {
	case arg == "":
		r.errorf("nothing follows '%s', wanted a time", word)
	case err != nil:
		r.errorf("%s %s", word, err)
	case d == 0:
		r.errorf("%s, wanted a time greater than 0", after(word, arg))
	default:
		*into = (d + time.Second - 1).Truncate(time.Second)
	}
}

// maxCookieTime is HAProxy's limit: a 31-bit number of seconds.
const maxCookieTime = math.MaxInt32 * time.Second

// fault returns a description of contradicting parameters, or "".
func (c *Cookie) fault() string {
	switch {
	case moreThanOne(c.Insert, c.Rewrite, c.Prefix):
		return "only one of insert, rewrite and prefix can hold"
	case c.Rewrite && c.Indirect:
		return "rewrite and indirect contradict each other, wanted one of them"
	case c.Preserve && !c.Insert && !c.Indirect:
		return "preserve needs insert or indirect"
	}
	return ""
}

func (r *reader) cookieDomain(c *Cookie) {
	domain := r.next()
	if !isToken(domain) {
		r.errorf("%s, wanted a domain", after("domain", domain))
		return
	}
	c.Domains = append(c.Domains, domain)
}

func moreThanOne(marks ...bool) bool {
	n := 0
	for _, m := range marks {
		if m {
			n++
		}
	}
	return n > 1
}

// isToken reports whether s is valid in an HTTP header without quotes.
func isToken(s string) bool {
	return s != "" && !strings.ContainsFunc(s, func(c rune) bool {
		return c <= ' ' || c >= 0x7f || strings.ContainsRune(`()<>@,;:\"/[]?={}`, c)
	})
}
