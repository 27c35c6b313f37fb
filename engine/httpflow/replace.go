package httpflow

import (
	"bytes"
	"regexp"
)

// What follows replaces what matches by a template, in which \0 to \9 stand for
// groups of the match and a backslash before anything else for that. All that
// was looked at is replaced, not the matching part alone, as HAProxy does. It
// allocates, as regexp does.

// ReplaceHeader is `http-request replace-header`: it looks at whole values of
// the fields of that name.
func (w *Rewrite) ReplaceHeader(name string, match *regexp.Regexp, template []byte) {
	w.edit(edit{name: name, change: replaceAll, regexp: match, value: template})
}

// ReplaceValue is `http-request replace-value`: it looks at each entry between
// commas.
func (w *Rewrite) ReplaceValue(name string, match *regexp.Regexp, template []byte) {
	w.edit(edit{name: name, change: replaceEach, regexp: match, value: template})
}

// ReplacePath is `http-request replace-path`: the query stays.
func (w *Rewrite) ReplacePath(match *regexp.Regexp, template []byte) {
	if path, ok := w.expand(w.path, match, template); ok {
		w.SetPath(path)
	}
}

// ReplacePathQ is `http-request replace-pathq`: it looks at path and query.
func (w *Rewrite) ReplacePathQ(match *regexp.Regexp, template []byte) {
	if pathq, ok := w.expand(w.joined(w.path, w.query), match, template); ok {
		w.SetPathQ(pathq)
	}
}

// ReplaceURI is `http-request replace-uri`: it looks at all of the target.
func (w *Rewrite) ReplaceURI(match *regexp.Regexp, template []byte) {
	if uri, ok := w.expand(w.joined(w.origin, w.path, w.query), match, template); ok {
		w.SetURI(uri)
	}
}

func (w *Rewrite) joined(parts ...[]byte) []byte {
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

// replaceEach leaves entries that do not match with the blanks around them.
func replaceEach(w *Rewrite, e *edit, value []byte) ([]byte, bool) {
	var made []byte
	for at, next := 0, 0; at <= len(value); at = next + 1 {
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

// entryEnd finds the comma behind an entry that may be quoted, or the end.
func entryEnd(list []byte, at int) int {
	for {
		at = valueEnd(list, at)
		if at == len(list) || list[at] == ',' {
			return at
		}
		at++
	}
}

// expand returns what the template makes of a value; false: it does not match.
func (w *Rewrite) expand(value []byte, match *regexp.Regexp, template []byte) ([]byte, bool) {
	groups := match.FindSubmatchIndex(value)
	if groups == nil {
		return nil, false
	}
	start := len(w.text)
	for {
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

var backslash = []byte{'\\'}

func appendGroup(dst, value []byte, groups []int, at int) []byte {
	if at >= len(groups) || groups[at] < 0 {
		return dst
	}
	return append(dst, value[groups[at]:groups[at+1]]...)
}
