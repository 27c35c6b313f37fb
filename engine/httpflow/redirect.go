package httpflow

import (
	"sluice/conf"
	"sluice/sniff"
)

// AppendRedirect appends the answer of a redirect rule to the request h. Like
// [Exchange.AppendAnswer] it ends the exchange. to is the evaluated argument of the rule.
func (x *Exchange) AppendRedirect(dst []byte, r *conf.Redirect, to []byte, h *sniff.Head) []byte {
	dst = x.beginAnswer(dst, r.Code, nil, 0)
	dst = append(dst, "location: "...)
	start := len(dst)
	dst = appendLocation(dst, r, to, h)
	disarm(dst[start:])
	dst = append(dst, "\r\n"...)
	if r.Code == 302 || r.Code == 303 || r.Code == 307 {
		dst = append(dst, "cache-control: no-cache\r\n"...)
	}
	if r.Cookie != "" {
		dst = r.AppendCookie(append(dst, "set-cookie: "...))
		dst = append(dst, "\r\n"...)
	}
	return x.endAnswer(dst)
}

func appendLocation(dst []byte, r *conf.Redirect, to []byte, h *sniff.Head) []byte {
	switch {
	case r.Kind == conf.Location:
		return append(dst, to...)
	case r.Kind == conf.Scheme:
		host, _ := h.Host()
		dst = append(append(append(dst, to...), "://"...), host...)
	case string(to) != "/": // the prefix "/" adds nothing (configuration.txt 4.2)
		dst = append(dst, to...)
	}
	return appendPathQ(dst, r, h)
}

// appendPathQ appends path and query. append-slash appends the slash after the last byte, which may
// belong to the query, as HAProxy does.
func appendPathQ(dst []byte, r *conf.Redirect, h *sniff.Head) []byte {
	if h.Path == nil {
		return append(dst, '/')
	}
	rest := h.PathQuery()
	if r.DropQuery {
		rest = untilQuery(rest)
	}
	dst = append(dst, rest...)
	if r.AppendSlash && rest[len(rest)-1] != '/' {
		dst = append(dst, '/')
	}
	return dst
}
