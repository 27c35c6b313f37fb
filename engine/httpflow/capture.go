package httpflow

import "sluice/conf"

// CaptureHeader implements `capture request header` and `capture response header`. It returns the
// value of the last field of that name, for the log, cut to c.Len bytes. It returns nil if there is
// no such field.
func CaptureHeader(f Fields, c *conf.Capture) []byte {
	var last []byte
	for name, value, at := f.Next(0); at > 0; name, value, at = f.Next(at) {
		if isWord(name, c.Name) {
			last = value
		}
	}
	return last[:min(len(last), c.Len)]
}

// CaptureCookie implements `capture cookie`: it returns the first cookie, as name=value, that
// begins with c.Name, cut to c.Len bytes. It reads the Cookie fields of a request or the Set-Cookie
// fields of an answer. It returns nil if there is no such cookie.
func CaptureCookie(f Fields, c *conf.Capture) []byte {
	for name, list, at := f.Next(0); at > 0; name, list, at = f.Next(at) {
		switch {
		case isWord(name, "cookie"):
		case isWord(name, "set-cookie"):
			list = list[:nextPair(list, 0).next]
		default:
			continue
		}
		for i := 0; i < len(list); {
			p := nextPair(list, i)
			if cookie := list[p.start:p.end]; p.equal && len(cookie) >= len(c.Name) && string(cookie[:len(c.Name)]) == c.Name {
				return cookie[:min(len(cookie), c.Len)]
			}
			i = p.next + 1
		}
	}
	return nil
}
