package conf

import "slices"

const noHash = "not supported yet, wanted roundrobin"

// Unsupported names what a valid configuration asks for and this version can't
// do yet. Only proxies that can be reached count: a frontend with a bind, and
// the backends it sends to.
func Unsupported(c *Config) Problems {
	u := &refusal{}
	for _, f := range c.Frontends {
		if len(f.Binds) == 0 {
			continue
		}
		for _, name := range f.targets() {
			if b := c.Backend(name); b != nil {
				u.backend(b)
			}
		}
	}
	return u.problems
}

// targets are the names of the backends that the frontend may send to.
func (f *Frontend) targets() []string {
	var names []string
	for _, u := range f.UseBackend {
		names = append(names, u.Backend)
	}
	if f.DefaultBackend != "" {
		names = append(names, f.DefaultBackend)
	}
	return names
}

type refusal struct {
	problems Problems
	done     []*Backend
}

func (u *refusal) backend(b *Backend) {
	if slices.Contains(u.done, b) {
		return
	}
	u.done = append(u.done, b)
	p := usedProxy{u, b.Title(), b.At, b.Pos}
	p.refuse(b.Balance.Algorithm != "roundrobin", "balance", "balance "+b.Balance.Algorithm, noHash)
}

// usedProxy is a proxy that can be reached.
type usedProxy struct {
	*refusal
	title string
	at    Places
	pos   Pos
}

// refuse reports a directive, unless the other half of a listen section has.
func (p usedProxy) refuse(asked bool, key, words, why string) {
	var found Problems
	found.Errorf(placeOr(p.at, key, p.pos), "'%s' in %s: %s", words, p.title, why)
	if asked && !slices.Contains(p.problems, found[0]) {
		p.problems = append(p.problems, found[0])
	}
}
