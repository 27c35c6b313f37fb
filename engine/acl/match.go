package acl

import (
	"bytes"
	"regexp"
	"slices"
	"strings"
)

// matcher holds the patterns of one acl line; one that matches is enough.
type matcher interface {
	match(v value) bool
}

// found is content with any value.
type found struct{}

func (found) match(value) bool { return true }

// truthy is the match of booleans: they need no pattern.
type truthy struct{}

func (truthy) match(v value) bool { return v.n != 0 }

// never is a line without patterns.
type never struct{}

func (never) match(value) bool { return false }

// member asks a table that holds one rule only.
type member struct{ table }

func (m member) match(v value) bool { return m.first(v, 0) != none }

func memberOf(s side, keys []key) matcher {
	if len(keys) == 1 && s != nets {
		return &lone{s, keys[0]}
	}
	return member{newTable(s, keys)}
}

// lone is a single pattern of str, beg or end. Thousands of rules with one
// pattern each are common, and a table for each would fill the caches.
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

// substrings is `-m sub`.
type substrings [][]byte

func (s substrings) match(v value) bool {
	for _, p := range s {
		if bytes.Contains(v.b, p) {
			return true
		}
	}
	return false
}

// expressions is `-m reg`.
type expressions []*regexp.Regexp

func (e expressions) match(v value) bool {
	for _, re := range e {
		if re.Match(v.b) {
			return true
		}
	}
	return false
}

// words is `-m dom` and `-m dir`: a pattern matches where it stands between two
// delimiters, or the ends of the value.
type words struct {
	patterns   [][]byte // without delimiters around them
	delimiters string
}

// What HAProxy takes for delimiters.
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

// has says whether b holds the pattern p as a word. The empty pattern matches
// where two delimiters, or one and an end of b, leave nothing between them.
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

// ranges is the match of integers: sorted, none touching another.
type ranges []span

// span is a range of integers with both its ends.
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
