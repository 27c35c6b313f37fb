package conf

import (
	"net/netip"
	"slices"
	"strings"
)

// option is one word after `option`: where it means something, and what sets
// and unsets it.
type option struct {
	scope scope
	set   func(r *reader, on bool)
}

// options are those that are known here.
var options = map[string]option{
	"tcplog":         {inFront, (*reader).logFormat},
	"httplog":        {inFront, (*reader).logFormat},
	"dontlognull":    {inFront, func(r *reader, on bool) { r.mark(&r.p.front.Log.DontLogNull, on) }},
	"dontlog-normal": {inFront, func(r *reader, on bool) { r.mark(&r.p.front.Log.DontLogNormal, on) }},
	"httpclose":      {inFront | inBack, func(r *reader, on bool) { r.mark(&r.p.httpClose, on) }},
	"forwardfor":     {inFront | inBack, (*reader).optionForwardFor},
	"allbackups":     {inBack, func(r *reader, on bool) { r.mark(&r.p.back.AllBackups, on) }},
	"redispatch":     {inBack, (*reader).optionRedispatch},
	"httpchk":        {inBack, (*reader).optionHTTPCheck},
}

// impliedOptions ask for what happens anyway: large transfers are spliced, and
// a check connects.
var impliedOptions = []string{"splice-auto", "splice-request", "splice-response", "tcp-check"}

// ignoredOptions tune counters, logs of checks or packets, not what happens to
// a connection.
var ignoredOptions = []string{
	"contstats", "socket-stats", "tcp-smart-accept", "tcp-smart-connect", "log-health-checks",
}

// httpOptions concern mode http only.
var httpOptions = []string{
	"accept-invalid-http-request", "accept-invalid-http-response", "accept-unsafe-violations-in-http-request",
	"accept-unsafe-violations-in-http-response", "checkcache", "disable-h2-upgrade", "forceclose", "forwarded",
	"h1-case-adjust-bogus-client", "h1-case-adjust-bogus-server", "http-buffer-request", "http-drop-request-trailers",
	"http-drop-response-trailers", "http-ignore-probes", "http-keep-alive", "http-no-delay", "http-pretend-keepalive",
	"http-proxy", "http-restrict-req-hdr-names", "http-server-close", "http-tunnel", "http-use-htx",
	"http-use-proxy-header", "http_proxy", "idle-close-on-response", "originalto", "persist", "prefer-last-server",
}

func (r *reader) option() {
	name := r.next()
	if name == "" {
		r.errorf("nothing follows, wanted an option")
		return
	}
	r.name += " " + name
	o, known := options[name]
	switch {
	case known && r.p.scope != inDefaults && r.p.scope&o.scope == 0:
		r.warnf("ignored, it belongs into a %s", o.scope.home())
	case known:
		o.set(r, !r.off)
	case slices.Contains(impliedOptions, name):
		if r.off && name != "tcp-check" {
			r.warnf("ignored, large transfers are always spliced")
		}
	case slices.Contains(ignoredOptions, name):
		r.warnf("ignored, it has no meaning here")
	case slices.Contains(httpOptions, name):
		r.onlyHTTP()
	case r.off:
		r.warnf("ignored, there is no such option here to switch off")
	default:
		r.errorf("not supported%s", suggest(name, keysOf(options), "option "))
	}
}

// onlyHTTP keeps a word that mode tcp has no use for until the mode is known.
func (r *reader) onlyHTTP() {
	if r.off {
		return
	}
	var p Problems
	p.Errorf(r.at, "'%s' in %s: not supported", r.name, r.where)
	r.p.httpOnly = append(r.p.httpOnly, p...)
}

func (r *reader) mark(field *bool, on bool) {
	if r.end() {
		*field = on
	}
}

func (r *reader) logFormat(on bool) {
	if len(r.args) > 0 && r.args[0] == "clf" {
		r.errorf("'clf' is not supported, wanted nothing more")
		return
	}
	format := &r.p.front.Log.Format
	switch {
	case !r.end():
	case !on:
		*format = LogDefault
	case r.name == "option tcplog":
		*format = LogTCP
	default:
		*format = LogHTTP
	}
}

// optionRedispatch reads `option redispatch [interval]`. HAProxy takes -1, the
// default, as "on the last retry".
func (r *reader) optionRedispatch(on bool) {
	interval := -1
	if arg := r.next(); arg != "" && !r.atoi("interval", arg, -maxRetries, maxRetries, &interval) {
		return
	}
	if !r.end() {
		return
	}
	if !on {
		interval = 0
	}
	r.p.back.Redispatch = interval
}

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

// optionForwardFor reads `option forwardfor [except NET] [header NAME] [if-none]`.
func (r *reader) optionForwardFor(on bool) {
	r.p.forwardFor = nil
	if !on {
		return
	}
	f := &ForwardFor{}
	for len(r.args) > 0 {
		switch word := r.next(); word {
		case "except":
			r.except(f)
		case "header":
			if f.Header = r.next(); !isToken(f.Header) {
				r.errorf("%s, wanted a header's name", after(word, f.Header))
				return
			}
		case "if-none":
			f.IfNone = true
		default:
			r.errorf("'%s' is not known, wanted except, header or if-none", word)
			return
		}
	}
	r.p.forwardFor = f
}

func (r *reader) except(f *ForwardFor) {
	arg := r.next()
	p, err := netip.ParsePrefix(arg)
	if err != nil {
		ip, _ := netip.ParseAddr(arg)
		p, err = ip.WithZone("").Prefix(ip.BitLen())
	}
	if err != nil || !p.IsValid() {
		r.errorf("%s, wanted an address or a network such as 10.0.0.0/8", after("except", arg))
		return
	}
	f.Except = p
}
