package sniff

import "bytes"

// Head is the head of an HTTP/1 request. If Verdict is Yes, the other fields are set.
type Head struct {
	Verdict Verdict
	// H2 is true for the preface of HTTP/2 with prior knowledge. Verdict is then No, because
	// the bytes are not HTTP/1.
	H2 bool
	// Unclear is true if the bytes begin like an HTTP request, but two programs could read them
	// differently, or only a lenient program reads them. Verdict is then No.
	Unclear bool

	Method  []byte
	Target  []byte // as sent
	Version []byte // for example HTTP/1.1
	// Path is the part of the target from the first slash of its path to the question mark,
	// like HAProxy's fetch path (configuration.txt 7.3.6). It is nil if the target has no path:
	// "*", host:port of CONNECT, or http://host.
	Path []byte
	// Authority is the host and the port of an absolute target or of CONNECT, without user and
	// password. It is nil if the target has none.
	Authority []byte

	// ContentLength is the length of the body in bytes according to the field Content-Length,
	// or -1 without that field. If Chunked is also true, the two fields contradict each other.
	// HAProxy accepts such a head. A caller that finds the end of the body by these fields must
	// refuse it.
	ContentLength int64
	// Repeated is true if a Content-Length of 0 was given more than once.
	Repeated bool
	Chunked  bool
	// Folded is true if the value of a field continues on a further line (RFC 9112 5.2).
	Folded bool

	host   []byte
	fields []byte // field lines without the empty line
}

// Host returns the value of the field Host as sent, without spaces and tabs around it. It
// returns false if the field is missing or empty. A head with two Host fields, or with a
// malformed host, gets the verdict No.
func (h *Head) Host() ([]byte, bool) { return h.host, len(h.host) > 0 }

// PathQuery returns the path and the query of the target. In an absolute target, both follow
// the authority. It returns nil if there is no path.
func (h *Head) PathQuery() []byte {
	if h.Path == nil {
		return nil
	}
	return h.Target[len(untilQuery(h.Target))-len(h.Path):]
}

// AsksFor reports whether the target is uri, or an absolute target whose path and query are
// uri. It returns false for an empty uri.
func (h *Head) AsksFor(uri string) bool {
	return uri != "" && (string(h.Target) == uri || string(h.PathQuery()) == uri)
}

// Next returns the field at position at, and the position of the field after it, or 0 at the
// end. The value has no spaces or tabs around it. A value continued on further lines includes
// the line ends. The first position is 0:
//
//	for name, value, at := h.Next(0); at > 0; name, value, at = h.Next(at) {
func (h *Head) Next(at int) (name, value []byte, next int) {
	b := h.fields[at:]
	if len(b) == 0 {
		return nil, nil, 0
	}
	end := bytes.IndexByte(b, '\n') + 1
	for end < len(b) && (b[end] == ' ' || b[end] == '\t') {
		end += bytes.IndexByte(b[end:], '\n') + 1
	}
	colon := bytes.IndexByte(b, ':')
	return b[:colon:colon], trim(chomp(b[colon+1 : end])), at + end
}

// parse reads a head that matches grammar, including its empty line. It returns false if two
// programs could disagree about the host or about the end of the request.
func (h *Head) parse(b []byte) bool {
	b = bytes.TrimLeft(b, "\r\n")
	end := bytes.IndexByte(b, '\n')
	h.fields = b[end+1:]
	h.fields = h.fields[:bytes.LastIndexByte(h.fields[:len(h.fields)-1], '\n')+1]
	return h.requestLine(chomp(b[:end+1])) && h.parseFields() && h.oneHost()
}

func (h *Head) requestLine(line []byte) bool {
	var rest []byte
	h.Method, rest, _ = bytes.Cut(line, space)
	h.Target, rest, _ = bytes.Cut(trim(rest), space)
	h.Version = trim(rest)
	return h.target()
}

func (h *Head) parseFields() bool {
	h.ContentLength = -1
	hosts := 0
	for name, value, at := h.Next(0); at > 0; name, value, at = h.Next(at) {
		ok := true
		switch {
		case isWord(name, "host"):
			hosts++
			h.host = value
			ok = hosts == 1 && (len(value) == 0 || isHost(value))
		case isWord(name, "content-length"):
			ok = h.contentLength(value)
		case isWord(name, "transfer-encoding"):
			ok = h.transferEncoding(value)
		}
		if !ok {
			return false
		}
		h.Folded = h.Folded || hasByte(value, '\n')
	}
	return true
}

// contentLength accepts only one length, and in it only digits. Signs, hexadecimal numbers and
// a second length are ways of request smuggling (RFC 9112 6.3). Only a length of 0 may be given
// several times, also in a list, because every program reads 0 in the same way.
func (h *Head) contentLength(value []byte) bool {
	for more := true; more; {
		var one []byte
		one, value, more = bytes.Cut(value, comma)
		told := h.ContentLength >= 0
		if !h.oneLength(trim(one)) {
			return false
		}
		h.Repeated = h.Repeated || told
	}
	return !h.Repeated || h.ContentLength == 0
}

// oneLength reads one length. It returns false for a malformed length, or after a length above
// 0.
func (h *Head) oneLength(value []byte) bool {
	const limit = 1<<63 - 1
	if h.ContentLength > 0 || len(value) == 0 {
		return false
	}
	n := int64(0)
	for _, c := range value {
		d := int64(c - '0')
		if !isDigit(c) || n > (limit-d)/10 {
			return false
		}
		n = n*10 + d
	}
	h.ContentLength = n
	return true
}

// transferEncoding accepts only one field with the only value chunked, as HAProxy does in
// requests.
func (h *Head) transferEncoding(value []byte) bool {
	if h.Chunked {
		return false
	}
	h.Chunked = isWord(value, "chunked")
	return h.Chunked
}

var space, comma = []byte(" "), []byte(",")

// trim removes spaces and tabs around b.
func trim(b []byte) []byte {
	for len(b) > 0 && (b[0] == ' ' || b[0] == '\t') {
		b = b[1:]
	}
	for n := len(b); n > 0 && (b[n-1] == ' ' || b[n-1] == '\t'); n-- {
		b = b[:n-1]
	}
	return b
}

// chomp removes the line end, LF or CRLF.
func chomp(b []byte) []byte {
	b = bytes.TrimSuffix(b, []byte("\n"))
	return bytes.TrimSuffix(b, []byte("\r"))
}
