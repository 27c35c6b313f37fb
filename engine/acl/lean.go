package acl

import "sluice/conf"

// lean is the result of a test that reads the request head, while the head is unclear: package sniff
// refuses it, but a lenient server may read a request in it. Usually such a test finds nothing. A
// tcp-request content rule is a filter, and a filter must not let through what it cannot read: so
// the tests lean towards a reject rule that matches and an accept rule that does not.
type lean int8

const (
	leansFalse lean = -1
	noLean     lean = 0 // the test finds nothing
	leansTrue  lean = 1
)

// reverse is for tests after "!" or "unless".
func (l lean) reverse() lean { return -l }

func (l lean) truth() Truth {
	if l == leansTrue {
		return True
	}
	return False
}

// unclear reports whether the client's bytes begin like a request that cannot be read without doubt.
func (f *Facts) unclear() bool { return f.Sniff != nil && f.Sniff.HTTP.Unclear }

// filter returns the first tcp-request content rule that is not false, like first. While the head
// is unclear it uses no index, because an index finds only rules whose patterns match.
func (r *ruleset) filter(f *Facts) (rule int32, t Truth) {
	if !f.unclear() {
		return r.first(f)
	}
	for i := range r.conds {
		if t := r.filtered(f, i); t != False {
			return int32(i), t
		}
	}
	return none, False
}

// filtered evaluates the tcp-request content rule with index i.
func (r *ruleset) filtered(f *Facts, i int) Truth {
	if f.unclear() {
		f.lean = leansFalse
		if r.actions[i] == conf.Reject {
			f.lean = leansTrue
		}
	}
	t := r.conds[i].eval(f)
	f.lean = noLean
	return t
}
