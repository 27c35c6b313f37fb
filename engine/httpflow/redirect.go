package httpflow

import "sluice/sniff"

// Kind says what a redirect's target is made of.
type Kind uint8

// The kinds, `redirect` of configuration.txt 4.2.
const (
	Location Kind = iota // the target is To
	Prefix               // To, path and query; To is nothing if it is a single slash
	Scheme               // To, "://", the host, path and query
)

// Redirect is an `http-request redirect` rule. It is immutable.
type Redirect struct {
	Kind        Kind
	Status      int // 301, 302, 303, 307 or 308
	DropQuery   bool
	AppendSlash bool
	Fields      []byte // of the answer, from RedirectFields
}

// RedirectFields are the field lines of a redirect's answer: no-cache where the
// status would let a cache keep it against HAProxy's habit, and the Set-Cookie of
// set-cookie (NAME[=value]) and clear-cookie (NAME[=]); empty words for none.
func RedirectFields(status int, setCookie, clearCookie string) []byte {
	var fields []byte
	if status == 302 || status == 303 || status == 307 {
		fields = append(fields, "cache-control: no-cache\r\n"...)
	}
	if setCookie != "" {
		fields = append(fields, "set-cookie: "+setCookie+"; path=/;\r\n"...)
	}
	if clearCookie != "" {
		fields = append(fields, "set-cookie: "+clearCookie+"; path=/; Max-Age=0;\r\n"...)
	}
	return fields
}

// AppendLocation appends the target to which a rule whose argument came out as
// to sends the request h.
func (r *Redirect) AppendLocation(dst, to []byte, h *sniff.Head) []byte {
	start := len(dst)
	switch r.Kind {
	case Scheme:
		host, _ := h.Host()
		dst = append(append(append(dst, to...), "://"...), host...)
	case Prefix:
		if string(to) == "/" {
			break
		}
		fallthrough
	case Location:
		dst = append(dst, to...)
	}
	if r.Kind != Location {
		dst = r.appendPath(dst, h)
	}
	disarm(dst[start:])
	return dst
}

// appendPath appends path and query. What appends a slash looks at the last byte
// of what it has, as HAProxy does, be it of the query.
func (r *Redirect) appendPath(dst []byte, h *sniff.Head) []byte {
	rest := h.Target
	if h.Path != nil {
		rest = rest[len(untilQuery(rest))-len(h.Path):]
	}
	if r.DropQuery {
		rest = untilQuery(rest)
	}
	dst = append(dst, rest...)
	if r.AppendSlash && len(rest) > 0 && rest[len(rest)-1] != '/' {
		dst = append(dst, '/')
	}
	return dst
}
