package acl

import (
	"bytes"
	"slices"
)

// fields returns the fields of the head that the fetch reads: that of the request or that of the
// answer.
func (f *Facts) fields(e *expr) (Fields, presence) {
	if !e.fetch.response {
		return f.head()
	}
	if f.Response == nil {
		return nil, absent
	}
	return f.Response.Fields, present
}

// header yields the values of a header field. Each field is a list, split at commas outside quotes
// (HAProxy configuration.txt 7.3.6, req.hdr).
func header(e *expr, f *Facts) (value, presence) { return pick(e, f, false) }

// fullHeader yields whole field values, for fields that contain commas but are not lists.
func fullHeader(e *expr, f *Facts) (value, presence) { return pick(e, f, true) }

func headerCount(e *expr, f *Facts) (value, presence)     { return count(e, f, false) }
func fullHeaderCount(e *expr, f *Facts) (value, presence) { return count(e, f, true) }

// headerValue yields a value as an integer with an optional sign. It yields 0 if the value does not
// begin with a number.
func headerValue(e *expr, f *Facts) (value, presence) {
	v, p := pick(e, f, false)
	v.n = signedInt(v.b)
	return v, p
}

// pick yields all values one after the other, or the single value that e.occurrence selects.
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

// nth yields the value number e.occurrence. It counts from the first value, or from the last if the
// number is negative.
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

// values counts the values and resets f.at to the first.
func (f *Facts) values(e *expr, h Fields, whole bool) int {
	f.at = place{}
	n := 0
	for _, p := f.nextValue(e, h, whole); p == present; _, p = f.nextValue(e, h, whole) {
		n++
	}
	f.at = place{done: f.at.done}
	return n
}

// nextValue yields the next value of the field e.name. An empty name stands for all fields, as in
// HAProxy.
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

// otherWords returns a value of Connection without the entries close and keep-alive. In mode http
// HAProxy removes these before rules read the head; it removes the field if no other entry is left.
// The part before the first removed entry is returned as sent.
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

// cutList splits at the first comma outside quotes.
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

// isName compares a field name as sent with a name in lower case.
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
