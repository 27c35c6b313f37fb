package acl

import (
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"regexp"
	"slices"
	"strings"
)

// pattern is one value to match against; file and line are set where it comes
// from a pattern file.
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

// textMatches are the matches of strings that have a short form.
var textMatches = []string{"str", "beg", "end", "sub", "dir", "dom", "reg", "len", "bin"}

// folds says whether -i means something to a match by folding both sides.
func folds(match string) bool {
	return slices.Contains([]string{"str", "beg", "end", "sub", "dir", "dom"}, match)
}

// cast settles the match and makes the values what it compares.
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

// kindFor is the kind that a match compares; any: it takes all.
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

// patterns are those of the line and of its files, in the case of the values.
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

// foldsPatterns says whether patterns are taken in any case: with -i, and where
// a fetch that yields lower case alone was not changed to upper case since. A
// converter to lower case does not reach the patterns, as in HAProxy.
func (b *builder) foldsPatterns() bool {
	return b.expr.folded && folds(b.match) && (b.line.IgnoreCase || b.expr.fetch.folded)
}

// foldPattern does to a pattern what was done to the values it is compared
// with: an SNI has lost the dot that may end it.
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

// file reads patterns, one a line. Empty lines and those that begin with a
// sharp are passed over, blanks in front of a pattern are stripped
// (configuration.txt 7.1).
func (b *builder) file(name string) []pattern {
	if known, ok := b.files[name]; ok {
		return slices.Clone(known)
	}
	data, err := os.ReadFile(name)
	if err != nil {
		if path, ok := errors.AsType[*fs.PathError](err); ok {
			err = path.Err
		}
		b.errorf("pattern file '%s': %s; wanted a file with one pattern a line", name, err)
		return nil
	}
	var all []pattern
	number := 0
	for line := range strings.Lines(string(data)) {
		number++
		line = strings.TrimRight(line, "\r\n")
		if text := strings.TrimLeft(line, " \t"); text != "" && line[0] != '#' {
			all = append(all, pattern{text, name, number})
		}
	}
	b.files[name] = all
	return slices.Clone(all)
}

// matcher compiles the patterns.
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

// keys are the patterns of the matches that can be looked up.
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

// reason is the error without the words that say that it is one.
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
