package httpflow

// Give edits the answer h so that the client stays on the server that gave the answer. It removes
// or rewrites the server's own cookie of that name. It adds our cookie if the client has none or if
// the cookie must be renewed.
//
// id is the `cookie` value of the server; it is empty if the server has none. now is in seconds
// since 1970. Call Give only for a final answer or for one that opens a tunnel.
//
// Give returns the fourth letter of the termination state (configuration.txt 8.5). N: no cookie. P:
// the server's cookie passed unchanged, D: removed, R: rewritten. I: our cookie inserted, U: its
// date renewed.
func (c *Cookie) Give(w *Rewrite, x *Exchange, h *Head, claim Claim, id string, now int64) byte {
	letter := c.take(w, h, claim, id)
	if !c.due(x, claim, letter, now) {
		return letter
	}
	w.AddHeader("set-cookie", c.line(w, claim, id, now))
	if c.noCache && x.has(get|head) && cacheable(h) {
		w.AddHeader("cache-control", private)
	}
	if claim.Server >= 0 && id != "" {
		return 'U'
	}
	return 'I'
}

var private = []byte("private")

// take passes, removes or rewrites the server's own cookie, if the answer has one.
func (c *Cookie) take(w *Rewrite, h *Head, claim Claim, id string) byte {
	switch {
	case !c.sent(h):
		return 'N'
	case c.preserve:
		return 'P'
	case c.insert || claim.Server >= 0 && c.indirect:
		w.edit(edit{name: "set-cookie", change: withhold, word: c.name})
		return 'D'
	case id == "" || !c.rewrite && !c.prefix:
		return 'P'
	case c.rewrite:
		w.edit(edit{name: "set-cookie", change: replaceValue, word: c.name, value: w.copied(id)})
	default:
		w.edit(edit{name: "set-cookie", change: prefixValue, word: c.name, value: w.copied(id)})
	}
	return 'R'
}

// copied returns a copy of s that is valid as long as the edits.
func (w *Rewrite) copied(s string) []byte {
	start := len(w.text)
	w.text = append(w.text, s...)
	return w.text[start:]
}

// sent reports whether the answer sets a cookie of this name.
func (c *Cookie) sent(h *Head) bool {
	for name, value, at := h.Next(0); at > 0; name, value, at = h.Next(at) {
		if p := nextPair(value, 0); isWord(name, "set-cookie") && p.is(value, c.name) {
			return true
		}
	}
	return false
}

// due reports whether our cookie must be sent to the client. Either the request had no cookie that
// led to this server, or the dates in its cookie must be written anew. That is so if they are
// missing, outdated or no longer configured.
func (c *Cookie) due(x *Exchange, claim Claim, letter byte, now int64) bool {
	if !c.insert || letter == 'P' || c.postOnly && !x.has(post) {
		return false
	}
	used, given := claim.used != 0, claim.given != 0
	return claim.Server < 0 ||
		(c.maxIdle > 0 || used) && (!used || int64(claim.used) < now) ||
		(c.maxLife > 0) != given
}

// line returns the value of the Set-Cookie field. If the server has no id, the field makes the
// client delete its cookie.
func (c *Cookie) line(w *Rewrite, claim Claim, id string, now int64) []byte {
	start := len(w.text)
	w.text = append(append(w.text, c.name...), '=')
	if id == "" {
		w.text = append(w.text, "; Expires=Thu, 01-Jan-1970 00:00:01 GMT"...)
	} else {
		w.text = append(w.text, id...)
		w.text = c.appendDates(w.text, claim, now)
	}
	w.text = append(w.text, c.attributes...)
	return w.text[start:]
}

// appendDates appends the dates. It rounds now up to the next unit, so that a date is never too
// early.
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

// withhold removes a Set-Cookie field of our name.
func withhold(_ *Rewrite, e *edit, value []byte) ([]byte, bool) {
	p := nextPair(value, 0)
	return value, !p.is(value, e.word)
}

// replaceValue replaces the value of the cookie by the server's id.
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

// prefixValue inserts the server's id before the value of the cookie.
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
