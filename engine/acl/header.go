package acl

import (
	"bytes"
	"slices"
)

// fields are those of the head that a fetch looks at.
func (f *Facts) fields(e *expr) (Fields, presence) {
	if !e.fetch.response {
		return f.head()
	}
	if f.Response == nil {
		return nil, absent
	}
	return f.Response.Fields, present
}

// header yields the values of a header: each line is a list whose entries are
// cut at commas outside quotes (HAProxy configuration.txt 7.3.6, req.hdr).
func header(e *expr, f *Facts) (value, presence) { return pick(e, f, false) }

// fullHeader yields whole lines, for headers that hold commas and are no lists.
func fullHeader(e *expr, f *Facts) (value, presence) { return pick(e, f, true) }

func headerCount(e *expr, f *Facts) (value, presence)     { return count(e, f, false) }
func fullHeaderCount(e *expr, f *Facts) (value, presence) { return count(e, f, true) }

// headerValue is 0 where the value does not begin with a number, which may have
// a minus before it.
func headerValue(e *expr, f *Facts) (value, presence) {
	v, p := pick(e, f, false)
	v.n = signedInt(v.b)
	return v, p
}

// pick yields all values in turn or, with an occurrence, that one alone.
func pick(e *expr, f *Facts, whole bool) (value, presence) {
	h, p := f.fields(e)
	switch {
	case p != present:
		return value{}, p
	case f.at.done:
		return value{}, absent
	case e.occurrence != 0:
		f.at.done = true
		return nth(e, f, h, whole)
	}
	return f.nextValue(e, h, whole)
}

// nth counts from the first value, or from the last where negative.
func nth(e *expr, f *Facts, h Fields, whole bool) (value, presence) {
	n := e.occurrence
	if n < 0 {
		n += f.values(e, h, whole) + 1
	}
	for ; n > 1; n-- {
		f.nextValue(e, h, whole)
	}
	if n < 1 {
		return value{}, absent
	}
	return f.nextValue(e, h, whole)
}

func count(e *expr, f *Facts, whole bool) (value, presence) {
	h, p := f.fields(e)
	if p != present {
		return value{}, p
	}
	n := f.values(e, h, whole)
	if e.occurrence != 0 {
		n = min(n, 1)
	}
	return value{n: int64(n)}, present
}

// values counts them and goes back to the first.
func (f *Facts) values(e *expr, h Fields, whole bool) int {
	f.at = place{}
	n := 0
	for _, p := f.nextValue(e, h, whole); p == present; _, p = f.nextValue(e, h, whole) {
		n++
	}
	f.at = place{done: f.at.done}
	return n
}

// nextValue is the next value of the header e.name; the empty name is all
// headers, as in HAProxy.
func (f *Facts) nextValue(e *expr, h Fields, whole bool) (value, presence) {
	for !f.at.more {
		name, line, next := h.Next(f.at.field)
		if next == 0 {
			return value{}, absent
		}
		f.at.field = next
		if e.name != "" && !isName(name, e.name) {
			continue
		}
		if e.partly && isName(name, connection) {
			if line = f.otherWords(line); len(line) == 0 {
				continue
			}
		}
		f.at.rest, f.at.more = line, true
	}
	if whole {
		f.at.more = false
		return value{b: f.at.rest}, present
	}
	var b []byte
	b, f.at.rest, f.at.more = cutList(f.at.rest)
	return value{b: trim(b)}, present
}

const connection = "connection"

// otherWords is what a line of Connection has besides close and keep-alive: in
// mode http HAProxy takes these out of a head before rules see it, and a line
// without others altogether. What stands before the first of them stays as sent.
func (f *Facts) otherWords(line []byte) []byte {
	kept, cut := line[:0], false
	for at := 0; at < len(line); {
		word, _, _ := cutList(line[at:])
		end := at + len(word)
		switch word = trim(word); {
		case isName(word, "close") || isName(word, "keep-alive"):
			if !cut {
				f.words = append(slices.Grow(f.words[:0], len(line)), kept...)
				kept, cut = f.words, true
			}
		case !cut:
			kept = line[:end]
		case len(kept) > 0:
			kept = append(append(kept, ','), word...)
		default:
			kept = append(kept, word...)
		}
		at = end + 1
	}
	return kept
}

// cutList cuts at the first comma that is not quoted.
func cutList(b []byte) (first, rest []byte, more bool) {
	if bytes.IndexByte(b, ',') < 0 {
		return b, nil, false
	}
	quoted := false
	for i := 0; i < len(b); i++ {
		switch {
		case b[i] == '"':
			quoted = !quoted
		case quoted && b[i] == '\\':
			i++
		case !quoted && b[i] == ',':
			return b[:i], b[i+1:], true
		}
	}
	return b, nil, false
}

func trim(b []byte) []byte {
	for len(b) > 0 && isBlank(b[0]) {
		b = b[1:]
	}
	for len(b) > 0 && isBlank(b[len(b)-1]) {
		b = b[:len(b)-1]
	}
	return b
}

func isBlank(c byte) bool { return c == ' ' || c == '\t' || c == '\r' || c == '\n' }

// isName compares a header's name as sent with one in lower case.
func isName(sent []byte, name string) bool {
	if len(sent) != len(name) {
		return false
	}
	for i := range sent {
		if lower(sent[i]) != name[i] {
			return false
		}
	}
	return true
}
