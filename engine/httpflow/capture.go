package httpflow

import "sluice/conf"

// CaptureHeader is what `capture request header` and `capture response header`
// keep for the log: the last value of that name. Nil: there is none.
func CaptureHeader(f Fields, c *conf.Capture) []byte {
	var last []byte
	for name, value, at := f.Next(0); at > 0; name, value, at = f.Next(at) {
		if isWord(name, c.Name) {
			last = value
		}
	}
	return last[:min(len(last), c.Len)]
}

// CaptureCookie is what `capture cookie` keeps of a request or an answer: the
// first cookie whose name and value begin with the name, both of them. Nil: there
// is none.
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
