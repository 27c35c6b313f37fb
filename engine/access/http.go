package access

import (
	"strconv"

	"sluice/conf"
)

// MaxLine is how much of a request line is logged, in bytes before escaping, as
// in HAProxy.
const MaxLine = 1023

// HTTPRecord is what the log line of one request tells. The Record in it is the
// connection's but for three fields: Accept is when the request's first byte
// came (%tr), Tw runs from the end of its head, and Tt is %Ta, from that first
// byte to the last of the answer.
type HTTPRecord struct {
	Record
	Ti     int64   // ms from the accept, or the end of the answer before, to that byte
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

// Overall is the record of the connection since its accept, or since the answer
// before: what `option tcplog` tells in mode http.
func (r *HTTPRecord) Overall() Record {
	overall := r.Record
	overall.Accept, overall.Tt = r.accepted(), r.Ti+r.Tt
	return overall
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
	return appendEscaped(dst, cookie, "", 0)
}

func appendHeaders(dst []byte, slots [][]byte) []byte {
	if slots == nil {
		return dst
	}
	return appendSlots(append(dst, ' '), slots, 0)
}

func appendSlots(dst []byte, slots [][]byte, flags conf.FormatFlags) []byte {
	dst = append(dst, '{')
	for i, value := range slots {
		if i > 0 {
			dst = append(dst, '|')
		}
		dst = appendEscaped(dst, value, slotMarks, flags)
	}
	return append(dst, '}')
}

// lineMarks and slotMarks are what has a meaning around a request line and
// around captured headers.
const (
	lineMarks = `"#`
	slotMarks = `"#{|}`
)

func cut(line []byte) []byte { return line[:min(len(line), MaxLine)] }

func appendLine(dst, line []byte) []byte {
	if len(line) == 0 {
		return append(dst, ` "`+badRequest+`"`...)
	}
	dst = append(dst, ` "`...)
	dst = appendEscaped(dst, cut(line), lineMarks, 0)
	return append(dst, '"')
}

// appendEscaped writes what is not printable ASCII, or one of these marks, as #
// and two digits (configuration.txt 8.6), and what flag E is for with a
// backslash before it.
func appendEscaped[text string | []byte](dst []byte, t text, marks string, flags conf.FormatFlags) []byte {
	for i := range len(t) {
		c := t[i]
		switch {
		case c < ' ' || c >= 0x7f || isMark(c, marks):
			dst = append(dst, '#', hexDigits[c>>4], hexDigits[c&15])
		case flags&conf.Escape != 0 && isMark(c, `"\]`):
			dst = append(dst, '\\', c)
		default:
			dst = append(dst, c)
		}
	}
	return dst
}

const hexDigits = "0123456789ABCDEF"

func isMark(c byte, marks string) bool {
	for i := range len(marks) {
		if c == marks[i] {
			return true
		}
	}
	return false
}
