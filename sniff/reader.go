package sniff

import (
	"bytes"
	"encoding/binary"
)

// reader reads length-prefixed fields from a message. If bytes are missing, bad becomes true
// and stays true. All later reads then return nothing.
type reader struct {
	b   []byte // the bytes not read yet
	bad bool
}

func (r *reader) bytes(n int) []byte {
	if r.bad || n > len(r.b) {
		r.b, r.bad = nil, true
		return nil
	}
	v := r.b[:n:n]
	r.b = r.b[n:]
	return v
}

func (r *reader) uint8() uint8 {
	if v := r.bytes(1); v != nil {
		return v[0]
	}
	return 0
}

func (r *reader) uint16() uint16 {
	if v := r.bytes(2); v != nil {
		return binary.BigEndian.Uint16(v)
	}
	return 0
}

// vector8 returns a field with a length of one byte before it.
func (r *reader) vector8() []byte { return r.bytes(int(r.uint8())) }

// vector16 returns a field with a length of two bytes before it.
func (r *reader) vector16() []byte { return r.bytes(int(r.uint16())) }

// done reports whether no bytes were missing and none are left.
func (r *reader) done() bool { return !r.bad && len(r.b) == 0 }

func lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

func hasByte(b []byte, c byte) bool { return bytes.IndexByte(b, c) >= 0 }

// isWord reports whether b is equal to word, ignoring the case of ASCII letters in b. word must
// be in lower case.
func isWord(b []byte, word string) bool {
	if len(b) != len(word) {
		return false
	}
	for i, c := range b {
		if lower(c) != word[i] {
			return false
		}
	}
	return true
}
