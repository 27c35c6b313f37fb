package httpflow

// Append appends the edited head with its empty line to dst. Every line ends with CRLF and ": "
// separates every name from its value, whatever the sender wrote. Names stay as sent; those of
// added fields are in lower case, as in HAProxy. Append does not allocate if dst has enough
// capacity. It stops where edits have made the head far larger than MaxHead: see [Rewrite.Large].
func (w *Rewrite) Append(dst []byte) []byte {
	start := len(dst)
	if w.status != nil {
		dst = w.appendStatusLine(dst)
	} else {
		dst = w.appendRequestLine(dst)
	}
	dst = append(dst, "\r\n"...)
	for name, value, at := w.fields.Next(0); at > 0 && !w.stops(dst[start:]); name, value, at = w.fields.Next(at) {
		if value, ok := edited(w, 0, name, value); ok {
			dst = append(dst, name...)
			dst = append(dst, ": "...)
			dst = append(dst, value...)
			dst = append(dst, "\r\n"...)
		}
	}
	for i := range w.edits {
		if w.stops(dst[start:]) {
			break
		}
		dst = w.appendField(dst, i)
	}
	return append(dst, "\r\n"...)
}

// stops reports whether Append must stop after these bytes of the head. The limit is above the size
// of any head that was received and that no rule has edited.
func (w *Rewrite) stops(made []byte) bool {
	w.large = w.large || len(made) > 4*MaxHead
	return w.large
}

// appendStatusLine lowers the version to HTTP/1.1, the highest supported. It adds the space after
// the status, which is required even without a reason phrase (RFC 9112 4).
func (w *Rewrite) appendStatusLine(dst []byte) []byte {
	version := len(dst) + len("HTTP/1.")
	dst = append(dst, w.status...)
	if dst[version] > '1' {
		dst[version] = '1'
	}
	if len(w.status) == len("HTTP/1.1 200") {
		dst = append(dst, ' ')
	}
	return dst
}

// appendRequestLine writes HTTP/1.0 or HTTP/1.1, the versions supported here (RFC 9112 2.3).
func (w *Rewrite) appendRequestLine(dst []byte) []byte {
	dst = append(dst, w.method...)
	dst = append(dst, ' ')
	dst = appendTarget(dst, w.origin)
	dst = appendTarget(dst, w.path)
	dst = appendTarget(dst, w.query)
	if w.old {
		return append(dst, " HTTP/1.0"...)
	}
	return append(dst, " HTTP/1.1"...)
}

// appendTarget percent-encodes bytes that would break the request line. A received target has none
// of them, but the target set by a rule may have some.
func appendTarget(dst, part []byte) []byte {
	const hex = "0123456789ABCDEF"
	for _, c := range part {
		if c <= ' ' || c >= 0x7f {
			dst = append(dst, '%', hex[c>>4], hex[c&15])
		} else {
			dst = append(dst, c)
		}
	}
	return dst
}

// edited applies the edits from index i on to a field. It returns false if the field is removed.
func edited[name []byte | string](w *Rewrite, i int, of name, value []byte) ([]byte, bool) {
	for ; i < len(w.edits); i++ {
		e := &w.edits[i]
		switch {
		case e.change == nil:
			continue
		case e.match != nil && (frames(of) || !e.match([]byte(of))), e.match == nil && !isWord(of, e.name):
			continue
		}
		var ok bool
		if value, ok = e.change(w, e, value); !ok {
			return nil, false
		}
	}
	return value, true
}

// appendField appends the field that edit i adds, unless a later edit removes it.
func (w *Rewrite) appendField(dst []byte, i int) []byte {
	e := &w.edits[i]
	if !e.append {
		return dst
	}
	value, ok := edited(w, i+1, e.name, e.value)
	if !ok {
		return dst
	}
	for i := range len(e.name) {
		dst = append(dst, lower(e.name[i]))
	}
	dst = append(dst, ": "...)
	dst = append(dst, value...)
	disarm(dst[len(dst)-len(value):])
	return append(dst, "\r\n"...)
}

// disarm replaces bytes that would end the line by spaces (RFC 9110 5.5). Received values have none
// of these bytes, but values made from a format may have some.
func disarm(value []byte) {
	for i, c := range value {
		if c == '\r' || c == '\n' || c == 0 {
			value[i] = ' '
		}
	}
}
