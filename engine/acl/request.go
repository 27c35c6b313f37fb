package acl

import (
	"bytes"

	"sluice/sniff"
)

// query returns the text after the question mark of the target.
func query(h *sniff.Head) []byte {
	_, after, _ := bytes.Cut(h.Target, questionMark)
	return after
}

// base yields the host as sent followed by the path. Either may be missing.
func base(_ *expr, f *Facts) (value, presence) {
	h, p := f.head()
	if p != present {
		return value{}, p
	}
	host, _ := h.Host()
	f.text = append(append(f.text[:0], host...), h.Path...)
	return value{b: f.text}, present
}

// param yields the values of a parameter, one per call. The list of parameters begins after the
// first delimiter of the target. A parameter without an equals sign has no value. An empty name
// stands for all parameters.
func param(e *expr, f *Facts) (value, presence) {
	h, p := f.head()
	if p != present {
		return value{}, p
	}
	if !f.at.more {
		from := bytes.IndexByte(h.Target, e.delimiters[0])
		f.at.rest, f.at.more = h.Target[from+1:], true
		if from < 0 {
			return value{}, absent
		}
	}
	for len(f.at.rest) > 0 {
		one := f.at.rest
		if i := bytes.IndexAny(one, e.delimiters); i >= 0 {
			one, f.at.rest = one[:i], one[i+1:]
		} else {
			f.at.rest = nil
		}
		name, v, has := bytes.Cut(one, equalsSign)
		if has && e.names(name) {
			return value{b: v}, present
		}
	}
	return value{}, absent
}

// names reports whether found is the name of the wanted parameter.
func (e *expr) names(found []byte) bool {
	switch {
	case e.name == "":
		return true
	case e.anyCase:
		return isName(found, e.name)
	}
	return string(found) == e.name
}

var (
	equalsSign = []byte("=")
	blank      = []byte(" ")
)

// cookie yields the values of the cookies of that name, which is case-sensitive. An empty name
// stands for all cookies.
func cookie(e *expr, f *Facts) (value, presence) {
	h, p := f.head()
	if p != present {
		return value{}, p
	}
	return f.nextCookie(e, h)
}

func cookieCount(e *expr, f *Facts) (value, presence) {
	h, p := f.head()
	if p != present {
		return value{}, p
	}
	n := int64(0)
	f.at = place{}
	for _, p := f.nextCookie(e, h); p == present; _, p = f.nextCookie(e, h) {
		n++
	}
	return value{n: n}, present
}

func (f *Facts) nextCookie(e *expr, h Fields) (value, presence) {
	for {
		if !f.at.more && !f.nextLine(h, "cookie") {
			return value{}, absent
		}
		if endsLine(f.at.rest, e.name) {
			f.at.more = false
			continue
		}
		var pair []byte
		pair, f.at.rest, f.at.more = cutPair(f.at.rest)
		if v, ok := cookieValue(pair, e.name); ok {
			return value{b: v}, present
		}
	}
}

// nextLine advances to the next field of that name.
func (f *Facts) nextLine(h Fields, wanted string) bool {
	for {
		name, line, next := h.Next(f.at.field)
		if next == 0 {
			return false
		}
		f.at.field = next
		if isName(name, wanted) {
			f.at.rest, f.at.more = line, true
			return true
		}
	}
}

// cutPair splits a list of cookies at the first semicolon or comma outside quotes.
func cutPair(b []byte) (pair, rest []byte, more bool) {
	quoted := false
	for i := 0; i < len(b); i++ {
		switch {
		case b[i] == '"':
			quoted = !quoted
		case quoted && b[i] == '\\':
			i++
		case !quoted && (b[i] == ';' || b[i] == ','):
			return b[:i], b[i+1:], true
		}
	}
	return b, nil, false
}

// endsLine reports whether the rest of a line is too short for a cookie of that name with a value.
// HAProxy ignores such a rest: an empty cookie at the end of a line does not replace an earlier
// one.
func endsLine(rest []byte, name string) bool { return len(rest) < len(name)+len("=x") }

func cookieValue(pair []byte, name string) ([]byte, bool) {
	found, v, has := bytes.Cut(pair, equalsSign)
	if !has || name != "" && string(trim(found)) != name {
		return nil, false
	}
	return trim(v), true
}

// status yields the status code of the answer.
func status(_ *expr, f *Facts) (value, presence) {
	if f.Response == nil {
		return value{}, absent
	}
	return value{n: int64(f.Response.Status)}, present
}

// answerVersion yields the text after "HTTP/" in the status line.
func answerVersion(_ *expr, f *Facts) (value, presence) {
	if f.Response == nil {
		return value{}, absent
	}
	v, _, _ := bytes.Cut(bytes.TrimPrefix(f.Response.Line, protocol), blank)
	return value{b: v}, present
}

// setCookie yields the values of the cookies of that name that the answer sets. As in HAProxy, each
// entry between commas sets one cookie. Its attributes follow after a semicolon; a part without an
// equals sign counts as none, and a part behind a cookie of the wanted name as another cookie.
func setCookie(e *expr, f *Facts) (value, presence) {
	if f.Response == nil {
		return value{}, absent
	}
	for f.at.more || f.nextLine(f.Response.Fields, "set-cookie") {
		entry, rest, more := cutList(f.at.rest)
		pair, parts, divided := cutPair(entry)
		v, ok := cookieValue(pair, e.name)
		ok = ok && !endsLine(bytes.TrimRight(entry, " \t"), e.name)
		if divided && (ok || bytes.IndexByte(pair, '=') < 0) {
			f.at.rest, f.at.more = f.at.rest[len(entry)-len(parts):], true
		} else {
			f.at.rest, f.at.more = trim(rest), more
		}
		if ok {
			return value{b: v}, present
		}
	}
	return value{}, absent
}
