package httpflow

import "bytes"

// cacheable says whether a cache on the way would keep this answer to a GET or
// HEAD, as HAProxy sees it: a status that may be kept (RFC 9110 15.1), nothing
// that forbids it, and a reason to, a time to live or a validator.
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

// control reads a Cache-Control field.
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
