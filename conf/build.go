package conf

import (
	"maps"
	"slices"
	"strings"
	"time"
)

// build gives the statements of all sections their meaning.
func build(sections []section, problems *Problems) *Config {
	b := &builder{
		cfg:      &Config{Global: Global{UID: -1, GID: -1, At: make(Places)}},
		problems: problems,
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
	defaults map[string]*proxy // by name
	last     *proxy            // the defaults section that holds without `from`
	proxies  []*proxy
	// threadsSaid: nbthread is set and wins over nbproc.
	threadsSaid bool
	ignored     map[string]bool // sections and words that are warned of already
}

// proxy is a defaults, frontend, backend or listen section while it is read.
// Both halves are always there, so that a defaults section can fill them.
type proxy struct {
	section
	scope        scope
	front        Frontend
	back         Backend
	mode         Mode
	logs         []logLine
	http         HTTPSettings
	smartAccept  *bool      // nil: as the mode has it
	redirects    []HTTPRule // of the old word, behind all of http-request
	checks       bool       // option httpchk, or the last of it and option tcp-check
	checksAt     Pos
	disableOn404 bool // http-check disable-on-404
	checkRules   checkRules
	template     Server   // default-server
	httpOnly     Problems // words of mode http that are not known; the first `handed` are inherited
	handed       int
	inherited    Places
	own          Places
}

// logLine is one `log` line; global stands for those of the global section.
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

// HAProxy's defaults (configuration.txt 4.2 and 5.2).
const (
	defaultRetries = 3
	defaultBalance = "roundrobin"
)

func newServer() Server {
	return Server{Weight: 1, Inter: 2 * time.Second, Rise: 2, Fall: 3}
}

// heir returns a proxy that starts with the settings of p.
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

// places merges where the inherited and the own directives stand.
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

// base returns the settings a section starts with (configuration.txt 4).
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

// finish turns a read section into frontend and backend, now that all global
// settings are known.
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

// settleMode drops what only mode http knows from a proxy in mode tcp, with
// HAProxy's warnings for what its own section asked for, and refuses in mode
// http what is not known.
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

// needsHTTP says whether a directive, with what stands behind it in messages,
// has a meaning in mode http only.
func needsHTTP(name string) bool {
	first, second, _ := strings.Cut(name, " ")
	if first == "option" {
		return slices.Contains(httpModeOptions, second)
	}
	return slices.Contains(httpModeWords, first)
}

// refuse reports problems that are not reported yet: one line of a defaults
// section may reach many proxies.
func (b *builder) refuse(problems Problems) {
	for _, p := range problems {
		if !slices.Contains(*b.problems, p) {
			*b.problems = append(*b.problems, p)
		}
	}
}
