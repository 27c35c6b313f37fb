package access

import (
	"strconv"

	"sluice/conf"
)

// MaxLine is the number of bytes of a request line that are logged, before escaping. It is
// HAProxy's value.
const MaxLine = 1023

// HTTPRecord holds the values of the log line of one request. Three fields of the embedded Record
// have another meaning than for a connection. Accept is the time of the request's first byte (%tr).
// Tw starts at the end of the request's head. Tt is %Ta: from that first byte to the last byte of
// the answer.
type HTTPRecord struct {
	Record
	Ti     int64   // ms from the accept, or from the end of the previous answer, to the request's first byte
	TR     int64   // ms from the request's first byte to the end of its head; -1: the head was incomplete
	Tr     int64   // ms from the established server connection to the end of the answer's head; -1: no answer from a server
	Status int     // status code of the answer; -1: no answer
	Cookie [2]byte // letters 3 and 4 of the termination state, about the persistence cookie; 0: no cookie is configured

	// Captured values: a cookie as name=value, nil if there was none; header fields in the order of
	// the `capture` directives, nil without such directives.
	RequestCookie, ResponseCookie   []byte
	RequestHeaders, ResponseHeaders [][]byte

	Line []byte // the request line; empty: no complete request line was received
}

// AppendHTTP appends the line of `option httplog` (configuration.txt 8.2.3) to dst, without header
// and newline. It does not allocate if dst has enough capacity.
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

// Overall returns the record for `option tcplog` in mode http. Its times start at the accept of the
// connection, or at the end of the previous answer.
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

// lineMarks and slotMarks are the characters with a special meaning in a request line and in
// captured header fields. They are escaped there.
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

// appendEscaped writes bytes that are not printable ASCII, and those in marks, as # and two
// hexadecimal digits (configuration.txt 8.6). With flag E it writes a backslash before '"', '\' and
// ']'.
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
