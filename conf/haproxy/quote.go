package haproxy

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// Join is the inverse of Split: it returns a line that Split splits into these words. The line is
// valid UTF-8, whatever bytes the words contain.
func Join(words []string) string {
	quoted := make([]string, len(words))
	for i, w := range words {
		quoted[i] = Quote(w)
	}
	return strings.Join(quoted, " ")
}

// Quote returns a word in a form that Split reads back. It uses no quotes if possible, otherwise
// single quotes, otherwise double quotes with escapes.
func Quote(word string) string {
	switch {
	case word == "":
		return "''"
	case !printable(word):
		return doubleQuote(word)
	case !strings.ContainsAny(word, " #\\\"'"):
		return word
	case !strings.Contains(word, "'"):
		return "'" + word + "'"
	}
	return doubleQuote(word)
}

// printable reports whether the word is valid UTF-8 without control characters.
func printable(word string) bool {
	return utf8.ValidString(word) && !strings.ContainsFunc(word, func(r rune) bool { return r < ' ' || r == 0x7f })
}

func doubleQuote(word string) string {
	var b strings.Builder
	b.WriteByte('"')
	for i := range len(word) {
		switch c := word[i]; {
		case c < ' ' || c >= 0x7f:
			fmt.Fprintf(&b, `\x%02x`, c)
		case strings.IndexByte("\"\\$", c) >= 0:
			b.WriteByte('\\')
			b.WriteByte(c)
		default:
			b.WriteByte(c)
		}
	}
	b.WriteByte('"')
	return b.String()
}
