package actor

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
)

// webReader reads HTTP/1 messages. It accepts only messages that RFC 9112 allows a sender to
// generate. So no receiver can parse a message of the balancer in another way.
type webReader struct {
	from       io.Reader
	buf        []byte
	start, end int // buf[start:end] was read and not taken yet
	taken      int // number of bytes that were taken since the connection began
}

// syntaxError is the error of a message that violates the grammar.
type syntaxError struct{ what string }

func (e *syntaxError) Error() string { return "malformed: " + e.what }

func malformedf(format string, args ...any) error {
	return &syntaxError{fmt.Sprintf(format, args...)}
}

// isSyntax reports whether err is a syntax error of a message, and not an error of the connection.
func isSyntax(err error) bool {
	var s *syntaxError
	return errors.As(err, &s)
}

// mostHead is the maximum number of bytes of a head or of a line.
const mostHead = 70 << 10

// fill reads more bytes and appends them to those in the buffer.
func (r *webReader) fill() error {
	switch {
	case r.start == r.end:
		r.start, r.end = 0, 0
	case r.end == len(r.buf):
		r.end = copy(r.buf, r.buf[r.start:r.end])
		r.start = 0
	}
	if r.end > mostHead {
		return malformedf("a head or a line of more than %d bytes: %.100q", mostHead, r.buf[r.start:r.end])
	}
	if r.end == len(r.buf) {
		r.buf = append(r.buf, make([]byte, len(r.buf))...)
	}
	n, err := r.from.Read(r.buf[r.end:])
	r.end += n
	return err
}

// left returns the bytes in the buffer.
func (r *webReader) left() []byte { return r.buf[r.start:r.end] }

// take removes the first n bytes of the buffer and returns them. They are valid until the next
// fill.
func (r *webReader) take(n int) []byte {
	b := r.buf[r.start : r.start+n]
	r.start += n
	r.taken += n
	return b
}

// until returns the bytes before the first occurrence of mark. It takes these bytes and mark.
func (r *webReader) until(mark string) ([]byte, error) {
	for seen := 0; ; {
		b := r.left()
		if i := bytes.Index(b[max(0, seen-len(mark)):], []byte(mark)); i >= 0 {
			i += max(0, seen-len(mark))
			return r.take(i + len(mark))[:i], nil
		}
		seen = len(b)
		if err := r.fill(); err != nil {
			return nil, err
		}
	}
}

// midway converts io.EOF into io.ErrUnexpectedEOF, for an end of the connection within a message.
func midway(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

// webHead is the head of a message. Its bytes are valid until the reader reads again.
type webHead struct {
	line    []byte // without CRLF
	fields  []byte // lines with CRLF between them
	length  int    // Content-Length; -1: none
	chunked bool
	close   bool // Connection: close
	keep    bool // Connection: keep-alive
	upgrade bool // Connection: upgrade
	number  int  // X-Number; -1: none
}

// head reads a head. The error is io.EOF if the connection ends before its first byte, and
// io.ErrUnexpectedEOF if it ends within it.
func (r *webReader) head() (h webHead, err error) {
	for r.start == r.end {
		if err := r.fill(); err != nil {
			return h, err
		}
	}
	text, err := r.until("\r\n\r\n")
	if err != nil {
		return h, midway(err)
	}
	h.length, h.number = -1, -1
	h.line, h.fields, _ = bytes.Cut(text, crlf)
	for line, rest := nextLine(h.fields); line != nil; line, rest = nextLine(rest) {
		if err := h.add(line); err != nil {
			return h, fmt.Errorf("%w in %q", err, text)
		}
	}
	return h, printable(h.line)
}

var (
	crlf  = []byte("\r\n")
	colon = []byte(":")
)

// nextLine returns the first line of fields and the rest. The line is nil after the last one.
func nextLine(fields []byte) (line, rest []byte) {
	if len(fields) == 0 {
		return nil, nil
	}
	line, rest, _ = bytes.Cut(fields, crlf)
	return line, rest
}

// fieldOf divides a line into the name and the value of a field.
func fieldOf(line []byte) (name, value []byte) {
	name, value, _ = bytes.Cut(line, colon)
	return name, bytes.Trim(value, " \t")
}

// add parses a field line and stores the fields that matter for framing and identification.
func (h *webHead) add(line []byte) error {
	name, value := fieldOf(line)
	if len(name) == len(line) || !isToken(name) {
		return malformedf("the line %q", line)
	}
	if err := printable(value); err != nil {
		return err
	}
	switch {
	case same(name, "content-length"):
		n := digits(value)
		if n < 0 || h.length >= 0 || h.chunked {
			return malformedf("the length %q", value)
		}
		h.length = n
	case same(name, "transfer-encoding"):
		if !same(value, "chunked") || h.chunked || h.length >= 0 {
			return malformedf("the coding %q", value)
		}
		h.chunked = true
	case same(name, "connection"):
		h.close = h.close || same(value, "close")
		h.keep = h.keep || same(value, "keep-alive")
		h.upgrade = h.upgrade || same(value, "upgrade")
	case same(name, numberField):
		if h.number >= 0 {
			return malformedf("two numbers")
		}
		h.number = digits(value)
	}
	return nil
}

// get returns the value of the first field with a name, and the number of such fields. name is in
// lower case.
func (h *webHead) get(name string) (value []byte, count int) {
	for line, rest := nextLine(h.fields); line != nil; line, rest = nextLine(rest) {
		n, v := fieldOf(line)
		if !same(n, name) {
			continue
		}
		if count++; count == 1 {
			value = v
		}
	}
	return value, count
}

// has reports whether the head has a field with this name and value. want is "Name: value".
func (h *webHead) has(want string) bool {
	name, value := fieldOf([]byte(want))
	name = bytes.ToLower(name)
	for line, rest := nextLine(h.fields); line != nil; line, rest = nextLine(rest) {
		if n, v := fieldOf(line); same(n, string(name)) && bytes.Equal(v, value) {
			return true
		}
	}
	return false
}

// same compares without regard to case. word is in lower case.
func same(b []byte, word string) bool {
	if len(b) != len(word) {
		return false
	}
	for i, c := range b {
		if 'A' <= c && c <= 'Z' {
			c += 'a' - 'A'
		}
		if c != word[i] {
			return false
		}
	}
	return true
}

// digits returns the value of a decimal number; -1: b is no number or has more than 18 digits.
func digits(b []byte) int {
	if len(b) == 0 || len(b) > 18 {
		return -1
	}
	n := 0
	for _, c := range b {
		if c < '0' || c > '9' {
			return -1
		}
		n = n*10 + int(c-'0')
	}
	return n
}

// printable returns an error if b contains control bytes other than tab.
func printable(b []byte) error {
	for _, c := range b {
		if c < ' ' && c != '\t' || c == 0x7f {
			return malformedf("the byte %q in %q", c, b)
		}
	}
	return nil
}

// tokens are the bytes that the name of a field may contain (RFC 9110 5.6.2).
var tokens = func() (t [256]bool) {
	for c := '!'; c < 0x7f; c++ {
		t[c] = !strings.ContainsRune(`"(),/:;<=>?@[\]{}`, c)
	}
	return t
}()

func isToken(b []byte) bool {
	for _, c := range b {
		if !tokens[c] {
			return false
		}
	}
	return len(b) > 0
}

// text returns the value of the first field of this name; empty: there is none.
func (h *webHead) text(name string) string {
	value, _ := h.get(name)
	return string(value)
}
