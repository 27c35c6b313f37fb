package sniff

import "bytes"

// Head is the head of an HTTP/1 request. It is filled when Verdict is Yes.
type Head struct {
	Verdict Verdict
	// H2 says that this is the preface of HTTP/2 with prior knowledge; Verdict is
	// then No, as it is not HTTP/1.
	H2 bool

	Method  []byte
	Target  []byte // as sent
	Version []byte // HTTP/1.1
	// Path is the target from its first slash up to a question mark, as
	// HAProxy's path fetch (configuration.txt 7.3.6). Nil: the target has none,
	// as "*", CONNECT's host:port or http://host.
	Path []byte
	// Authority is host and port of an absolute target or of CONNECT, without
	// user and password. Nil: the target has none.
	Authority []byte

	// ContentLength is the body's length as told, -1 for not told. With Chunked
	// the two contradict each other: HAProxy passes such a head on, who relays by
	// it must refuse it.
	ContentLength int64
	// Repeated says that a length of 0 was told more than once.
	Repeated bool
	Chunked  bool
	// Folded says that a field's value goes on in a further line (RFC 9112 5.2).
	Folded bool

	host   []byte
	fields []byte // field lines without the empty line
}

// Host returns the value of the Host field as sent, without the blanks around
// it. It is false where there is none or an empty one. A head with two, or with
// one that is no host, is no HTTP to us.
func (h *Head) Host() ([]byte, bool) { return h.host, len(h.host) > 0 }

// PathQuery returns the path and the query: what an absolute target has behind
// its authority. Nil: there is no path.
func (h *Head) PathQuery() []byte {
	if h.Path == nil {
		return nil
	}
	return h.Target[len(untilQuery(h.Target))-len(h.Path):]
}

// AsksFor reports whether the target is uri, or an absolute one with uri behind
// its authority. Nothing asks for the empty one.
func (h *Head) AsksFor(uri string) bool {
	return uri != "" && (string(h.Target) == uri || string(h.PathQuery()) == uri)
}

// Next returns the field at position at and the position of the next, or 0 at
// the end. The value has no blanks around it; one continued over lines holds
// these with their ends. It starts at 0:
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

// parse reads a head that keeps to the grammar, with its empty line. It is false
// where two readers could differ on where the request goes or where it ends.
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

// contentLength takes plain digits once: signs, hexadecimal and a second one are
// what smuggling is made of (RFC 9112 6.3). Only that there is no body may be
// told several times, in a list too: no reader takes 0 for anything else.
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

// transferEncoding takes chunked alone and once, as HAProxy does in requests.
func (h *Head) transferEncoding(value []byte) bool {
	if h.Chunked {
		return false
	}
	h.Chunked = isWord(value, "chunked")
	return h.Chunked
}

var space, comma = []byte(" "), []byte(",")

// trim takes off blanks and tabs around b.
func trim(b []byte) []byte {
	for len(b) > 0 && (b[0] == ' ' || b[0] == '\t') {
		b = b[1:]
	}
	for n := len(b); n > 0 && (b[n-1] == ' ' || b[n-1] == '\t'); n-- {
		b = b[:n-1]
	}
	return b
}

// chomp takes off the end of line.
func chomp(b []byte) []byte {
	b = bytes.TrimSuffix(b, []byte("\n"))
	return bytes.TrimSuffix(b, []byte("\r"))
}
