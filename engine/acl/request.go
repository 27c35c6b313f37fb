package acl

import (
	"bytes"

	"sluice/sniff"
)

// query is what follows the question mark.
func query(h *sniff.Head) []byte {
	_, after, _ := bytes.Cut(h.Target, questionMark)
	return after
}

// pathQuery is the path with its query: what an absolute target has behind its
// authority.
func pathQuery(h *sniff.Head) []byte {
	if h.Path == nil {
		return nil
	}
	return h.Target[len(beforeQuery(h))-len(h.Path):]
}

// base is the host as sent and the path, of which either may be missing.
func base(_ *expr, f *Facts) (value, presence) {
	h, p := f.head()
	if p != present {
		return value{}, p
	}
	host, _ := h.Host()
	f.text = append(append(f.text[:0], host...), h.Path...)
	return value{b: f.text}, present
}

// param yields the values of a parameter in the query. Ampersand, semicolon and
// question mark divide parameters; one without an equals sign has no value.
func param(e *expr, f *Facts) (value, presence) {
	h, p := f.head()
	if p != present {
		return value{}, p
	}
	if !f.at.more {
		f.at.rest, f.at.more = query(h), true
	}
	for len(f.at.rest) > 0 {
		one := f.at.rest
		if i := bytes.IndexAny(one, "&;?"); i >= 0 {
			one, f.at.rest = one[:i], one[i+1:]
		} else {
			f.at.rest = nil
		}
		name, v, has := bytes.Cut(one, equalsSign)
		if has && string(name) == e.name {
			return value{b: v}, present
		}
	}
	return value{}, absent
}

var (
	equalsSign = []byte("=")
	blank      = []byte(" ")
)

// cookie yields the values of the cookies of that name, letter by letter.
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
		var pair []byte
		pair, f.at.rest, f.at.more = cutPair(f.at.rest)
		if v, ok := cookieValue(pair, e.name); ok {
			return value{b: v}, present
		}
	}
}

// nextLine goes to the next field of that name.
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

// cutPair cuts a list of cookies at a semicolon or comma that is not quoted.
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

func cookieValue(pair []byte, name string) ([]byte, bool) {
	found, v, has := bytes.Cut(pair, equalsSign)
	if !has || string(trim(found)) != name {
		return nil, false
	}
	return trim(v), true
}

// status is that of the answer.
func status(_ *expr, f *Facts) (value, presence) {
	if f.Response == nil {
		return value{}, absent
	}
	return value{n: int64(f.Response.Status)}, present
}

// answerVersion is what follows "HTTP/" in the status line.
func answerVersion(_ *expr, f *Facts) (value, presence) {
	if f.Response == nil {
		return value{}, absent
	}
	v, _, _ := bytes.Cut(bytes.TrimPrefix(f.Response.Line, protocol), blank)
	return value{b: v}, present
}

// setCookie yields the values of the cookies of that name that the answer sets:
// each field has one, and behind a semicolon what is said about it.
func setCookie(e *expr, f *Facts) (value, presence) {
	if f.Response == nil {
		return value{}, absent
	}
	for f.nextLine(f.Response.Fields, "set-cookie") {
		pair, _, _ := cutPair(f.at.rest)
		if v, ok := cookieValue(pair, e.name); ok {
			return value{b: v}, present
		}
	}
	return value{}, absent
}
