package diff

import (
	"slices"

	"sluice/conf"
)

// key names a frontend or a backend. A listen section is one of each.
type key struct{ kind, name string }

// proxy is a frontend or a backend.
type proxy struct {
	listen  bool // it is a part of a listen section
	targets []conf.LogTarget
	lines   func() []conf.Line
}

// title returns the section as an operator names it.
func (p *proxy) title(k key) string { return title(k.kind, k.name, p.listen) }

func title(kind, name string, listen bool) string {
	if listen {
		kind = "listen"
	}
	return kind + " " + name
}

// proxies are the proxies of one configuration. The order is that of the file, frontends first, but
// both parts of a listen section follow each other.
type proxies struct {
	order []key
	all   map[key]*proxy
}

func proxiesOf(c *conf.Config) proxies {
	p := proxies{all: make(map[key]*proxy)}
	for _, f := range c.Frontends {
		k := key{"frontend", f.Name}
		p.all[k] = &proxy{f.Listen, f.Log.Targets, func() []conf.Line { return conf.FrontendLines(c, f) }}
		p.order = append(p.order, k)
		if f.Listen {
			p.order = append(p.order, key{"backend", f.Name})
		}
	}
	for _, b := range c.Backends {
		k := key{"backend", b.Name}
		p.all[k] = &proxy{b.Listen, b.Log.Targets, func() []conf.Line { return conf.BackendLines(c, b) }}
		if f := p.all[key{"frontend", b.Name}]; f == nil || !f.listen {
			p.order = append(p.order, k)
		}
	}
	return p
}

// pairing has the proxies of both configurations. Those with the same key are compared, also if one
// is a part of a listen section.
type pairing struct{ was, is proxies }

// keys returns the keys of both configurations. Those that are new follow the others.
func (p pairing) keys() []key {
	return append(slices.Clone(p.was.order), slices.DeleteFunc(slices.Clone(p.is.order), func(k key) bool { return p.was.all[k] != nil })...)
}

func (p pairing) changes(k key) []Change {
	was, is := p.was.all[k], p.is.all[k]
	switch {
	case is == nil:
		return []Change{{Kind: Section, Verb: Removed, Section: p.alone(k, was, p.is)}}
	case was == nil:
		return []Change{{Kind: Section, Verb: Added, Section: p.alone(k, is, p.was)}}
	}
	var changes []Change
	title := is.title(k)
	if before := was.title(k); before != title {
		changes = append(changes, Change{Kind: Section, Verb: Changed, Section: title, Was: before, Is: title})
	}
	return append(changes, compare(title, was.ownLines(is), is.ownLines(was))...)
}

// alone returns the title of a proxy that other does not have. It is that of the whole listen
// section, unless other has its other part.
func (p pairing) alone(k key, only *proxy, other proxies) string {
	if other.all[key{"frontend", k.name}] != nil || other.all[key{"backend", k.name}] != nil {
		return k.kind + " " + k.name
	}
	return only.title(k)
}

// ownLines returns the lines of a proxy. It leaves out its log targets if those of other are equal:
// they may be written as `log global` on one side only, because the targets of the global section
// have changed.
func (p *proxy) ownLines(other *proxy) []conf.Line {
	lines := p.lines()
	if !sameTargets(p.targets, other.targets) {
		return lines
	}
	return slices.DeleteFunc(lines, func(l conf.Line) bool { return l.Name == "log" })
}

// sameTargets reports whether both lists have the same targets, in any order.
func sameTargets(a, b []conf.LogTarget) bool {
	count := make(map[conf.LogTarget]int)
	for _, t := range a {
		t.Pos = conf.Pos{}
		count[t]++
	}
	for _, t := range b {
		t.Pos = conf.Pos{}
		if count[t]--; count[t] < 0 {
			return false
		}
	}
	return len(a) == len(b)
}
