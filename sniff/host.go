package sniff

import "bytes"

// target recognises the four forms of a target (RFC 9112 3.2) and sets Path and Authority. It
// returns false for any other form.
func (h *Head) target() bool {
	t := h.Target
	switch {
	case string(h.Method) == "CONNECT":
		h.Authority = t
		host, port := splitPort(t)
		return isHost(t) && len(host) > 0 && len(port) > 1
	case t[0] == '/':
		h.Path = untilQuery(t)
		return true
	case len(t) == 1 && t[0] == '*':
		return true
	}
	scheme, rest, found := bytes.Cut(t, schemeEnd)
	return found && isScheme(scheme) && h.absolute(rest)
}

// absolute reads the part of an absolute target after "://".
func (h *Head) absolute(b []byte) bool {
	end := bytes.IndexAny(b, "/?")
	if end < 0 {
		end = len(b)
	}
	at := bytes.LastIndexByte(b[:end], '@') + 1
	h.Authority = b[at:end]
	if end < len(b) && b[end] == '/' {
		h.Path = untilQuery(b[end:])
	}
	return isHost(h.Authority) && all(b[:max(at-1, 0)], &userBytes)
}

// oneHost reports whether the target and the field Host name the same host. If one of them has
// no port or an empty port, the default port counts.
func (h *Head) oneHost() bool {
	if h.Authority == nil || h.host == nil {
		return true
	}
	host, port := splitPort(h.Authority)
	otherHost, otherPort := splitPort(h.host)
	switch {
	case !sameFold(host, otherHost):
		return false
	case len(port) < len(":0"):
		return len(otherPort) < len(":0") || h.isDefault(otherPort)
	case len(otherPort) < len(":0"):
		return h.isDefault(port)
	}
	return string(port) == string(otherPort)
}

// isDefault reports whether port, with its colon, is the default port of the target's scheme.
// CONNECT has no scheme, so both 80 and 443 count as default there.
func (h *Head) isDefault(port []byte) bool {
	scheme, _, _ := bytes.Cut(h.Target, schemeEnd)
	tunnel := string(h.Method) == "CONNECT"
	return string(port) == ":80" && (tunnel || isWord(scheme, "http")) ||
		string(port) == ":443" && (tunnel || isWord(scheme, "https"))
}

// isHost reports whether b is a host with or without a port, RFC 3986 3.2.2. Commas are
// refused, because a program that reads the field as a list would see two hosts.
func isHost(b []byte) bool {
	host, port := splitPort(b)
	for i, c := range port {
		if i > 0 && !isDigit(c) {
			return false
		}
	}
	if len(host) > 0 && host[0] == '[' {
		n := len(host) - 1
		return n > 2 && host[n] == ']' && all(host[1:n], &addressBytes)
	}
	return len(host) > 0 && all(host, &hostBytes)
}

// splitPort separates the port, with its colon, from the host. port is nil if there is none.
func splitPort(b []byte) (host, port []byte) {
	from := bytes.LastIndexByte(b, ']') + 1
	if i := bytes.IndexByte(b[from:], ':'); i >= 0 {
		return b[:from+i], b[from+i:]
	}
	return b, nil
}

var (
	schemeEnd    = []byte("://")
	schemeBytes  = members("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+-.")
	addressBytes = members("0123456789abcdefABCDEF:.")
	hostBytes    = members("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~%!$&'()*+;=")
	userBytes    = members("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~%!$&'()*+;=,:")
)

func isScheme(b []byte) bool {
	return len(b) > 0 && 'a' <= b[0]|0x20 && b[0]|0x20 <= 'z' && all(b, &schemeBytes)
}

// untilQuery returns b up to its question mark, or all of b.
func untilQuery(b []byte) []byte {
	path, _, _ := bytes.Cut(b, query)
	return path
}

var query = []byte("?")

func members(of string) (m [256]bool) {
	for i := range len(of) {
		m[of[i]] = true
	}
	return m
}

func all(b []byte, in *[256]bool) bool {
	for _, c := range b {
		if !in[c] {
			return false
		}
	}
	return true
}

// sameFold compares a and b. Upper and lower case of ASCII letters are equal.
func sameFold(a, b []byte) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if lower(a[i]) != lower(b[i]) {
			return false
		}
	}
	return true
}
