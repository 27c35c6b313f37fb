package acl

import (
	"math"
	"net/netip"
	"slices"
)

// none is higher than the index of every rule; it means that no rule was found.
const none = int32(math.MaxInt32)

// table holds the patterns of many rules for one expr. It is immutable.
type table interface {
	// first returns the lowest rule, not below from, with a pattern that matches v.
	first(v value, from int32) int32
	// lowest returns the lowest rule, not below from, with any pattern.
	lowest(from int32) int32
}

// side says which kind of table a pattern is stored in.
type side uint8

const (
	nowhere side = iota // the match method cannot be looked up
	whole               // str and bin: the whole value
	front               // beg: the front of the value
	back                // end: the back of the value
	nets                // ip: networks
	sides               // number of sides
)

// key is one pattern of one rule.
type key struct {
	text string
	net  netip.Prefix
	rule int32
}

func newTable(s side, keys []key) table {
	switch s {
	case whole:
		return newExact(keys)
	case nets:
		return newNetworks(keys)
	}
	return newTree(s, keys)
}

// rules is a sorted list of rule indexes.
type rules []int32

func (r rules) lowest(from int32) int32 {
	i, _ := slices.BinarySearch(r, from)
	if i == len(r) {
		return none
	}
	return r[i]
}

func (r rules) has(rule int32) bool { return r.lowest(rule) == rule }

func rulesOf(keys []key) rules {
	all := make(rules, 0, len(keys))
	for _, k := range keys {
		all = append(all, k.rule)
	}
	slices.Sort(all)
	return slices.Compact(all)
}
