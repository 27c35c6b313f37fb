package acl

import (
	"hash/maphash"
	"slices"
)

// exact finds the pattern that equals a value, by open addressing: it costs two
// cache misses, the slot and the text, however many patterns there are.
type exact struct {
	rules
	slots []slot  // more than half are free
	lists []rules // of the texts that several keys have
}

// slot is a text. The rest of the hash tells most others from it without a look
// at their bytes.
type slot struct {
	text string
	hash uint32
	rule int32 // its only one, or the complement of an index into exact.lists; none: the slot is free
}

// hashSeed is another in each process, so that nobody can choose names that
// collide.
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

// find returns the slot of a text, or the free one where it would lie.
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
