package acl

import "slices"

// chain is a list of rules that are tried in order until one is true. It is immutable.
type chain struct {
	conds     []*cond
	unindexed rules // rules in no index
	needsEval rules // rules for which a hit is not enough and the condition must be evaluated
	indexes   []index
}

// index finds the rules of a chain that have a pattern matching the values of expr.
type index struct {
	expr   *expr
	tables []table
}

// first returns the first rule that is not false: it is true, or more bytes are needed to evaluate
// it. It returns none and False if there is no such rule.
func (c *chain) first(f *Facts) (rule int32, t Truth) { return c.next(f, 0) }

// next is like first for the rules from index from on.
func (c *chain) next(f *Facts, from int32) (rule int32, t Truth) {
	for ; ; from = rule + 1 {
		var hit bool
		rule, hit = c.candidate(f, from)
		if i, t := c.firstUnindexed(f, from, rule); t != False {
			return i, t
		}
		if rule == none {
			return none, False
		}
		// evaluating the condition again would load about eight more objects into the cache
		if hit && !c.needsEval.has(rule) {
			return rule, True
		}
		if t := c.conds[rule].eval(f); t != False {
			return rule, t
		}
	}
}

// firstUnindexed is like first for the rules in no index, from index from up to but not including to.
func (c *chain) firstUnindexed(f *Facts, from, to int32) (int32, Truth) {
	i, _ := slices.BinarySearch(c.unindexed, from)
	for _, rule := range c.unindexed[i:] {
		if rule >= to {
			break
		}
		if t := c.conds[rule].eval(f); t != False {
			return rule, t
		}
	}
	return none, False
}

// candidate returns the first rule, not below from, that the indexes cannot exclude. hit means that
// its pattern matches. Without a hit, bytes are missing and the pattern may still match.
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

// mostKeys is the highest number of patterns that an ACL may put into an index. An ACL with more
// patterns keeps them in its own table, which is searched once.
const mostKeys = 1024

// newChain builds the indexes for the conditions.
func newChain(conds []*cond) chain {
	c := chain{conds: conds}
	s := indexer{uses: map[*acl]int{}, drafts: map[string]*draft{}}
	for _, cond := range conds {
		s.count(cond)
	}
	for i, cond := range conds {
		switch {
		case !s.indexRule(cond, int32(i)):
			c.unindexed = append(c.unindexed, int32(i))
		case slices.ContainsFunc(cond.any, func(terms []term) bool { return len(terms) > 1 }):
			c.needsEval = append(c.needsEval, int32(i))
		}
	}
	for _, b := range s.order {
		c.indexes = append(c.indexes, b.index())
	}
	return c
}

// indexer collects the patterns of a chain, grouped by the index that they belong to.
type indexer struct {
	uses   map[*acl]int      // number of terms that use the ACL
	drafts map[string]*draft // by the text of their expr
	order  []*draft
}

// draft collects the patterns of all conditions that use one expression. The index of the
// expression is built from it.
type draft struct {
	expr *expr
	keys [sides][]key
}

func (b *draft) index() index {
	x := index{expr: b.expr}
	for s, keys := range b.keys {
		if keys != nil {
			x.tables = append(x.tables, newTable(side(s), keys))
		}
	}
	return x
}

func (s *indexer) count(c *cond) {
	if c == nil {
		return
	}
	for _, terms := range c.any {
		for _, t := range terms {
			s.uses[t.acl]++
		}
	}
}

// indexRule adds a rule to the indexes. That is possible only if each alternative of its condition
// has a term that can be looked up. Otherwise indexRule returns false.
func (s *indexer) indexRule(c *cond, rule int32) bool {
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

// guard returns an ACL that must be true for the terms to be true, and that can be looked up. Of
// several it returns the one that the fewest rules use, because it excludes the most rules. It
// returns nil if there is none.
func (s *indexer) guard(terms []term) *acl {
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

func (s *indexer) add(t *test, rule int32) {
	b := s.drafts[t.expr.text]
	if b == nil {
		b = &draft{expr: t.expr}
		s.drafts[t.expr.text] = b
		s.order = append(s.order, b)
	}
	for _, k := range t.keys {
		k.rule = rule
		b.keys[t.side] = append(b.keys[t.side], k)
	}
}
