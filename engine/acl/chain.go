package acl

import "slices"

// chain is rules that are tried in order until one is true. It is immutable.
type chain struct {
	conds   []*cond
	loose   rules // those that no index names
	unsure  rules // those that ask for more than the pattern by which an index names them
	indexes []index
}

// index names the rules of a chain that have a pattern for what an expr yields.
type index struct {
	expr   *expr
	tables []table
}

// first returns the first rule that is true, or the first of which that can't
// be told yet. False: there is none.
func (c *chain) first(f *Facts) (rule int32, t Truth) { return c.next(f, 0) }

// next is first among the rules from on.
func (c *chain) next(f *Facts, from int32) (rule int32, t Truth) {
	for ; ; from = rule + 1 {
		var hit bool
		rule, hit = c.candidate(f, from)
		if i, t := c.firstLoose(f, from, rule); t != False {
			return i, t
		}
		if rule == none {
			return none, False
		}
		// evaluating it again would touch eight objects that no other rule has
		if hit && !c.unsure.has(rule) {
			return rule, True
		}
		if t := c.conds[rule].eval(f); t != False {
			return rule, t
		}
	}
}

// firstLoose is first among the rules from, up to and without to, that are in
// no index.
func (c *chain) firstLoose(f *Facts, from, to int32) (int32, Truth) {
	i, _ := slices.BinarySearch(c.loose, from)
	for _, rule := range c.loose[i:] {
		if rule >= to {
			break
		}
		if t := c.conds[rule].eval(f); t != False {
			return rule, t
		}
	}
	return none, False
}

// candidate is the lowest rule, not below from, that an index can't rule out;
// hit says that its pattern was found.
func (c *chain) candidate(f *Facts, from int32) (rule int32, hit bool) {
	rule = none
	for i := range c.indexes {
		if r, h := c.indexes[i].candidate(f, from); r < rule {
			rule, hit = r, h
		}
	}
	return rule, hit
}

func (x *index) candidate(f *Facts, from int32) (rule int32, hit bool) {
	f.at = place{}
	rule = none
	for {
		v, p := x.expr.next(f)
		switch p {
		case absent:
			return rule, true
		case lacking, changing:
			return x.lowest(from), false
		}
		rule = min(rule, x.first(v, from))
		if !x.expr.many() {
			return rule, true
		}
	}
}

func (x *index) first(v value, from int32) int32 {
	best := none
	for _, t := range x.tables {
		best = min(best, t.first(v, from))
	}
	return best
}

func (x *index) lowest(from int32) int32 {
	best := none
	for _, t := range x.tables {
		best = min(best, t.lowest(from))
	}
	return best
}

// mostKeys is how many patterns of one rule are worth a place in an index: an
// ACL with more has them in a table of its own, which is asked once.
const mostKeys = 1024

// newChain builds the indexes over the conditions.
func newChain(conds []*cond) chain {
	c := chain{conds: conds}
	s := shelf{uses: map[*acl]int{}, books: map[string]*book{}}
	for _, cond := range conds {
		s.count(cond)
	}
	for i, cond := range conds {
		switch {
		case !s.file(cond, int32(i)):
			c.loose = append(c.loose, int32(i))
		case slices.ContainsFunc(cond.any, func(terms []term) bool { return len(terms) > 1 }):
			c.unsure = append(c.unsure, int32(i))
		}
	}
	for _, b := range s.order {
		c.indexes = append(c.indexes, b.index())
	}
	return c
}

// shelf collects the keys of a chain by the index they go to.
type shelf struct {
	uses  map[*acl]int     // conditions that name it
	books map[string]*book // by the text of their expr
	order []*book
}

type book struct {
	expr *expr
	keys [sides][]key
}

func (b *book) index() index {
	x := index{expr: b.expr}
	for s, keys := range b.keys {
		if keys != nil {
			x.tables = append(x.tables, newTable(side(s), keys))
		}
	}
	return x
}

func (s *shelf) count(c *cond) {
	if c == nil {
		return
	}
	for _, terms := range c.any {
		for _, t := range terms {
			s.uses[t.acl]++
		}
	}
}

// file puts a rule in the indexes if each of its alternatives has a term that
// can stand guard for it.
func (s *shelf) file(c *cond, rule int32) bool {
	if c == nil || c.unless {
		return false
	}
	var guards []*acl
	for _, terms := range c.any {
		g := s.guard(terms)
		if g == nil {
			return false
		}
		guards = append(guards, g)
	}
	for _, g := range guards {
		for _, t := range g.tests {
			s.add(t, rule)
		}
	}
	return true
}

// guard is the ACL that must be true for the terms to hold and can be looked up.
// Among several it is the one that the fewest rules name, as it rules out most.
func (s *shelf) guard(terms []term) *acl {
	var best *acl
	for _, t := range terms {
		if t.not || !t.acl.indexable() {
			continue
		}
		if best == nil || s.uses[t.acl] < s.uses[best] {
			best = t.acl
		}
	}
	return best
}

func (a *acl) indexable() bool {
	keys := 0
	for _, t := range a.tests {
		if t.side == nowhere {
			return false
		}
		keys += len(t.keys)
	}
	return keys <= mostKeys
}

func (s *shelf) add(t *test, rule int32) {
	b := s.books[t.expr.text]
	if b == nil {
		b = &book{expr: t.expr}
		s.books[t.expr.text] = b
		s.order = append(s.order, b)
	}
	for _, k := range t.keys {
		k.rule = rule
		b.keys[t.side] = append(b.keys[t.side], k)
	}
}
