package sniff

import "bytes"

// phase is the part of an HTTP/1 head to which the next byte belongs.
type phase uint8

const (
	bad   phase = iota
	start       // empty lines before the request line: skipped (RFC 9112 2.2)
	startCR
	method
	beforeTarget
	target
	beforeVersion
	version // after the H of "HTTP/": this phase and the next three, one for each byte
	_
	_
	_
	major
	afterOne // after HTTP/1
	minor
	versionEnd
	afterOther // after HTTP/5 and the like: refused at the end of the line
	otherMinor
	versionCR
	firstField // start of the first field line; this line cannot continue a previous one
	field
	name
	value
	valueCR
	headCR
	done
	phases
)

// grammar returns the next phase for a phase and a byte. It accepts the same heads as HAProxy's
// parser in its default, strict mode, except HTTP/0.9. Accepted are several spaces in the
// request line, LF instead of CRLF, and continued field values with control bytes in them.
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

// tokenBytes returns the bytes allowed in a method or in a field name, RFC 9110 5.6.2.
func tokenBytes() string { return between(0x21, 0x7e, `"(),/:;<=>?@[\]{}`) }

// between returns the bytes from, ..., to, except those in without.
func between(from, to int, without string) string {
	var all []byte
	for c := from; c <= to; c++ {
		if !hasByte([]byte(without), byte(c)) {
			all = append(all, byte(c))
		}
	}
	return string(all)
}

// preface is the head in the client connection preface of HTTP/2, RFC 9113 3.4. The six bytes
// after it are not needed, because no other protocol uses the method PRI.
var preface = []byte("PRI * HTTP/2.0\r\n\r\n")

// syntax checks an HTTP/1 head against grammar. It reads each byte once.
type syntax struct {
	at      uint32 // bytes read so far
	phase   phase  // bad means start, so that the zero value is ready to use
	verdict Verdict
	h2      bool // the preface of HTTP/2 was found
	unclear bool // the verdict is No, but the bytes begin like a request
}

// advance reads the bytes of b that were not read before.
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
			i++ // skip a run of bytes in one phase; the processor can overlap these look-ups
		}
		if i == len(b) {
			break
		}
		next := row[b[i]]
		if next == bad {
			x.unclear = unclear(p, b[:i+1])
			return No
		}
		p = next
		i++
		if p == done {
			x.at = uint32(i)
			return Yes
		}
	}
	if i == MaxBytes {
		x.unclear = unclear(p, b)
		return No
	}
	x.at, x.phase = uint32(i), p
	return More
}

// unclear reports whether a lenient program could read b as the begin of an HTTP request, although
// grammar refuses its last byte in phase p. Such programs split the request line at any white space
// (RFC 9112 3), and some accept HTTP/0.9, which has no version. The words of other protocols, such
// as the identification of SSH, are clear: their second word is no target.
func unclear(p phase, b []byte) bool {
	last := b[len(b)-1]
	switch {
	case p >= major: // "HTTP/" was read
		return true
	case p == method || p == beforeTarget:
		return last == '\t' || last == '\v' || last == '\f'
	case p < target:
		return false
	}
	_, rest, _ := bytes.Cut(bytes.TrimLeft(b, "\r\n"), space)
	rest = trim(rest)
	to, _, _ := bytes.Cut(rest, space)
	return rest[0] == '/' || rest[0] == '*' || bytes.Contains(to, schemeEnd)
}
