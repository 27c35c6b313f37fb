package httpflow

// pair is one cookie of a list, as positions in the field's value. A list is
// cut as HAProxy does it: at semicolons and commas outside of quotes.
type pair struct {
	start, nameEnd int
	value, end     int // end is start of nothing: the value without blanks behind it
	next           int // the delimiter behind it, or the end of the list
	equal          bool
}

// nextPair reads the cookie at a position that is behind a delimiter.
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

// valueEnd finds the delimiter behind a value, or the end of the list.
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

// is says whether the cookie has that name, letters of the same case, and a
// value, which may be empty.
func (p *pair) is(list []byte, name string) bool {
	return p.equal && string(list[p.start:p.nameEnd]) == name
}

// attribute says whether this is no cookie but about the one before, as $Path
// (RFC 2965).
func (p *pair) attribute(list []byte) bool { return p.start < len(list) && list[p.start] == '$' }
