package sniff

import "bytes"

// phase is where in an HTTP/1 head the next byte stands.
type phase uint8

const (
	bad   phase = iota
	start       // empty lines before the request line: skipped (RFC 9112 2.2)
	startCR
	method
	beforeTarget
	target
	beforeVersion
	version // in "HTTP/", four phases
	_
	_
	_
	major
	afterOne // HTTP/1
	minor
	versionEnd
	afterOther // HTTP/5 and the like: refused once the line is whole
	otherMinor
	versionCR
	firstField // of the head: it has none before it that it could continue
	field
	name
	value
	valueCR
	headCR
	done
	phases
)

// grammar gives the phase after a byte. It is what HAProxy's parser lets pass in
// its default, strict mode: several blanks in the request line, LF alone for
// CRLF, continued field values and control bytes in them; but not HTTP/0.9.
var grammar = makeGrammar()

func makeGrammar() (g [phases][256]phase) {
	set := func(from, to phase, in string) {
		for i := range len(in) {
			g[from][in[i]] = to
		}
	}
	eol := func(from, cr, next phase) {
		set(from, cr, "\r")
		set(from, next, "\n")
		set(cr, next, "\n")
	}
	token, uri, text := tokenBytes(), between(0x21, 0x7e, "#"), between(0x01, 0xff, "\r\n")

	eol(start, startCR, start)
	set(start, method, token)
	set(method, method, token)
	set(method, beforeTarget, " ")
	set(beforeTarget, beforeTarget, " ")
	set(beforeTarget, target, uri)
	set(target, target, uri)
	set(target, beforeVersion, " ")
	set(beforeVersion, beforeVersion, " ")
	set(beforeVersion, version, "H")
	for i, c := range []byte("TTP/") {
		g[version+phase(i)][c] = version + phase(i) + 1
	}
	set(major, afterOther, "023456789")
	set(major, afterOne, "1")
	set(afterOne, minor, ".")
	set(minor, versionEnd, "0123456789")
	set(afterOther, otherMinor, ".")
	set(otherMinor, otherMinor, "0123456789")
	eol(versionEnd, versionCR, firstField)

	eol(firstField, headCR, done)
	set(firstField, name, token)
	eol(field, headCR, done)
	set(field, name, token)
	set(field, value, " \t")
	set(name, name, token)
	set(name, value, ":")
	set(value, value, text)
	eol(value, valueCR, field)
	return g
}

// tokenBytes are those of a method or a field's name, RFC 9110 5.6.2.
func tokenBytes() string { return between(0x21, 0x7e, `"(),/:;<=>?@[\]{}`) }

func between(from, to int, without string) string {
	var all []byte
	for c := from; c <= to; c++ {
		if !hasByte([]byte(without), byte(c)) {
			all = append(all, byte(c))
		}
	}
	return string(all)
}

// preface is the head in the client connection preface of HTTP/2, RFC 9113 3.4.
// The six bytes that follow it tell nothing more: no other use of PRI exists.
var preface = []byte("PRI * HTTP/2.0\r\n\r\n")

// syntax goes over an HTTP/1 head, byte for byte once.
type syntax struct {
	at      uint32 // bytes walked
	phase   phase  // bad stands for start, so that the zero value is ready
	verdict Verdict
	h2      bool
}

func (x *syntax) advance(b []byte) Verdict {
	if x.at == 0 && bytes.HasPrefix(preface, b[:min(len(b), len(preface))]) {
		x.h2 = len(b) >= len(preface)
		if x.h2 {
			return No
		}
		return More
	}
	return x.lines(b[:min(len(b), MaxBytes)])
}

func (x *syntax) lines(b []byte) Verdict {
	p, i := max(x.phase, start), int(x.at)
	for i < len(b) {
		row := &grammar[p]
		for i < len(b) && row[b[i]] == p {
			i++ // a run within one phase: the look-ups do not wait for each other
		}
		if i == len(b) {
			break
		}
		p = row[b[i]]
		i++
		if p == bad {
			return No
		}
		if p == done {
			x.at = uint32(i)
			return Yes
		}
	}
	if i == MaxBytes {
		return No
	}
	x.at, x.phase = uint32(i), p
	return More
}
