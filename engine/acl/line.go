package acl

import (
	"bytes"

	"sluice/sniff"
)

// RequestLine is the request line as the client has sent it: rules that edit the request do not
// change it. The zero value has no request.
type RequestLine struct{ Method, Target, Version []byte }

// maxLine is the number of bytes of a request line that HAProxy keeps for its variables, with one
// blank between the parts.
const maxLine = 1023

// LineOf returns the request line of a head, cut to the bytes that HAProxy keeps. It copies no bytes.
func LineOf(h *sniff.Head) RequestLine {
	left := maxLine
	take := func(part []byte) []byte {
		part = part[:min(len(part), left)]
		left = max(left-len(part)-len(" "), 0)
		return part
	}
	return RequestLine{take(h.Method), take(h.Target), take(h.Version)}
}

// ofLine returns a variable that writes a part of the request line.
func ofLine(part func(*RequestLine) []byte) variable {
	return variable{line: true, write: func(dst []byte, f *Facts) []byte {
		if f.Line.Method == nil {
			return dst
		}
		return appendEncoded(dst, part(&f.Line))
	}}
}

// wholeLine writes %r.
func wholeLine(dst []byte, f *Facts) []byte {
	l := &f.Line
	if l.Method == nil {
		return dst
	}
	left := maxLine
	for i, part := range [][]byte{l.Method, l.Target, l.Version} {
		if i > 0 && left > 0 {
			dst, left = append(dst, ' '), left-1
		}
		dst, left = appendEncoded(dst, part), left-len(part)
	}
	return dst
}

func lineMethod(l *RequestLine) []byte { return l.Method }
func lineTarget(l *RequestLine) []byte { return l.Target }

func beforeQuery(l *RequestLine) []byte {
	before, _, _ := bytes.Cut(l.Target, questionMark)
	return before
}

// fromQuery returns the query with its question mark.
func fromQuery(l *RequestLine) []byte { return l.Target[len(beforeQuery(l)):] }

// linePath returns the target without scheme, host and query. It returns nil for `*` and for the
// target of a CONNECT.
func linePath(l *RequestLine) []byte {
	before := beforeQuery(l)
	if len(before) > 0 && before[0] == '/' {
		return before
	}
	_, authority, _ := bytes.Cut(before, afterScheme)
	if i := bytes.IndexByte(authority, '/'); i >= 0 {
		return authority[i:]
	}
	return nil
}

// lineVersion returns HTTP/0.9 for a line that was cut before its version, as HAProxy does.
func lineVersion(l *RequestLine) []byte {
	if len(l.Version) == 0 {
		return oldest
	}
	return l.Version
}

var (
	questionMark = []byte("?")
	afterScheme  = []byte("://")
	oldest       = []byte("HTTP/0.9")
)

// appendEncoded writes bytes that are not printable ASCII, '"' and '#' as # and two hexadecimal
// digits, as in log lines (configuration.txt 8.6).
func appendEncoded(dst, b []byte) []byte {
	for _, c := range b {
		if c < ' ' || c >= 0x7f || c == '"' || c == '#' {
			dst = append(dst, '#', hexDigits[c>>4], hexDigits[c&15])
			continue
		}
		dst = append(dst, c)
	}
	return dst
}
