package conf

import "slices"

func (r *reader) acl() {
	a, err := ParseACL(r.at, r.args)
	if err != nil {
		r.errorf("%s", err)
	}
	if a != nil {
		r.p.front.ACLs = append(r.p.front.ACLs, a)
	}
}

func (r *reader) useBackend() {
	name := r.next()
	if !r.backendName(name) {
		return
	}
	cond, ok := r.cond()
	if !ok {
		return
	}
	r.p.front.UseBackend = append(r.p.front.UseBackend, UseBackend{Pos: r.at, Backend: name, Cond: cond})
}

// cond parses the rest of the line as a condition. It returns nil if nothing follows.
func (r *reader) cond() (*Cond, bool) {
	if len(r.args) == 0 {
		return nil, true
	}
	cond, err := ParseCond(r.at, r.args)
	if err != nil {
		r.errorf("%s", err)
		return nil, false
	}
	return cond, true
}

// tcpRequest parses `tcp-request connection|content accept|reject [if ...]` and `tcp-request
// inspect-delay TIME`.
func (r *reader) tcpRequest() {
	f, what := &r.p.front, r.next()
	if what != "" {
		r.name += " " + what
	}
	switch what {
	case "connection":
		r.rule(&f.Connection)
	case "content":
		r.rule(&f.Content)
	case "inspect-delay":
		if arg, ok := r.only("a time"); ok {
			r.duration(r.name, arg, &f.InspectDelay)
		}
	default:
		r.errorf("not supported, wanted connection, content or inspect-delay")
	}
}

func (r *reader) rule(rules *[]Rule) {
	word := r.next()
	action := Action(slices.Index([]string{Accept.String(), Reject.String()}, word))
	if action > Reject {
		r.errorf("%s, wanted accept or reject", after("action", word))
		return
	}
	if cond, ok := r.cond(); ok {
		*rules = append(*rules, Rule{Pos: r.at, Action: action, Cond: cond})
	}
}
