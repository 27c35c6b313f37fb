package access

import "strconv"

// MaxLine is how much of a request line is logged, in bytes before escaping, as
// in HAProxy.
const MaxLine = 1023

// HTTPRecord is what the log line of one request tells. The Record in it is the
// connection's but for three fields: Accept is when the request's first byte
// came (%tr), Tw runs from the end of its head, and Tt is %Ta, from that first
// byte to the last of the answer.
type HTTPRecord struct {
	Record
	TR     int64   // ms from the first byte to the end of the head; -1: it never ended
	Tr     int64   // ms from the connection to the end of the answer's head; -1: none came
	Status int     // of the answer; -1: none came
	Cookie [2]byte // what became of the persistence cookie; zero: no cookie is configured

	// What is captured: a cookie as name=value, nil for none; headers in the
	// order of their slots, nil for no slots.
	RequestCookie, ResponseCookie   []byte
	RequestHeaders, ResponseHeaders [][]byte

	Line []byte // the request line; empty: there was none that was whole
}

// AppendHTTP appends the line of `option httplog` (configuration.txt 8.2.3), with
// neither header nor newline. It does not allocate if dst has room.
func (f *Formatter) AppendHTTP(dst []byte, r *HTTPRecord) []byte {
	dst = f.appendRoute(dst, &r.Record)
	dst = appendInts(dst, r.TR, r.Tw, r.Tc, r.Tr, r.Tt)
	dst = append(dst, ' ')
	dst = strconv.AppendInt(dst, int64(r.Status), 10)
	dst = append(dst, ' ')
	dst = strconv.AppendUint(dst, r.Bytes, 10)
	dst = appendCookie(dst, r.RequestCookie)
	dst = appendCookie(dst, r.ResponseCookie)
	dst = append(dst, ' ', r.Term[0], r.Term[1], letter(r.Cookie[0]), letter(r.Cookie[1]), ' ')
	dst = appendCounts(dst, &r.Record)
	dst = appendHeaders(dst, r.RequestHeaders)
	dst = appendHeaders(dst, r.ResponseHeaders)
	return appendLine(dst, r.Line)
}

func letter(c byte) byte {
	if c == 0 {
		return '-'
	}
	return c
}

func appendCookie(dst, cookie []byte) []byte {
	dst = append(dst, ' ')
	if len(cookie) == 0 {
		return append(dst, '-')
	}
	return appendEscaped(dst, cookie, "")
}

func appendHeaders(dst []byte, slots [][]byte) []byte {
	if slots == nil {
		return dst
	}
	dst = append(dst, " {"...)
	for i, value := range slots {
		if i > 0 {
			dst = append(dst, '|')
		}
		dst = appendEscaped(dst, value, `"#{|}`)
	}
	return append(dst, '}')
}

func appendLine(dst, line []byte) []byte {
	if len(line) == 0 {
		return append(dst, ` "<BADREQ>"`...)
	}
	dst = append(dst, ` "`...)
	dst = appendEscaped(dst, line[:min(len(line), MaxLine)], `"#`)
	return append(dst, '"')
}

// appendEscaped writes what is not printable ASCII, or one of these marks, as #
// and two digits (configuration.txt 8.6).
func appendEscaped(dst, text []byte, marks string) []byte {
	const hex = "0123456789ABCDEF"
	for _, c := range text {
		if c >= ' ' && c < 0x7f && !isMark(c, marks) {
			dst = append(dst, c)
		} else {
			dst = append(dst, '#', hex[c>>4], hex[c&15])
		}
	}
	return dst
}

func isMark(c byte, marks string) bool {
	for i := range len(marks) {
		if c == marks[i] {
			return true
		}
	}
	return false
}
