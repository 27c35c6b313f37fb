package acl

import (
	"fmt"
	"io/fs"

	"sluice/conf"
)

// Compile checks and compiles the ACLs and rules of a frontend, and reads the pattern files that
// they name. It reads them from files, by the paths as they are written. If the problems contain an
// error, the Program must not be used.
func Compile(files fs.FS, c *conf.Config, f *conf.Frontend) (*Program, conf.Problems) {
	w := newCompiler(files, f.Title(), f.Mode, f.ACLs)
	p := &Program{backend: -1}
	index := make(map[string]int, len(c.Backends))
	for i, b := range c.Backends {
		index[b.Name] = i
	}
	p.connection = w.rules(p, "connection", f.Connection)
	p.connection.onlyAddresses(w, f.Connection)
	p.content = w.rules(p, "content", f.Content)
	p.useBackend = w.useBackends(p, index, f.UseBackend)
	w.defaultBackend(p, index, f)
	p.HTTP = w.http(&f.HTTPSettings)
	for _, c := range f.Monitor.Fail {
		p.monitor = append(p.monitor, w.cond(c))
	}
	p.needs = p.connection.needs().or(p.content.needs()).or(p.useBackend.needs())
	p.needs.Dst = p.needs.Dst || p.Dst
	for _, c := range p.monitor {
		p.needs.Dst = p.needs.Dst || c.needs().Dst
	}
	return p, w.problems
}

func (c *chain) needs() (n Needs) {
	for _, cond := range c.conds {
		n = n.or(cond.needs())
	}
	return n
}

// rules compiles the tcp-request rules of one kind: connection or content.
func (w *compiler) rules(p *Program, kind string, lines []conf.Rule) ruleset {
	r := ruleset{step: len(p.steps)}
	var conds []*cond
	for _, l := range lines {
		conds = append(conds, w.cond(l.Cond))
		r.actions = append(r.actions, l.Action)
		text := line("tcp-request "+kind+" "+l.Action.String(), l.Cond)
		p.steps = append(p.steps, Step{Pos: l.Pos, Text: text})
	}
	return r.build(w, p, conds)
}

func (w *compiler) useBackends(p *Program, index map[string]int, lines []conf.UseBackend) ruleset {
	r := ruleset{step: len(p.steps)}
	var conds []*cond
	for _, l := range lines {
		backend, ok := index[l.Backend]
		if !ok {
			w.undefined(l.Pos, "use_backend", l.Backend, index)
		}
		conds = append(conds, w.cond(l.Cond))
		r.backends = append(r.backends, backend)
		text := line("use_backend "+l.Backend, l.Cond)
		p.steps = append(p.steps, Step{Pos: l.Pos, Text: text, Backend: l.Backend})
	}
	return r.build(w, p, conds)
}

func (r ruleset) build(w *compiler, p *Program, conds []*cond) ruleset {
	w.shadowed(conds, p.steps[r.step:])
	r.chain = newChain(conds)
	return r
}

// defaultBackend sets the default backend. A listen section without default_backend uses the
// backend of its own name.
func (w *compiler) defaultBackend(p *Program, index map[string]int, f *conf.Frontend) {
	name := f.DefaultBackend
	if name == "" && f.Listen {
		name = f.Name
	}
	if name == "" {
		return
	}
	at, ok := f.At["default_backend"]
	if !ok {
		at = f.Pos
	}
	if p.backend, ok = index[name]; !ok {
		p.backend = -1
		w.undefined(at, "default_backend", name, index)
		return
	}
	step := Step{Pos: at, Text: "default_backend " + name, Backend: name, Verdict: True}
	p.steps = append(p.steps, step)
}

// onlyAddresses reports conditions that read bytes: none are known when a connection is accepted.
func (r *ruleset) onlyAddresses(w *compiler, lines []conf.Rule) {
	for i, c := range r.conds {
		if c.needs().Bytes {
			w.problems.Errorf(lines[i].Pos, "'tcp-request connection' in %s: condition '%s' looks at bytes of the client, of which none are read yet; wanted addresses and ports, or 'tcp-request content'", w.where, lines[i].Cond.Text)
		}
	}
}

func (w *compiler) undefined(at conf.Pos, word, name string, index map[string]int) {
	w.problems.Errorf(at, "'%s %s' in %s: no backend has this name%s", word, name, w.where, near(name, index))
}

func line(words string, c *conf.Cond) string {
	if c == nil {
		return words
	}
	return fmt.Sprintf("%s %s", words, c.Text)
}
