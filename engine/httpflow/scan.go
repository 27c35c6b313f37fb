package httpflow

import "sluice/sniff"

// place says to which part of an answer's head the next byte belongs.
type place uint8

const (
	noAnswer    place = iota
	version           // in "HTTP/1.", one place for each of the 7 bytes; a zero scan starts here
	minor       = version + 7
	afterMinor  = minor + 1
	status1     = afterMinor + 1
	status2     = status1 + 1
	status3     = status2 + 1
	afterStatus = status3 + 1
	reason      = afterStatus + 1
	lineCR      = reason + 1
	field       = lineCR + 1
	fieldName   = field + 1
	fieldValue  = fieldName + 1
	headCR      = fieldValue + 1
	complete    = headCR + 1
	places      = complete + 1
)

// answers gives the next place for each place and each byte. LF alone may end a line, as in
// requests (RFC 9112 2.2), because the head is written again with CRLF. Refused are: a CR without
// LF, a NUL, a line folded into the next and a blank before the colon.
var answers = makeAnswers()

func makeAnswers() (g [places][256]place) {
	set := func(from, to place, in string) {
		for i := range len(in) {
			g[from][in[i]] = to
		}
	}
	const digits = "0123456789"
	text := between(0x01, 0xff, "\r\n")
	for i, c := range []byte("HTTP/1.") {
		g[version+place(i)][c] = version + place(i) + 1
	}
	set(minor, afterMinor, digits)
	set(afterMinor, status1, " ")
	set(status1, status2, digits[1:])
	set(status2, status3, digits)
	set(status3, afterStatus, digits)
	set(afterStatus, reason, " ")
	set(reason, reason, text)
	set(field, fieldName, tokenBytes)
	set(field, headCR, "\r")
	set(field, complete, "\n")
	set(fieldName, fieldName, tokenBytes)
	set(fieldName, fieldValue, ":")
	set(fieldValue, fieldValue, text)
	for _, p := range []place{afterStatus, reason, fieldValue} {
		set(p, lineCR, "\r")
		set(p, field, "\n")
	}
	set(lineCR, field, "\n")
	set(headCR, complete, "\n")
	return g
}

// scan is the progress in the head of an answer. It reads each byte once.
type scan struct {
	at    uint32 // bytes read
	place place
}

// advance returns the length of the head. It returns 0 if more bytes are needed and -1 if b is not
// an answer.
func (s *scan) advance(b []byte) int {
	end := min(len(b), sniff.MaxBytes)
	for i, p := int(s.at), max(s.place, version); ; i++ {
		row := &answers[p]
		for i < end && row[b[i]] == p {
			i++ // faster than the outer loop: within one place the look-ups do not depend on each other
		}
		if i == end {
			s.at, s.place = uint32(i), p
			break
		}
		switch p = row[b[i]]; p {
		case noAnswer:
			return -1
		case complete:
			return i + 1
		}
	}
	if end == sniff.MaxBytes {
		return -1
	}
	return 0
}
