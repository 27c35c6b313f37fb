package acl

// test is one compiled acl line. It is immutable. ACLs and conditions that contain the same line
// share it.
type test struct {
	expr    *expr
	matcher matcher

	// for the tables of a chain; side is nowhere if the matcher cannot be looked up
	side side
	keys []key
}

func (t *test) eval(f *Facts) Truth {
	if f.lean != noLean && t.expr.fetch.needs.HTTP {
		return f.lean.truth()
	}
	f.at = place{}
	result := False
	for {
		v, p := t.expr.next(f)
		switch {
		case p == absent:
			return result
		case p == lacking:
			return Unknown
		case t.matcher.match(v):
			return True
		case p == changing:
			result = Unknown
		}
		if !t.expr.many() {
			return result
		}
	}
}

// acl holds all lines of one name. It is true if one of them is true.
type acl struct {
	tests []*test
	id    int // equal for ACLs with the same lines
}

func (a *acl) eval(f *Facts) Truth {
	result := False
	for _, t := range a.tests {
		if result |= t.eval(f); result == True {
			break
		}
	}
	return result
}

type term struct {
	acl *acl
	not bool
}

func (t term) eval(f *Facts) Truth {
	if !t.not {
		return t.acl.eval(f)
	}
	f.lean = f.lean.reverse()
	result := t.acl.eval(f).not()
	f.lean = f.lean.reverse()
	return result
}

// cond is a list of alternatives; an alternative is a list of terms that must all be true. A nil
// cond is always true.
type cond struct {
	any    [][]term
	unless bool
}

func (c *cond) eval(f *Facts) Truth {
	if c == nil {
		return True
	}
	if !c.unless {
		return c.holds(f)
	}
	f.lean = f.lean.reverse()
	result := c.holds(f).not()
	f.lean = f.lean.reverse()
	return result
}

// holds evaluates the alternatives.
func (c *cond) holds(f *Facts) Truth {
	result := False
	for _, terms := range c.any {
		if result |= all(terms, f); result == True {
			break
		}
	}
	return result
}

func all(terms []term, f *Facts) Truth {
	result := True
	for _, t := range terms {
		if result &= t.eval(f); result == False {
			break
		}
	}
	return result
}

// needs returns the facts that the condition requires.
func (c *cond) needs() (n Needs) {
	if c == nil {
		return n
	}
	for _, terms := range c.any {
		for _, t := range terms {
			for _, test := range t.acl.tests {
				n = n.or(test.expr.fetch.needs)
			}
		}
	}
	return n
}
