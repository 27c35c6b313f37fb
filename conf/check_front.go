package conf

import "slices"

func (k *checker) frontend(f *Frontend) {
	if len(f.Binds) == 0 {
		k.problems.Warnf(f.Pos, "%s has no 'bind': nobody can connect to it", f.Title())
	}
	if len(f.Binds) > 0 && f.DefaultBackend == "" && len(f.UseBackend) == 0 {
		k.problems.Warnf(f.Pos, "%s has no 'use_backend' and no 'default_backend': every connection is closed", f.Title())
	}
	if len(f.Binds) > 0 && f.Log.Format != LogDefault && len(f.Log.Targets) == 0 {
		k.problems.Warnf(f.Pos, "%s has a log format and no 'log' to write to", f.Title())
	}
	k.targets(f)
	k.conditions(f.Title(), f.ACLs, f.conds())
	k.formatMode(f)
	k.jsonLength(f)
	k.unreachable(f)
	for _, a := range f.ACLs {
		k.suffix(f.Title(), a)
	}
}

// targets checks that the backends exist that the frontend uses.
func (k *checker) targets(f *Frontend) {
	for _, u := range f.UseBackend {
		k.target(f, u.Pos, "use_backend", u.Backend)
	}
	if f.DefaultBackend != "" {
		k.target(f, placeOr(f.At, "default_backend", f.Pos), "default_backend", f.DefaultBackend)
	}
}

func (k *checker) target(f *Frontend, at Pos, word, name string) {
	b := k.backs[name]
	switch {
	case b == nil:
		k.problems.Errorf(at, "'%s %s' in %s: no backend has this name%s", word, name, f.Title(), suggest(name, keysOf(k.backs), ""))
	case f.Mode == HTTP && b.Mode == TCP:
		k.problems.Errorf(at, "'%s %s' in %s: the frontend is in mode http and the backend in mode tcp, wanted one mode", word, name, f.Title())
	}
}

// placeOr returns the position of the directive, or that of the section if there is no such
// directive.
func placeOr(at Places, word string, section Pos) Pos {
	if p, ok := at[word]; ok {
		return p
	}
	return section
}

// conditions checks that the ACLs exist that conditions name.
func (k *checker) conditions(title string, acls []*ACL, conds []*Cond) {
	named := make(map[string]bool)
	for _, a := range acls {
		named[a.Name] = true
	}
	for _, c := range conds {
		for _, t := range slices.Concat(c.Any...) {
			if t.Anon != nil {
				k.suffix(title, t.Anon)
				continue
			}
			if _, own := PredefinedACL(t.Name); !own && !named[t.Name] {
				k.problems.Errorf(c.Pos, "condition '%s' in %s: no acl has the name '%s'%s", c.Text, title, t.Name, suggest(t.Name, keysOf(named), ""))
			}
		}
	}
}

// conds returns all conditions of the frontend.
func (f *Frontend) conds() []*Cond {
	var all []*Cond
	for _, r := range slices.Concat(f.Connection, f.Content) {
		all = append(all, r.Cond)
	}
	all = append(append(all, f.Monitor.Fail...), f.HTTPSettings.conds()...)
	for _, u := range f.UseBackend {
		all = append(all, u.Cond)
	}
	return slices.DeleteFunc(all, func(c *Cond) bool { return c == nil })
}

// conds returns the conditions of the rules.
func (s *HTTPSettings) conds() []*Cond {
	var all []*Cond
	for _, r := range slices.Concat(s.HTTPRequest, s.HTTPResponse) {
		if r.Cond != nil {
			all = append(all, r.Cond)
		}
	}
	return all
}

// unreachable warns of rules after a rule without a condition.
func (k *checker) unreachable(f *Frontend) {
	k.finals(f.Title(), "http-request", f.HTTPRequest)
	k.finals(f.Title(), "http-response", f.HTTPResponse)
	k.framing(f.Title(), &f.HTTPSettings)
	k.behind(f, "tcp-request connection", f.Connection)
	k.behind(f, "tcp-request content", f.Content)
	for i, u := range f.UseBackend {
		if u.Cond == nil && i+1 < len(f.UseBackend) {
			k.problems.Warnf(f.UseBackend[i+1].Pos, "'use_backend %s' in %s is never reached: 'use_backend %s' at %s has no condition",
				f.UseBackend[i+1].Backend, f.Title(), u.Backend, u.Pos)
			return
		}
	}
}

func (k *checker) behind(f *Frontend, word string, rules []Rule) {
	for i, r := range rules {
		if r.Cond == nil && i+1 < len(rules) {
			k.problems.Warnf(rules[i+1].Pos, "'%s %s' in %s is never reached: '%s %s' at %s has no condition",
				word, rules[i+1].Action, f.Title(), word, r.Action, r.Pos)
			return
		}
	}
}

// finals is like behind, for rules of which only some actions end the list.
func (k *checker) finals(title, word string, rules []HTTPRule) {
	for i, r := range rules {
		skips := r.Action == RedirectTo && r.Redirect.Skips()
		if r.Cond == nil && r.Action.Final() && !skips && i+1 < len(rules) {
			k.problems.Warnf(rules[i+1].Pos, "'%s %s' in %s is never reached: '%s %s' at %s has no condition",
				word, rules[i+1].Action, title, word, r.Action, r.Pos)
			return
		}
	}
}
