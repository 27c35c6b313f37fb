package httpflow

import (
	"bytes"
	"regexp"
)

// The functions of this file replace a matching text by a template. In a template, \0 to \9 are
// groups of the match. A backslash before any other character stands for that character. The whole
// text is replaced, not only the matching part, as in HAProxy. These functions allocate, because
// package regexp does. A result above MaxHead is cut off: see [Rewrite.Large]. Without this limit
// each of several rules could double a value.

// ReplaceHeader implements `http-request replace-header`: it matches the whole value of each field
// of that name.
func (w *Rewrite) ReplaceHeader(name string, match *regexp.Regexp, template []byte) {
	w.edit(edit{name: name, change: replaceAll, regexp: match, value: template})
}

// ReplaceValue implements `http-request replace-value`: it matches each entry of a comma-separated
// list.
func (w *Rewrite) ReplaceValue(name string, match *regexp.Regexp, template []byte) {
	w.edit(edit{name: name, change: replaceEach, regexp: match, value: template})
}

// ReplacePath implements `http-request replace-path`: it matches the path and leaves the query
// unchanged.
func (w *Rewrite) ReplacePath(match *regexp.Regexp, template []byte) {
	if path, ok := w.expand(w.path, match, template); ok {
		w.SetPath(path)
	}
}

// ReplacePathQ implements `http-request replace-pathq`: it matches path and query together.
func (w *Rewrite) ReplacePathQ(match *regexp.Regexp, template []byte) {
	if pathq, ok := w.expand(w.joined(w.path, w.query), match, template); ok {
		w.SetPathQ(pathq)
	}
}

// ReplaceURI implements `http-request replace-uri`: it matches the whole request target.
func (w *Rewrite) ReplaceURI(match *regexp.Regexp, template []byte) {
	if uri, ok := w.expand(w.joined(w.origin, w.path, w.query), match, template); ok {
		w.SetURI(uri)
	}
}

func (w *Rewrite) joined(parts ...[]byte) []byte {
	if w.exceeds(nil) {
		return nil
	}
	start := len(w.text)
	for _, part := range parts {
		w.text = append(w.text, part...)
	}
	return w.text[start:]
}

func replaceAll(w *Rewrite, e *edit, value []byte) ([]byte, bool) {
	if made, ok := w.expand(value, e.regexp, e.value); ok {
		return made, true
	}
	return value, true
}

// replaceEach leaves entries that do not match unchanged, with the blanks around them.
func replaceEach(w *Rewrite, e *edit, value []byte) ([]byte, bool) {
	var made []byte
	for at, next := 0, 0; at <= len(value) && !w.exceeds(made); at = next + 1 {
		next = entryEnd(value, at)
		if at > 0 {
			made = append(made, ',')
		}
		if entry, ok := w.expand(trim(value[at:next]), e.regexp, e.value); ok {
			made = append(made, entry...)
		} else {
			made = append(made, value[at:next]...)
		}
	}
	return made, true
}

// entryEnd returns the position of the comma after an entry, or the end of the list. Commas in
// quotes do not count.
func entryEnd(list []byte, at int) int {
	for {
		at = valueEnd(list, at)
		if at == len(list) || list[at] == ',' {
			return at
		}
		at++
	}
}

// expand returns the template with the groups of the match filled in. It returns false if the value
// does not match.
func (w *Rewrite) expand(value []byte, match *regexp.Regexp, template []byte) ([]byte, bool) {
	groups := match.FindSubmatchIndex(value)
	if groups == nil || w.large {
		return nil, false
	}
	start := len(w.text)
	for !w.exceeds(w.text[start:]) {
		before, after, found := bytes.Cut(template, backslash)
		w.text = append(w.text, before...)
		if !found || len(after) == 0 {
			break
		}
		if g := 2 * int(after[0]-'0'); g < 20 {
			w.text = appendGroup(w.text, value, groups, g)
		} else {
			w.text = append(w.text, after[0])
		}
		template = after[1:]
	}
	disarm(w.text[start:])
	return w.text[start:], true
}

// exceeds reports whether a value that is being made, or all values of this head, are too large.
func (w *Rewrite) exceeds(made []byte) bool {
	w.large = w.large || len(made) > MaxHead || len(w.text) > maxText
	return w.large
}

var backslash = []byte{'\\'}

func appendGroup(dst, value []byte, groups []int, at int) []byte {
	if at >= len(groups) || groups[at] < 0 {
		return dst
	}
	return append(dst, value[groups[at]:groups[at+1]]...)
}
