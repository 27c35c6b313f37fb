package acl

import (
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"regexp"
	"slices"
	"strings"
)

// pattern is one value to match. file and line are set only if it was read from a pattern file.
type pattern struct {
	text string
	file string
	line int
}

func (p pattern) String() string {
	if p.file == "" {
		return fmt.Sprintf("pattern '%s'", p.text)
	}
	return fmt.Sprintf("pattern '%s' (%s:%d)", p.text, p.file, p.line)
}

// textMatches are the match methods for strings that have a short form.
var textMatches = []string{"str", "beg", "end", "sub", "dir", "dom", "reg", "len", "bin"}

// folds reports whether -i makes this match method compare lower case with lower case.
func folds(match string) bool {
	return slices.Contains([]string{"str", "beg", "end", "sub", "dir", "dom"}, match)
}

// cast determines the match method and converts the values to the kind that it compares. It returns
// false if that is impossible.
func (b *builder) cast() bool {
	short := b.match
	switch {
	case b.line.Match != "":
		b.match = b.line.Match
	case short == "" || len(b.line.Converters) > 0:
		b.match = [...]string{text: "str", number: "int", boolean: "bool", address: "ip"}[b.expr.kind]
	}
	if short != "" && b.line.Match == "" && b.match != short {
		b.warnf("the converter makes '%s' match with -m %s and no longer with -m %s, as in HAProxy; add -m %s if that was meant", b.line.Keyword, b.match, short, short)
	}
	from := b.expr.kind
	if to, any := kindFor(b.match); !any && !b.expr.cast(to) {
		b.errorf("'%s' is %s, which -m %s can't match", b.line.Keyword, from, b.match)
		return false
	}
	if b.match == "len" {
		b.expr.add(length, number, "length")
	}
	if b.line.IgnoreCase && folds(b.match) {
		b.expr.fold()
	}
	return true
}

// kindFor returns the kind that a match method compares. any is true if it accepts every kind.
func kindFor(match string) (k kind, any bool) {
	switch match {
	case "found":
		return 0, true
	case "bool":
		return boolean, false
	case "int":
		return number, false
	case "ip":
		return address, false
	}
	return text, false
}

// patterns returns the patterns of the line and of its files. They are in lower case if the values
// are.
func (b *builder) patterns() []pattern {
	var all []pattern
	for _, name := range b.line.Files {
		all = append(all, b.file(name)...)
	}
	for _, p := range b.line.Patterns {
		all = append(all, pattern{text: p})
	}
	if !b.foldsPatterns() {
		return all
	}
	for i := range all {
		all[i].text = b.foldPattern(all[i].text)
	}
	return all
}

// foldsPatterns reports whether the patterns are converted to lower case. They are with -i. They
// also are if the fetch yields lower case only and no converter makes upper case. A converter to
// lower case does not change the patterns, as in HAProxy.
func (b *builder) foldsPatterns() bool {
	return b.expr.folded && folds(b.match) && (b.line.IgnoreCase || b.expr.fetch.folded)
}

// foldPattern converts a pattern like the values that it is compared with: to lower case, and an
// SNI loses its final dot.
func (b *builder) foldPattern(p string) string {
	p = string(mapString(p, lower))
	if b.expr.fetch.folded && len(b.line.Converters) == 0 && b.match != "beg" {
		p = strings.TrimSuffix(p, ".")
	}
	return p
}

func mapString(s string, change func(byte) byte) []byte {
	b := []byte(s)
	for i, c := range b {
		b[i] = change(c)
	}
	return b
}

// file returns the patterns of a file.
func (b *builder) file(name string) []pattern {
	if known, ok := b.files[name]; ok {
		return slices.Clone(known)
	}
	data, err := fs.ReadFile(b.source, name)
	if err != nil {
		if path, ok := errors.AsType[*fs.PathError](err); ok {
			err = path.Err
		}
		b.errorf("pattern file '%s': %s; wanted a file with one pattern a line", name, err)
		return nil
	}
	var all []pattern
	for number, text := range Patterns(string(data)) {
		all = append(all, pattern{text, name, number})
	}
	b.files[name] = all
	return slices.Clone(all)
}

// Patterns returns the patterns of a pattern file with the numbers of their lines, from 1. It skips
// empty lines and lines that begin with '#', and removes blanks before a pattern (HAProxy's
// configuration.txt 7.1).
func Patterns(data string) iter.Seq2[int, string] {
	return func(yield func(number int, text string) bool) {
		number := 0
		for line := range strings.Lines(data) {
			number++
			line = strings.TrimRight(line, "\r\n")
			text := strings.TrimLeft(line, " \t")
			if text != "" && line[0] != '#' && !yield(number, text) {
				return
			}
		}
	}
}

// matcher compiles the patterns into the matcher of t.
func (b *builder) matcher(t *test, patterns []pattern) {
	switch {
	case b.match == "found":
		t.matcher = found{}
	case b.match == "bool":
		t.matcher = truthy{}
	case len(patterns) == 0:
		t.matcher = never{}
	case b.match == "int" || b.match == "len":
		t.matcher = b.integers(patterns)
	case b.match == "reg":
		t.matcher = b.expressions(patterns)
	case b.match == "sub":
		t.matcher = substringsOf(patterns)
	case b.match == "dom":
		t.matcher = newWords(patterns, domDelimiters)
	case b.match == "dir":
		t.matcher = newWords(patterns, dirDelimiters)
	default:
		t.side, t.keys = b.keys(patterns)
		t.matcher = memberOf(t.side, t.keys)
	}
}

// keys converts the patterns to keys of a table, for the match methods that can be looked up.
func (b *builder) keys(patterns []pattern) (s side, keys []key) {
	s = map[string]side{"beg": front, "end": back, "ip": nets}[b.match]
	if s == nowhere {
		s = whole
	}
	for _, p := range patterns {
		k := key{text: p.text}
		var err error
		switch b.match {
		case "ip":
			k.net, err = parseNetwork(p.text)
		case "bin":
			k.text, err = parseHex(p.text)
		}
		if err != nil {
			b.errorf("%s %s", p, err)
		}
		keys = append(keys, k)
	}
	return s, keys
}

func parseHex(pattern string) (string, error) {
	raw, err := hex.DecodeString(pattern)
	if err != nil {
		return "", errors.New("is not hexadecimal, wanted two digits for each byte")
	}
	return string(raw), nil
}

func (b *builder) integers(patterns []pattern) matcher {
	n := numbers{dotted: b.expr.fetch.dotted && b.match == "int"}
	for _, p := range patterns {
		if err := n.take(p.text); err != nil {
			b.errorf("%s %s", p, err)
		}
	}
	if n.spans == nil && !b.failed {
		b.errorf("nothing follows '%s', wanted an integer", n.operator)
	}
	return newRanges(n.spans)
}

func (b *builder) expressions(patterns []pattern) matcher {
	var all expressions
	for _, p := range patterns {
		text := p.text
		if b.line.IgnoreCase || b.expr.fetch.folded && b.expr.folded {
			text = "(?i)" + text
		}
		re, err := regexp.Compile(text)
		if err != nil {
			b.errorf("%s is no regular expression of RE2, which has no back references and no look-around: %s", p, reason(err))
			continue
		}
		all = append(all, re)
	}
	return all
}

// reason returns the text of a regexp error without its prefix.
func reason(err error) string {
	return strings.TrimPrefix(err.Error(), "error parsing regexp: ")
}

func substringsOf(patterns []pattern) substrings {
	var all substrings
	for _, p := range patterns {
		all = append(all, []byte(p.text))
	}
	return all
}
