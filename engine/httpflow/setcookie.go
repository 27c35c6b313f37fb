package httpflow

// Give makes the edits of an answer that keep its client on the server that
// gave it: the server's own cookie of that name is removed or rewritten, ours
// is added where the client lacks it or it must be renewed. id is the server's
// `cookie` value, empty if it has none, now is in seconds since 1970. It returns
// the fourth letter of the termination state (configuration.txt 8.5): N no
// cookie, P the server's passed as it is, D removed, R rewritten, I ours
// inserted, U its date renewed. Call it for final answers only; one that opens a
// tunnel is one, too.
func (c *Cookie) Give(w *Rewrite, x *Exchange, h *Head, claim Claim, id []byte, now int64) byte {
	letter := c.take(w, h, claim, id)
	if !c.due(x, claim, letter, now) {
		return letter
	}
	w.AddHeader("set-cookie", c.line(w, claim, id, now))
	if c.noCache && x.has(get|head) && cacheable(h) {
		w.AddHeader("cache-control", private)
	}
	if claim.Server >= 0 && len(id) > 0 {
		return 'U'
	}
	return 'I'
}

var private = []byte("private")

// take treats the server's own cookie, if it sent one.
func (c *Cookie) take(w *Rewrite, h *Head, claim Claim, id []byte) byte {
	switch {
	case !c.sent(h):
		return 'N'
	case c.preserve:
		return 'P'
	case c.insert || claim.Server >= 0 && c.indirect:
		w.edit(edit{name: "set-cookie", change: withhold, word: c.name})
		return 'D'
	case len(id) == 0 || !c.rewrite && !c.prefix:
		return 'P'
	case c.rewrite:
		w.edit(edit{name: "set-cookie", change: replaceValue, word: c.name, value: id})
	default:
		w.edit(edit{name: "set-cookie", change: prefixValue, word: c.name, value: id})
	}
	return 'R'
}

// sent says whether the server set the cookie itself.
func (c *Cookie) sent(h *Head) bool {
	for name, value, at := h.Next(0); at > 0; name, value, at = h.Next(at) {
		if p := nextPair(value, 0); isWord(name, "set-cookie") && p.is(value, c.name) {
			return true
		}
	}
	return false
}

// due says whether the client needs a cookie from us: it came without one that
// led here, or the dates in it are missing, old or not wanted any more.
func (c *Cookie) due(x *Exchange, claim Claim, letter byte, now int64) bool {
	if !c.insert || letter == 'P' || c.postOnly && !x.has(post) {
		return false
	}
	used, given := claim.used != 0, claim.given != 0
	return claim.Server < 0 ||
		(c.maxIdle > 0 || used) && (!used || int64(claim.used) < now) ||
		(c.maxLife > 0) != given
}

// line is the value of Set-Cookie. A server without an id has the client forget
// what it had.
func (c *Cookie) line(w *Rewrite, claim Claim, id []byte, now int64) []byte {
	start := len(w.text)
	w.text = append(append(w.text, c.name...), '=')
	if len(id) == 0 {
		w.text = append(w.text, "; Expires=Thu, 01-Jan-1970 00:00:01 GMT"...)
	} else {
		w.text = append(w.text, id...)
		w.text = c.appendDates(w.text, claim, now)
	}
	w.text = append(w.text, c.attributes...)
	return w.text[start:]
}

// appendDates rounds up, so that a date is never before its moment.
func (c *Cookie) appendDates(dst []byte, claim Claim, now int64) []byte {
	units := uint32((now + 1<<dateShift - 1) >> dateShift)
	if c.maxIdle > 0 || c.maxLife > 0 {
		dst = appendDate(append(dst, dateStart), units)
	}
	if c.maxLife == 0 {
		return dst
	}
	if claim.given != 0 {
		units = claim.given >> dateShift
	}
	return appendDate(append(dst, dateStart), units)
}

// withhold drops a Set-Cookie of our name.
func withhold(_ *Rewrite, e *edit, value []byte) ([]byte, bool) {
	p := nextPair(value, 0)
	return value, !p.is(value, e.word)
}

// replaceValue puts the server's id in the place of the cookie's value.
func replaceValue(w *Rewrite, e *edit, value []byte) ([]byte, bool) {
	p := nextPair(value, 0)
	if !p.is(value, e.word) {
		return value, true
	}
	start := len(w.text)
	w.text = append(append(append(w.text, e.word...), '='), e.value...)
	w.text = append(w.text, value[p.end:]...)
	return w.text[start:], true
}

// prefixValue puts the server's id before the cookie's value.
func prefixValue(w *Rewrite, e *edit, value []byte) ([]byte, bool) {
	p := nextPair(value, 0)
	if !p.is(value, e.word) {
		return value, true
	}
	start := len(w.text)
	w.text = append(append(append(w.text, e.word...), '='), e.value...)
	w.text = append(append(w.text, prefixEnd), value[p.value:]...)
	return w.text[start:], true
}
