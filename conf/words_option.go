package conf

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
)

// option is one keyword after `option`: the sections in which it is allowed, and the function that
// sets or unsets it.
type option struct {
	scope scope
	set   func(r *reader, on bool)
}

// options are the supported options.
var options = map[string]option{
	"tcplog":         {inFront, (*reader).logFormat},
	"httplog":        {inFront, (*reader).logFormat},
	"dontlognull":    {inFront, func(r *reader, on bool) { r.mark(&r.p.front.Log.DontLogNull, on) }},
	"dontlog-normal": {inFront, func(r *reader, on bool) { r.mark(&r.p.front.Log.DontLogNormal, on) }},
	"forwardfor":     {inFront | inBack, (*reader).optionForwardFor},

	"http-keep-alive":        {inFront | inBack, connMode(KeepAlive)},
	"http-server-close":      {inFront | inBack, connMode(ServerClose)},
	"httpclose":              {inFront | inBack, connMode(HTTPClose)},
	"forceclose":             {inFront | inBack, (*reader).forceClose},
	"http-ignore-probes":     {inFront, func(r *reader, on bool) { r.mark(&r.p.front.IgnoreProbes, on) }},
	"log-separate-errors":    {inFront, func(r *reader, on bool) { r.mark(&r.p.front.Log.SeparateErrors, on) }},
	"http-pretend-keepalive": {inBack, func(r *reader, on bool) { r.mark(&r.p.back.PretendKeepAlive, on) }},
	"persist":                {inBack, func(r *reader, on bool) { r.mark(&r.p.back.Persist, on) }},

	"tcp-smart-accept":  {inFront, (*reader).smartAccept},
	"tcp-smart-connect": {inBack, func(r *reader, on bool) { r.mark(&r.p.back.SmartConnect, on) }},

	"allbackups": {inBack, func(r *reader, on bool) { r.mark(&r.p.back.AllBackups, on) }},
	"redispatch": {inBack, (*reader).optionRedispatch},
	"httpchk":    {inBack, (*reader).optionHTTPCheck},
	"tcp-check":  {inBack, (*reader).tcpCheck},
}

// httpModeOptions are the supported options that need mode http.
var httpModeOptions = []string{
	"http-keep-alive", "http-server-close", "httpclose", "forceclose", "forwardfor", "http-ignore-probes", "http-pretend-keepalive", "persist",
}

// impliedOptions ask for behaviour that is always on here. Large transfers are spliced, no data
// waits for a full packet, and a client of the same backend keeps its server connection.
var impliedOptions = []string{"splice-auto", "splice-request", "splice-response", "http-no-delay", "prefer-last-server"}

// ignoredOptions concern counters or the logs of checks, not connections.
var ignoredOptions = []string{
	"contstats", "socket-stats", "log-health-checks", "idle-close-on-response", "http-use-htx",
}

// httpOptions are unsupported options that only mode http uses.
var httpOptions = []string{
	"accept-invalid-http-request", "accept-invalid-http-response", "accept-unsafe-violations-in-http-request",
	"accept-unsafe-violations-in-http-response", "checkcache", "disable-h2-upgrade", "forwarded",
	"h1-case-adjust-bogus-client", "h1-case-adjust-bogus-server", "http-buffer-request", "http-drop-request-trailers",
	"http-drop-response-trailers", "http-proxy", "http-restrict-req-hdr-names", "http-tunnel", "http-use-proxy-header",
	"http_proxy", "originalto",
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
		if r.off && strings.HasPrefix(name, "splice") {
			r.warnf("ignored, large transfers are always spliced")
		}
	case slices.Contains(ignoredOptions, name):
		r.warnf("ignored, it has no meaning here")
	case slices.Contains(httpOptions, name):
		r.onlyHTTP(explainedOptions[name])
	case r.off:
		r.warnf("ignored, there is no such option here to switch off")
	default:
		r.errorf("not supported%s", suggest(name, keysOf(options), "option "))
	}
}

var explainedOptions = map[string]string{
	"http-buffer-request": "; rules never wait for a body",
	"http-tunnel":         "; HAProxy 2.1 removed it, each request is looked at",
}

// onlyHTTP reports a directive as not supported, if the proxy turns out to be in mode http. why is
// an explanation, or empty.
func (r *reader) onlyHTTP(why string) { r.deferUntilMode("not supported%s", why) }

// deferUntilMode records an error that is reported only if the proxy is in mode http.
func (r *reader) deferUntilMode(format string, args ...any) {
	if r.off {
		return
	}
	var p Problems
	p.Errorf(r.at, "'%s' in %s: %s", r.name, r.where, fmt.Sprintf(format, args...))
	r.p.httpOnly = append(r.p.httpOnly, p...)
}

// connMode sets one of the modes that exclude each other. `no option` unsets only the mode that it
// names, as in HAProxy.
func connMode(mode ConnMode) func(*reader, bool) {
	return func(r *reader, on bool) {
		switch {
		case !r.end():
		case on:
			r.p.http.Conn = mode
		case r.p.http.Conn == mode:
			r.p.http.Conn = KeepAlive
		}
	}
}

func (r *reader) forceClose(on bool) {
	r.warnf("HAProxy 2.0 removed it; taken as 'option httpclose'")
	connMode(HTTPClose)(r, on)
}

func (r *reader) mark(field *bool, on bool) {
	if r.end() {
		*field = on
	}
}

// smartAccept is allowed in both modes. It is on by default in mode http.
func (r *reader) smartAccept(on bool) {
	if r.end() {
		r.p.smartAccept = &on
	}
}

func (r *reader) logFormat(on bool) {
	if len(r.args) > 0 && r.args[0] == "clf" {
		r.errorf("'clf' is not supported, wanted nothing more")
		return
	}
	if !r.end() {
		return
	}
	r.p.front.Log.Line = nil
	format := &r.p.front.Log.Format
	switch {
	case !on:
		*format = LogDefault
	case r.name == "option tcplog":
		*format = LogTCP
	default:
		*format = LogHTTP
	}
}

// optionRedispatch parses `option redispatch [interval]`. The default is -1, "on the last retry",
// as in HAProxy. There 0 only means that the interval selects no retry: the option still is on.
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
	r.p.back.Redispatch, r.p.back.RedispatchEvery = on, interval
}

// optionForwardFor parses `option forwardfor [except NET] [header NAME] [if-none]`.
func (r *reader) optionForwardFor(on bool) {
	r.p.http.ForwardFor = nil
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
	r.p.http.ForwardFor = f
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
