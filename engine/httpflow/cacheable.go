package httpflow

import "bytes"

// cacheable reports whether a cache would store this answer to a GET or HEAD, by HAProxy's rules.
// The status must allow storing (RFC 9110 15.1) and no field may forbid it. At least one field must
// give a lifetime or a validator.
func cacheable(h *Head) bool {
	switch h.Status {
	case 200, 203, 204, 206, 300, 301, 404, 405, 410, 414, 501:
	default:
		return false
	}
	reason := false
	for name, value, at := h.Next(0); at > 0; name, value, at = h.Next(at) {
		switch {
		case isWord(name, "pragma") && hasItem(value, "no-cache"):
			return false
		case isWord(name, "cache-control"):
			lives, forbidden := control(value)
			if forbidden {
				return false
			}
			reason = reason || lives
		case isWord(name, "etag"), isWord(name, "last-modified"), isWord(name, "expires"):
			reason = true
		}
	}
	return reason
}

// control reads a Cache-Control field: lives is true if the field gives a lifetime above 0,
// forbidden if it forbids to store the answer.
func control(value []byte) (lives, forbidden bool) {
	for len(value) > 0 {
		var item []byte
		item, value = nextItem(value)
		name, age, _ := bytes.Cut(item, equals)
		switch {
		case isWord(item, "private"), isWord(item, "no-cache"), isWord(item, "no-store"):
			return false, true
		case isWord(name, "max-age"), isWord(name, "s-maxage"):
			if isWord(age, "0") {
				return false, true
			}
			lives = true
		}
	}
	return lives, false
}

var equals = []byte("=")
