package httpflow

import "bytes"

// tokenBytes holds the bytes that a method or a field name may contain (RFC 9110 5.6.2). textBytes
// holds those that the value of a trailer or a chunk extension may contain: no control bytes except
// the tab.
var (
	tokenBytes = between(0x21, 0x7e, `"(),/:;<=>?@[\]{}`)
	textBytes  = "\t" + between(0x20, 0xff, "\x7f")
)

func between(from, to int, without string) string {
	var all []byte
	for c := from; c <= to; c++ {
		if bytes.IndexByte([]byte(without), byte(c)) < 0 {
			all = append(all, byte(c))
		}
	}
	return string(all)
}

func lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}

func hexValue(c byte) byte {
	if c <= '9' {
		return c - '0'
	}
	return lower(c) - 'a' + 10
}

func isBlank(c byte) bool { return c == ' ' || c == '\t' }

// isWord reports whether b equals word, without regard to the case of ASCII letters.
func isWord[text []byte | string](b text, word string) bool {
	if len(b) != len(word) {
		return false
	}
	for i := range len(b) {
		if lower(b[i]) != lower(word[i]) {
			return false
		}
	}
	return true
}

func trimLeft(b []byte) []byte {
	for len(b) > 0 && isBlank(b[0]) {
		b = b[1:]
	}
	return b
}

func trimRight(b []byte) []byte {
	for n := len(b); n > 0 && isBlank(b[n-1]); n-- {
		b = b[:n-1]
	}
	return b
}

func trim(b []byte) []byte { return trimRight(trimLeft(b)) }

// chomp removes the line end, LF or CRLF.
func chomp(b []byte) []byte {
	b = bytes.TrimSuffix(b, []byte("\n"))
	return bytes.TrimSuffix(b, []byte("\r"))
}

// nextItem splits off the first item of a comma-separated list. It does not know quoted strings:
// they do not occur in the lists that are read with it.
func nextItem(list []byte) (item, rest []byte) {
	item, rest, _ = bytes.Cut(list, comma)
	return trim(item), rest
}

var comma = []byte(",")

// hasItem reports whether word is an item of a comma-separated list.
func hasItem(list []byte, word string) bool {
	for len(list) > 0 {
		var item []byte
		if item, list = nextItem(list); isWord(item, word) {
			return true
		}
	}
	return false
}

func untilQuery(b []byte) []byte {
	before, _, _ := bytes.Cut(b, question)
	return before
}

var question = []byte("?")
