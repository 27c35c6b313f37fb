package conf

import (
	"maps"
	"slices"
	"strings"
)

// keysOf returns the sorted keys of a map.
func keysOf[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

// list returns `a, b or c`.
func list(words []string) string {
	last := len(words) - 1
	if last < 1 {
		return strings.Join(words, "")
	}
	return strings.Join(words[:last], ", ") + " or " + words[last]
}

// suggest returns `; did you mean 'prefix+known'?` if word is probably a misspelling of a known
// word. Otherwise it returns "".
func suggest(word string, known []string, prefix string) string {
	best, nearest := "", 3
	for _, k := range known {
		if d := distance(word, k); d < nearest && d < len(k) {
			best, nearest = k, d
		}
	}
	if best == "" {
		return ""
	}
	return "; did you mean '" + prefix + best + "'?"
}

// Suggest returns `; did you mean 'known'?` if word is probably a misspelling of a known word.
// Otherwise it returns "".
func Suggest(word string, known []string) string { return suggest(word, known, "") }

// distance is the Levenshtein distance, where swapping two adjacent letters counts as one edit,
// because this is a common mistake.
func distance(a, b string) int {
	if len(a) > len(b)+3 || len(b) > len(a)+3 {
		return len(a) + len(b)
	}
	before, last, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range row {
		last[j] = j
	}
	for i := range len(a) {
		row[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			row[j+1] = min(last[j]+cost, last[j+1]+1, row[j]+1)
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				row[j+1] = min(row[j+1], before[j-1]+1)
			}
		}
		before, last, row = last, row, before
	}
	return last[len(b)]
}
