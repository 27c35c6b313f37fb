package httpflow

import "sluice/sniff"

// place is where in the head of an answer the next byte stands.
type place uint8

const (
	noAnswer    place = iota
	version           // in "HTTP/1.", seven places; the zero of scan stands for it
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

// answers gives the place after a byte. As in requests, LF alone ends a line
// (RFC 9112 2.2): the head is written anew with CRLF. A CR without LF, a NUL, a
// line that goes on in the next and a blank before the colon are refused.
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

// scan goes over the head of an answer, byte for byte once.
type scan struct {
	at    uint32 // bytes walked
	place place
}

// advance returns the length of the head, 0 for more bytes, -1 for no answer.
func (s *scan) advance(b []byte) int {
	end := min(len(b), sniff.MaxBytes)
	for i, p := int(s.at), max(s.place, version); ; i++ {
		row := &answers[p]
		for i < end && row[b[i]] == p {
			i++ // a run within one place: the look-ups do not wait for each other
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
