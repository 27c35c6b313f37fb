package httpflow

// Append writes the head with its edits and the empty line. Every line ends
// with CRLF and every value stands behind ": ", however they came; names stay
// as sent, those of added fields are in lower case, as HAProxy's. It does not
// allocate if dst has room.
func (w *Rewrite) Append(dst []byte) []byte {
	if w.status != nil {
		dst = w.appendStatusLine(dst)
	} else {
		dst = w.appendRequestLine(dst)
	}
	dst = append(dst, "\r\n"...)
	for name, value, at := w.fields.Next(0); at > 0; name, value, at = w.fields.Next(at) {
		if value, ok := edited(w, 0, name, value); ok {
			dst = append(dst, name...)
			dst = append(dst, ": "...)
			dst = append(dst, value...)
			dst = append(dst, "\r\n"...)
		}
	}
	for i := range w.edits {
		dst = w.appendField(dst, i)
	}
	return append(dst, "\r\n"...)
}

// appendStatusLine writes the version that is spoken here, and the blank that
// stands even before no reason (RFC 9112 4).
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

// appendRequestLine writes the version that is spoken here (RFC 9112 2.3).
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

// appendTarget encodes what would break up the request line; nothing of that is
// in a target as it came, but may be in one that was set.
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

// edited applies the edits from the i-th on to a field; false: it goes.
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

// appendField writes the field that the i-th edit adds, if later ones leave it.
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

// disarm blanks out what would end the line, RFC 9110 5.5. Values as they came
// have none of that, those made from a format may.
func disarm(value []byte) {
	for i, c := range value {
		if c == '\r' || c == '\n' || c == 0 {
			value[i] = ' '
		}
	}
}
