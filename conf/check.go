package conf

import (
	"cmp"
	"fmt"
)

// Check finds problems that a single line cannot show: in names, references, modes, and
// combinations that often surprise. Draft calls it.
func Check(c *Config) Problems {
	k := &checker{Config: c, fronts: make(map[string]*Frontend), backs: make(map[string]*Backend)}
	k.global()
	k.names()
	for _, f := range c.Frontends {
		k.frontend(f)
	}
	for _, b := range c.Backends {
		k.backend(b)
	}
	k.timeouts()
	return k.problems
}

// checker holds indexes for the names that a large configuration refers to often. If
// a name occurs twice, the first one counts.
type checker struct {
	*Config
	problems Problems
	fronts   map[string]*Frontend
	backs    map[string]*Backend
}

// Title returns the name of the proxy for messages: `frontend 'x'` or `listen 'x'`.
func (f *Frontend) Title() string { return title("frontend", f.Name, f.Listen) }

// Title returns the name of the proxy for messages: `backend 'x'` or `listen 'x'`.
func (b *Backend) Title() string { return title("backend", b.Name, b.Listen) }

func title(kind, name string, listen bool) string {
	if listen {
		kind = "listen"
	}
	return fmt.Sprintf("%s '%s'", kind, name)
}

// FDsPerConn is the number of descriptors for one connection: the client's socket and the server's.
const FDsPerConn = 2

func (k *checker) global() {
	g := &k.Global
	if g.UID >= 0 && g.User != "" {
		k.problems.Errorf(g.Place("user"), "'uid' and 'user' in global: both are set, wanted one of them")
	}
	if g.GID >= 0 && g.Group != "" {
		k.problems.Errorf(g.Place("group"), "'gid' and 'group' in global: both are set, wanted one of them")
	}
	if need := FDsPerConn * g.MaxConn; g.UlimitN > 0 && g.UlimitN < need {
		k.problems.Warnf(g.Place("ulimit-n"), "'ulimit-n' in global: %d is too small for maxconn %d, which needs %d for connections (%d each) and some more; without ulimit-n it is computed",
			g.UlimitN, g.MaxConn, need, FDsPerConn)
	}
}

// names reports proxies with the same name. A frontend and a backend may have the same name.
func (k *checker) names() {
	for _, f := range k.Frontends {
		if first := k.fronts[f.Name]; first != nil {
			k.taken(f.Pos, f.Title(), first.Pos, first.Title())
			continue
		}
		k.fronts[f.Name] = f
	}
	for _, b := range k.Backends {
		first := k.backs[b.Name]
		if first != nil && !(first.Listen && b.Listen) {
			k.taken(b.Pos, b.Title(), first.Pos, first.Title())
		}
		k.backs[b.Name] = cmp.Or(first, b)
	}
}

func (k *checker) taken(at Pos, what string, firstAt Pos, first string) {
	k.problems.Errorf(at, "%s: %s at %s has this name, wanted another", what, first, firstAt)
}

// timeouts warns of missing timeouts, once for each proxy. HAProxy warns of the same timeouts.
func (k *checker) timeouts() {
	for _, f := range k.Frontends {
		if f.Listen || len(f.Binds) == 0 || f.Timeout.Client > 0 {
			continue
		}
		k.noTimeout(f.Pos, f.Title(), []string{"client"})
	}
	for _, b := range k.Backends {
		var missing []string
		f := k.fronts[b.Name]
		if b.Listen && f != nil && len(f.Binds) > 0 && f.Timeout.Client == 0 {
			missing = append(missing, "client")
		}
		if len(b.Servers) > 0 && b.Timeout.Connect == 0 {
			missing = append(missing, "connect")
		}
		if len(b.Servers) > 0 && b.Timeout.Server == 0 {
			missing = append(missing, "server")
		}
		if missing != nil {
			k.noTimeout(b.Pos, b.Title(), missing)
		}
	}
}

func (k *checker) noTimeout(at Pos, title string, missing []string) {
	for i := range missing {
		missing[i] = "'timeout " + missing[i] + "'"
	}
	k.problems.Warnf(at, "%s has no %s: a silent peer holds its connection for ever", title, list(missing))
}
