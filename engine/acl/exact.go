package acl

import (
	"hash/maphash"
	"slices"
)

// exact is a hash table with open addressing that finds the pattern equal to a value. A look-up
// costs two cache misses, one for the slot and one for the text, whatever the number of patterns.
type exact struct {
	rules
	slots []slot  // more than half of them are free
	lists []rules // the rules of each text that several keys have
}

// slot holds one text. Comparing the hash first avoids most comparisons of different texts.
type slot struct {
	text string
	hash uint32
	rule int32 // the only rule of this text; below 0: the complement of an index in exact.lists; none: the slot is free
}

// hashSeed is random in each process, so that a client cannot choose names that collide.
var hashSeed = maphash.MakeSeed()

func newExact(keys []key) *exact {
	byText := make(map[string]rules, len(keys))
	for _, k := range keys {
		byText[k.text] = append(byText[k.text], k.rule)
	}
	t := &exact{rules: rulesOf(keys), slots: slices.Repeat([]slot{{rule: none}}, 2*len(byText)+1)}
	for text, list := range byText {
		rule := list[0]
		if len(list) > 1 {
			slices.Sort(list)
			rule = ^int32(len(t.lists))
			t.lists = append(t.lists, list)
		}
		hash := uint32(maphash.String(hashSeed, text))
		*t.find(hash, []byte(text)) = slot{text, hash, rule}
	}
	return t
}

func (t *exact) first(v value, from int32) int32 {
	s := t.find(uint32(maphash.Bytes(hashSeed, v.b)), v.b)
	switch {
	case s.rule < 0:
		return t.lists[^s.rule].lowest(from)
	case s.rule < from:
		return none
	}
	return s.rule
}

// find returns the slot of a text, or the free slot in which to store it.
func (t *exact) find(hash uint32, text []byte) *slot {
	at := int(uint64(hash) * uint64(len(t.slots)) >> 32)
	for {
		s := &t.slots[at]
		if s.rule == none || s.hash == hash && s.text == string(text) {
			return s
		}
		if at++; at == len(t.slots) {
			at = 0
		}
	}
}
