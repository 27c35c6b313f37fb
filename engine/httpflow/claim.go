package httpflow

import "bytes"

// Pick reads the cookies of a request and returns the server that they name. now is in seconds
// since 1970.
func (c *Cookie) Pick(request Fields, now int64, lookup Lookup) Claim {
	claim := Claim{Server: -1, Letter: 'N'}
	for name, list, at := request.Next(0); at > 0; name, list, at = request.Next(at) {
		if !isWord(name, "cookie") {
			continue
		}
		for i := 0; i < len(list); {
			p := nextPair(list, i)
			if p.is(list, c.name) {
				c.follow(&claim, list[p.value:p.end], now, lookup)
			}
			i = p.next + 1
		}
	}
	return claim
}

// follow evaluates one cookie of our name. A client may send several: the first that leads to a
// server counts. An invalid cookie is reported in claim.Letter only if none leads to a server.
func (c *Cookie) follow(claim *Claim, value []byte, now int64, lookup Lookup) {
	id := c.id(claim, value)
	switch {
	case expired(claim.given, c.maxLife, now):
		claim.Letter, claim.given, claim.used, id = 'O', 0, 0, nil
	case expired(claim.used, c.maxIdle, now):
		claim.Letter, claim.given, claim.used, id = 'E', 0, 0, nil
	}
	if claim.Server >= 0 {
		return
	}
	letter := byte('I')
	if len(id) > 0 { // an empty cookie must not select a server without a cookie value
		claim.Server, letter = lookup(id)
	}
	if letter != 'I' || claim.Letter == 'N' {
		claim.Letter = letter
	}
}

// id returns the part of a cookie's value that names the server. It stores the dates of the cookie
// in claim.
func (c *Cookie) id(claim *Claim, value []byte) []byte {
	if c.prefix {
		id, _, _ := bytes.Cut(value, prefixMark)
		return id
	}
	id, dates, _ := bytes.Cut(value, dateMark)
	_, given, _ := bytes.Cut(dates, dateMark)
	if at := date(dates); at != 0 {
		claim.used = at
	}
	if at := date(given); at != 0 {
		claim.given = at
	}
	return id
}

var (
	prefixMark = []byte{prefixEnd}
	dateMark   = []byte{dateStart}
)

// Hide removes the part of the cookie that the server must not see. With insert and indirect this
// is the whole cookie. With prefix it is the part of the value that names our server.
func (c *Cookie) Hide(w *Rewrite) {
	switch {
	case c.prefix:
		w.edit(edit{name: "cookie", change: shorten, word: c.name})
	case c.insert && c.indirect:
		w.edit(edit{name: "cookie", change: remove, word: c.name})
	}
}

// shorten removes the part that names our server from the value of the cookie.
func shorten(w *Rewrite, e *edit, list []byte) ([]byte, bool) {
	start, done := len(w.text), 0
	for i := 0; i < len(list); {
		p := nextPair(list, i)
		if mark := bytes.IndexByte(list[p.value:p.end], prefixEnd); mark >= 0 && p.is(list, e.word) {
			w.text = append(w.text, list[done:p.value]...)
			done = p.value + mark + 1
		}
		i = p.next + 1
	}
	if done == 0 {
		return list, true
	}
	w.text = append(w.text, list[done:]...)
	return w.text[start:], true
}

// remove removes the cookie, and the attributes that follow it, from the list. It returns false if
// no other cookie is left. The rest of the list is unchanged except the blanks at the place of the
// removed cookie.
func remove(w *Rewrite, e *edit, list []byte) ([]byte, bool) {
	start := len(w.text)
	others, gone, after := false, false, false
	for i := 0; i <= len(list); {
		p := nextPair(list, i)
		mine := p.is(list, e.word) || after && p.attribute(list)
		switch {
		case mine:
			gone = true
		case after && len(w.text) == start:
			w.text = append(w.text, list[p.start:p.next]...)
		case after:
			w.text = append(w.text[:start+len(trimRight(w.text[start:]))], list[i-1], ' ')
			w.text = append(w.text, list[p.start:p.next]...)
		default:
			w.text = append(w.text, list[max(i-1, 0):p.next]...)
		}
		others = others || !mine && p.start < p.next && !p.attribute(list)
		after = mine
		i = p.next + 1
	}
	if !gone {
		return list, true
	}
	return w.text[start:], others
}
