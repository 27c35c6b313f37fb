package haproxy

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// Join is the inverse of Split: one line that Split cuts into these words
// again. It is valid UTF-8 whatever the words hold.
func Join(words []string) string {
	quoted := make([]string, len(words))
	for i, w := range words {
		quoted[i] = Quote(w)
	}
	return strings.Join(quoted, " ")
}

// Quote writes one word so that Split reads it back: bare where possible, else
// in single quotes, else in double quotes with escapes.
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

// printable reports whether the word is UTF-8 without control characters.
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
