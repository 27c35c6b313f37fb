package acl

import (
	"fmt"
	"hash/maphash"
	"testing"
)

// TestExact compares tables of all sizes with a plain map. Some texts belong to several rules.
func TestExact(t *testing.T) {
	r := random(t)
	for size := range 300 {
		var keys []key
		byText := map[string]rules{}
		word := func() string { return fmt.Sprint(r.IntN(size + 1))[r.IntN(2):] } // some words are empty
		for range size {
			k := key{text: word(), rule: int32(r.IntN(20))}
			keys = append(keys, k)
			byText[k.text] = append(byText[k.text], k.rule)
		}
		table := newExact(keys)
		for range 2*size + 1 {
			v, from := word(), int32(r.IntN(20))
			want := none
			for _, rule := range byText[v] {
				if rule >= from {
					want = min(want, rule)
				}
			}
			if got := table.first(value{b: []byte(v)}, from); got != want {
				t.Fatalf("%q from %d: rule %d, want %d, of %v", v, from, got, want, keys)
			}
		}
	}
}

// TestExactCollision: two texts with the same hash are both found, and a missing text is not
// confused with another of the same hash.
func TestExactCollision(t *testing.T) {
	a, b := collision()
	for _, keys := range [][]key{{{text: a, rule: 1}, {text: b, rule: 2}}, {{text: b, rule: 2}, {text: a, rule: 1}}, {{text: a, rule: 1}}} {
		table := newExact(keys)
		want := map[string]int32{a: none, b: none}
		for _, k := range keys {
			want[k.text] = k.rule
		}
		for text, rule := range want {
			if got := table.first(value{b: []byte(text)}, 0); got != rule {
				t.Errorf("%q: rule %d, want %d, of %v", text, got, rule, keys)
			}
		}
	}
}

// collision returns two texts whose hashes in a slot are equal.
func collision() (string, string) {
	seen := map[uint32]string{}
	for i := 0; ; i++ {
		text := site(i)
		hash := uint32(maphash.String(hashSeed, text))
		if other, ok := seen[hash]; ok {
			return other, text
		}
		seen[hash] = text
	}
}
