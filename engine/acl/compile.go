package acl

import (
	"fmt"
	"io/fs"
	"strings"

	"sluice/conf"
)

// compiler holds the data that is shared while one proxy is compiled.
type compiler struct {
	problems conf.Problems
	where    string
	mode     conf.Mode
	declared map[string][]*conf.ACL
	named    map[string]*acl
	byText   map[string]*acl  // by the text of its tests: ACLs with equal tests are one object
	tests    map[string]*test // by the text of the line without its name; nil: the line has errors
	exprs    map[string]*expr // by its text
	source   fs.FS            // has the pattern files
	files    map[string][]pattern
}

func newCompiler(source fs.FS, title string, mode conf.Mode, acls []*conf.ACL) *compiler {
	w := &compiler{
		source:   source,
		where:    title,
		mode:     mode,
		declared: map[string][]*conf.ACL{},
		named:    map[string]*acl{},
		byText:   map[string]*acl{},
		tests:    map[string]*test{},
		exprs:    map[string]*expr{},
		files:    map[string][]pattern{},
	}
	for _, a := range acls {
		w.declared[a.Name] = append(w.declared[a.Name], a)
	}
	// in the order of the configuration; also ACLs that no rule uses, so that their errors are
	// reported
	for _, a := range acls {
		w.name(a.Name, a.Pos)
	}
	return w
}

// cond compiles a condition. If it has errors, the result must not be used.
func (w *compiler) cond(c *conf.Cond) *cond {
	if c == nil {
		return nil
	}
	out := &cond{unless: c.Unless}
	for _, terms := range c.Any {
		var all []term
		for _, t := range terms {
			all = append(all, term{w.term(c, t), t.Not})
		}
		out.any = append(out.any, all)
	}
	return out
}

func (w *compiler) term(c *conf.Cond, t conf.Term) *acl {
	if t.Anon != nil {
		return w.acl([]*conf.ACL{t.Anon})
	}
	a := w.name(t.Name, c.Pos)
	if a == nil {
		w.problems.Errorf(c.Pos, "condition '%s' in %s: no acl has the name '%s'%s", c.Text, w.where, t.Name, near(t.Name, w.named))
		return &acl{id: -len(w.problems)}
	}
	return a
}

// name returns the ACL of that name. A declared ACL hides a predefined ACL of HAProxy. at is the
// position that errors of a predefined ACL are reported at.
func (w *compiler) name(name string, at conf.Pos) *acl {
	if a, ok := w.named[name]; ok {
		return a
	}
	lines := w.declared[name]
	if lines == nil {
		own, ok := conf.PredefinedACL(name)
		if !ok {
			return nil
		}
		here := *own
		here.Pos = at
		lines = []*conf.ACL{&here}
	}
	w.named[name] = w.acl(lines)
	return w.named[name]
}

func (w *compiler) acl(lines []*conf.ACL) *acl {
	a := &acl{id: len(w.byText)}
	var key strings.Builder
	for _, l := range lines {
		text := canonical(l)
		fmt.Fprintf(&key, "%d:%s", len(text), text)
		if t := w.test(l, text); t != nil {
			a.tests = append(a.tests, t)
		}
	}
	if known, ok := w.byText[key.String()]; ok {
		return known
	}
	w.byText[key.String()] = a
	return a
}

func (w *compiler) test(l *conf.ACL, text string) *test {
	if t, ok := w.tests[text]; ok {
		return t
	}
	b := builder{compiler: w, line: l}
	t := b.build()
	w.tests[text] = t
	return t
}

// shared returns the one expr for all tests with the same text. Sharing keeps the memory small that
// thousands of rules read.
func (w *compiler) shared(e *expr) *expr {
	if known, ok := w.exprs[e.text]; ok {
		return known
	}
	w.exprs[e.text] = e
	return e
}

// canonical returns the text of the line without its name.
func canonical(l *conf.ACL) string {
	anon := *l
	anon.Name = ""
	return anon.String()
}

// shadowed warns of rules that are never reached because an earlier rule has the same condition.
// Package conf warns of rules after a rule without a condition.
func (w *compiler) shadowed(conds []*cond, steps []Step) {
	seen := map[string]int{}
	for i, c := range conds {
		if c == nil {
			continue
		}
		first, ok := seen[c.id()]
		if !ok {
			seen[c.id()] = i
			continue
		}
		w.problems.Warnf(steps[i].Pos, "'%s' in %s is never reached: '%s' at %s has the same condition", steps[i].Text, w.where, steps[first].Text, steps[first].Pos)
	}
}

// id returns the same text for conditions that are written in the same way.
func (c *cond) id() string {
	var b strings.Builder
	fmt.Fprint(&b, c.unless)
	for _, terms := range c.any {
		b.WriteString("|")
		for _, t := range terms {
			fmt.Fprintf(&b, " %t %d", t.not, t.acl.id)
		}
	}
	return b.String()
}
