package acl

import (
	"math"
	"net/netip"
	"slices"
)

// none is behind every rule.
const none = int32(math.MaxInt32)

// table holds patterns of many rules over one expr. It is immutable.
type table interface {
	// first is the lowest rule, not below from, with a pattern that matches v.
	first(v value, from int32) int32
	// lowest is the lowest rule, not below from, with any pattern.
	lowest(from int32) int32
}

// side says which table a pattern belongs in.
type side uint8

const (
	nowhere side = iota // its matcher can't be looked up
	whole               // str and bin
	front               // beg
	back                // end
	nets                // ip
	sides               // how many they are
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

// rules is a sorted list of rules.
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

// networks finds addresses in networks by one look-up for each length of prefix
// that occurs, whatever their number.
type networks struct {
	rules
	at   map[netip.Prefix]rules
	bits []int // lengths that occur
}

func newNetworks(keys []key) *networks {
	t := &networks{rules: rulesOf(keys), at: make(map[netip.Prefix]rules, len(keys))}
	for _, k := range keys {
		t.at[k.net] = append(t.at[k.net], k.rule)
		if !slices.Contains(t.bits, k.net.Bits()) {
			t.bits = append(t.bits, k.net.Bits())
		}
	}
	for _, r := range t.at {
		slices.Sort(r)
	}
	return t
}

func (t *networks) first(v value, from int32) int32 {
	best := none
	for _, bits := range t.bits {
		// an error means that the prefix is longer than the address
		if p, err := v.ip.Prefix(bits); err == nil {
			best = min(best, t.at[p].lowest(from))
		}
	}
	return best
}
