package httpflow

// pair is one cookie of a list, as positions in the field's value. The list is split as in HAProxy:
// at semicolons and commas outside of quotes.
type pair struct {
	start, nameEnd int
	value, end     int // the value without blanks around it is list[value:end]
	next           int // position of the delimiter after the cookie, or the end of the list
	equal          bool
}

// nextPair reads the cookie at position at, which is 0 or directly after a delimiter.
func nextPair(list []byte, at int) (p pair) {
	for at < len(list) && isBlank(list[at]) {
		at++
	}
	p.start = at
	for at < len(list) && list[at] != '=' && !isDelimiter(list[at]) {
		at++
	}
	p.nameEnd = p.start + len(trimRight(list[p.start:at]))
	p.equal = at < len(list) && list[at] == '='
	p.value, p.next = at, at
	if p.equal {
		p.value, p.next = at+1, valueEnd(list, at+1)
	}
	for p.value < p.next && isBlank(list[p.value]) {
		p.value++
	}
	p.end = p.value + len(trimRight(list[p.value:p.next]))
	return p
}

// valueEnd returns the position of the delimiter after a value, or the end of the list.
func valueEnd(list []byte, at int) int {
	quoted := false
	for ; at < len(list); at++ {
		switch c := list[at]; {
		case c == '"':
			quoted = !quoted
		case c == '\\' && quoted:
			at++
		case !quoted && isDelimiter(c):
			return at
		}
	}
	return len(list)
}

func isDelimiter(c byte) bool { return c == ';' || c == ',' }

// is reports whether this pair is a cookie with exactly this name (case-sensitive) and an equals
// sign. The value may be empty.
func (p *pair) is(list []byte, name string) bool {
	return p.equal && string(list[p.start:p.nameEnd]) == name
}

// attribute reports whether this pair is an attribute of the cookie before it, for example $Path
// (RFC 2965).
func (p *pair) attribute(list []byte) bool { return p.start < len(list) && list[p.start] == '$' }
