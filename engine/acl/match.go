package acl

import (
	"bytes"
	"regexp"
	"slices"
	"strings"
)

// matcher holds the patterns of one acl line. A value matches if one pattern matches.
type matcher interface {
	match(v value) bool
}

// found matches any value.
type found struct{}

func (found) match(value) bool { return true }

// truthy matches a boolean that is true. It needs no pattern.
type truthy struct{}

func (truthy) match(v value) bool { return v.n != 0 }

// never matches no value: the line has no pattern.
type never struct{}

func (never) match(value) bool { return false }

// member looks a value up in a table that holds the patterns of one rule only.
type member struct{ table }

func (m member) match(v value) bool { return m.first(v, 0) != none }

func memberOf(s side, keys []key) matcher {
	if len(keys) == 1 && s != nets {
		return &lone{s, keys[0]}
	}
	return member{newTable(s, keys)}
}

// lone is a single pattern for str, beg or end. Thousands of rules with one pattern each are
// common; a table for each would need too much cache.
type lone struct {
	side side
	key
}

func (l *lone) match(v value) bool {
	n := len(v.b) - len(l.text)
	switch {
	case n < 0 || n > 0 && l.side == whole:
		return false
	case l.side == back:
		return string(v.b[n:]) == l.text
	}
	return string(v.b[:len(l.text)]) == l.text
}

// substrings implements `-m sub`.
type substrings [][]byte

func (s substrings) match(v value) bool {
	for _, p := range s {
		if bytes.Contains(v.b, p) {
			return true
		}
	}
	return false
}

// expressions implements `-m reg`.
type expressions []*regexp.Regexp

func (e expressions) match(v value) bool {
	for _, re := range e {
		if re.Match(v.b) {
			return true
		}
	}
	return false
}

// words implements `-m dom` and `-m dir`: a pattern matches if a delimiter or an end of the value
// is on both of its sides.
type words struct {
	patterns   [][]byte // the patterns, with the delimiters around them removed
	delimiters string
}

// The delimiters are HAProxy's.
const (
	domDelimiters = "/?.:"
	dirDelimiters = "/?"
)

func newWords(patterns []pattern, delimiters string) words {
	w := words{delimiters: delimiters}
	for _, p := range patterns {
		w.patterns = append(w.patterns, []byte(strings.Trim(p.text, delimiters)))
	}
	return w
}

func (w words) match(v value) bool {
	for _, p := range w.patterns {
		if w.has(v.b, p) {
			return true
		}
	}
	return false
}

// has reports whether b contains p between delimiters or ends of b. The empty pattern matches two
// adjacent delimiters, and a delimiter at an end of b.
func (w words) has(b, p []byte) bool {
	for at := 0; ; at++ {
		i := bytes.Index(b[at:], p)
		if i < 0 {
			return false
		}
		at += i
		if w.edge(b, at-1) && w.edge(b, at+len(p)) {
			return true
		}
		if at == len(b) {
			return false
		}
	}
}

func (w words) edge(b []byte, i int) bool {
	return i < 0 || i >= len(b) || strings.IndexByte(w.delimiters, b[i]) >= 0
}

// ranges matches integers. The ranges are sorted and do not overlap.
type ranges []span

// span is a range of integers; low and high belong to it.
type span struct{ low, high int64 }

func newRanges(spans []span) ranges {
	slices.SortFunc(spans, func(a, b span) int {
		if a.low < b.low {
			return -1
		}
		return 1
	})
	merged := spans[:0]
	for _, s := range spans {
		if n := len(merged); n > 0 && s.low <= merged[n-1].high {
			merged[n-1].high = max(merged[n-1].high, s.high)
			continue
		}
		merged = append(merged, s)
	}
	return merged
}

func (r ranges) match(v value) bool {
	_, ok := slices.BinarySearchFunc(r, v.n, func(s span, n int64) int {
		switch {
		case n < s.low:
			return 1
		case n > s.high:
			return -1
		}
		return 0
	})
	return ok
}
