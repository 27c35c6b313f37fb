package conf

import (
	"io/fs"
	"maps"
	"slices"
	"strings"
	"time"
)

// build converts the statements of all sections to a Config.
func build(files fs.FS, sections []section, problems *Problems) *Config {
	b := &builder{
		cfg:      &Config{Global: Global{UID: -1, GID: -1, At: make(Places)}},
		problems: problems,
		files:    files,
		defaults: make(map[string]*proxy),
		last:     newProxy(),
		ignored:  make(map[string]bool),
	}
	for _, s := range sections {
		b.section(s)
	}
	for _, p := range b.proxies {
		b.finish(p)
	}
	return b.cfg
}

type builder struct {
	cfg      *Config
	problems *Problems
	files    fs.FS             // has the files that the configuration names
	defaults map[string]*proxy // by name; unnamed defaults sections are not in it
	last     *proxy            // the defaults section for proxies without `from`: the latest one
	proxies  []*proxy
	// threadsSaid means that nbthread is set; nbproc is then ignored.
	threadsSaid bool
	ignored     map[string]bool // sections and directives that a warning was already given for
}

// proxy is a defaults, frontend, backend or listen section while it is parsed. It always has a
// frontend and a backend part, so that a defaults section can set both.
type proxy struct {
	section
	scope        scope
	front        Frontend
	back         Backend
	mode         Mode
	logs         []logLine
	http         HTTPSettings
	smartAccept  *bool      // option tcp-smart-accept; nil: the default of the mode
	redirects    []HTTPRule // from `redirect` directives; they follow all http-request rules
	checks       bool       // option httpchk is set and no later option tcp-check
	checksAt     Pos
	disableOn404 bool // http-check disable-on-404 is set
	checkRules   checkRules
	template     Server   // settings of default-server
	httpOnly     Problems // errors about directives that only mode http uses; the first `handed` are inherited
	handed       int
	inherited    Places
	own          Places
}

// logLine is one `log` directive. global means `log global`: the targets of the global section.
type logLine struct {
	global bool
	target LogTarget
}

func newProxy() *proxy {
	return &proxy{
		back:     Backend{Retries: defaultRetries, Balance: Balance{Algorithm: defaultBalance}},
		template: newServer(),
	}
}

// The defaults are HAProxy's (configuration.txt 4.2 and 5.2).
const (
	defaultRetries = 3
	defaultBalance = "roundrobin"
)

func newServer() Server {
	return Server{Weight: 1, Inter: 2 * time.Second, Rise: 2, Fall: 3}
}

// heir returns a proxy for section s that inherits the settings of p.
func (p *proxy) heir(s section) *proxy {
	child := *p
	child.section, child.scope = s, kinds[s.kind]
	child.logs = slices.Clone(p.logs)
	child.httpOnly, child.handed = slices.Clip(p.httpOnly), len(p.httpOnly)
	child.inherited = p.places()
	child.own = make(Places)
	child.checkRules.own = false
	return &child
}

// places returns the positions of the inherited and the own directives. An own directive hides an
// inherited one.
func (p *proxy) places() Places {
	all := make(Places, len(p.inherited)+len(p.own))
	maps.Copy(all, p.inherited)
	maps.Copy(all, p.own)
	return all
}

func (b *builder) section(s section) {
	if s.kind == "global" {
		b.cfg.Global.Pos = s.pos
		b.statements(s, nil)
		return
	}
	p := b.base(s).heir(s)
	b.checkName(s)
	b.statements(s, p)
	if s.kind != "defaults" {
		b.proxies = append(b.proxies, p)
		return
	}
	b.last = p
	if s.name != "" {
		b.defaults[s.name] = p
	}
}

// base returns the settings that a section inherits (configuration.txt 4).
func (b *builder) base(s section) *proxy {
	if s.from != "" {
		if p := b.defaults[s.from]; p != nil {
			return p
		}
		b.problems.Errorf(s.pos, "%s: from '%s': no defaults section of this name before it", s.title(), s.from)
	}
	if s.kind == "defaults" {
		return newProxy()
	}
	return b.last
}

func (b *builder) checkName(s section) {
	if s.kind == "defaults" {
		return
	}
	if fault := nameFault(s.name); fault != "" {
		b.problems.Errorf(s.pos, "%s: %s", s.kind, fault)
	}
}

func (b *builder) statements(s section, p *proxy) {
	for _, st := range s.lines {
		r := &reader{builder: b, p: p, at: st.pos, where: s.title(), units: st.units, args: st.words}
		r.dispatch(kinds[s.kind])
	}
}

// finish adds the frontend and the backend of a parsed section to the configuration. All global
// settings must be known.
func (b *builder) finish(p *proxy) {
	p.http.HTTPRequest = append(p.http.HTTPRequest, p.redirects...)
	b.settleMode(p)
	at, listen := p.places(), p.kind == "listen"
	if p.scope&inFront != 0 {
		f := p.front
		f.Name, f.Pos, f.Listen, f.Mode, f.At = p.name, p.pos, listen, p.mode, at
		f.Log.Targets = b.targets(p)
		f.HTTPSettings = p.http
		f.SmartAccept = p.mode == HTTP
		if p.smartAccept != nil {
			f.SmartAccept = *p.smartAccept
		}
		if listen && f.DefaultBackend == "" {
			f.DefaultBackend = p.name
		}
		b.cfg.Frontends = append(b.cfg.Frontends, &f)
	}
	if p.scope&inBack != 0 {
		k := p.back
		k.Name, k.Pos, k.Listen, k.Mode, k.At = p.name, p.pos, listen, p.mode, at
		k.Log.Targets = b.targets(p)
		k.ACLs, k.HTTPSettings = p.front.ACLs, p.http
		k.HTTPCheck = b.httpCheck(p)
		b.cfg.Backends = append(b.cfg.Backends, &k)
	}
}

func (b *builder) targets(p *proxy) []LogTarget {
	var targets []LogTarget
	for _, l := range p.logs {
		if l.global {
			targets = append(targets, b.cfg.Global.Log...)
			continue
		}
		targets = append(targets, l.target)
	}
	return targets
}

// settleMode applies the mode of a proxy. In mode tcp it removes all settings that need mode http;
// it warns of those in the proxy's own section, as HAProxy does. In mode http it reports the
// directives that are not supported.
func (b *builder) settleMode(p *proxy) {
	if p.mode == HTTP {
		b.refuse(p.httpOnly)
		return
	}
	var ignored Problems
	for _, problem := range p.httpOnly[p.handed:] {
		name, _, _ := strings.Cut(problem.Text, ":")
		ignored.Warnf(problem.Pos, "%s: ignored, it needs mode http", name)
	}
	for _, name := range keysOf(p.own) {
		if needsHTTP(name) {
			ignored.Warnf(p.own[name], "'%s' in %s: ignored, it needs mode http", name, p.title())
		}
	}
	b.refuse(ignored)
	p.back.Cookie, p.http, p.front.Captures, p.front.Monitor = nil, HTTPSettings{}, Captures{}, Monitor{}
	p.front.IgnoreProbes, p.back.PretendKeepAlive, p.back.Persist = false, false, false
	if p.front.Log.Format == LogHTTP {
		p.front.Log.Format = LogTCP
		if p.scope&inFront != 0 {
			b.problems.Warnf(p.places()["option httplog"], "'option httplog' with %s: it needs mode http, 'option tcplog' is used", p.title())
		}
	}
}

// needsHTTP reports whether a directive is only for mode http. name is as in messages: an option
// has `option` before it, and a keyword may follow.
func needsHTTP(name string) bool {
	first, second, _ := strings.Cut(name, " ")
	if first == "option" {
		return slices.Contains(httpModeOptions, second)
	}
	return slices.Contains(httpModeWords, first)
}

// refuse reports problems that are not reported yet. One line of a defaults section may concern
// many proxies.
func (b *builder) refuse(problems Problems) {
	for _, p := range problems {
		if !slices.Contains(*b.problems, p) {
			*b.problems = append(*b.problems, p)
		}
	}
}
