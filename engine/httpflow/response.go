package httpflow

import "bytes"

// parse reads a complete head that follows the grammar, with its empty line. It returns false if
// the length of the body is ambiguous or invalid.
func (h *Head) parse(b []byte) bool {
	*h = Head{length: -1}
	h.Reread(b)
	h.Minor = int(min(h.Line[len("HTTP/1.")]-'0', 1))
	h.Status = statusOf(h.Line)
	return h.frame()
}

// statusOf returns the status in a status line.
func statusOf(line []byte) (status int) {
	for _, c := range line[len("HTTP/1.1 "):][:3] {
		status = status*10 + int(c-'0')
	}
	return status
}

// Reread replaces the lines of h by those of b, the same head after [Rewrite.Append] has rewritten
// it. Length, coding and status of the answer keep the values that parse found.
func (h *Head) Reread(b []byte) {
	end := bytes.IndexByte(b, '\n')
	h.Line = chomp(b[:end+1])
	h.fields = b[end+1:]
	h.fields = h.fields[:bytes.LastIndexByte(h.fields[:len(h.fields)-1], '\n')+1]
}

// Size returns the size of the head as received, in bytes, or up to 2 bytes more.
func (h *Head) Size() int { return len(h.Line) + len(h.fields) + 2*len("\r\n") }

func (h *Head) frame() bool {
	coded := false
	for name, value, at := h.Next(0); at > 0; name, value, at = h.Next(at) {
		ok := true
		switch {
		case isWord(name, "content-length"):
			ok = h.contentLength(value)
		case isWord(name, "transfer-encoding"):
			coded = true
			ok = h.transferEncoding(value)
		case isWord(name, "connection"):
			h.close = h.close || hasItem(value, "close")
			h.keep = h.keep || hasItem(value, "keep-alive")
		}
		if !ok {
			return false
		}
	}
	return !coded || h.chunked && h.length < 0 && h.Minor > 0
}

// contentLength accepts digits only. The same length may be given again, in a list or in another
// field: it is unambiguous, and some servers send it (RFC 9112 6.3).
func (h *Head) contentLength(list []byte) bool {
	for more := true; more; {
		var item []byte
		item, list, more = bytes.Cut(list, comma)
		n, ok := number(trim(item))
		h.again = h.length >= 0
		if !ok || h.again && h.length != n {
			return false
		}
		h.length = n
	}
	return true
}

// transferEncoding accepts any list of codings in which chunked is the last and occurs once. The
// client decodes the others.
func (h *Head) transferEncoding(value []byte) bool {
	for more := true; more; {
		var coding []byte
		coding, value, more = bytes.Cut(value, comma)
		if coding = trim(coding); h.chunked || !isToken(coding) {
			return false
		}
		h.chunked = isWord(coding, "chunked")
	}
	return true
}

func (h *Head) body() Body {
	switch {
	case h.chunked:
		return chunked()
	case h.length >= 0:
		return counted(h.length)
	}
	return endless()
}

// number reads a decimal number up to 2^63-1. It returns false for anything else.
func number(b []byte) (int64, bool) {
	const limit = 1<<63 - 1
	n := int64(0)
	for _, c := range b {
		d := int64(c - '0')
		if d > 9 || n > (limit-d)/10 {
			return 0, false
		}
		n = n*10 + d
	}
	return n, len(b) > 0
}

func isToken(b []byte) bool {
	for _, c := range b {
		if answers[fieldName][c] != fieldName {
			return false
		}
	}
	return len(b) > 0
}
