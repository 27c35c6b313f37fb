package acl

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
)

// splitter implements the converters field and word (HAProxy configuration.txt 7.3.1). It splits a
// value at any byte of a set and returns some of the parts.
type splitter struct {
	delimiters string
	index      int  // first part to return, from 1; below 0: counted from the last part, which is -1
	count      int  // number of parts to return; 0: all the rest
	skipEmpty  bool // for word: empty parts do not count
}

// newSplitter parses the arguments: index, delimiters and an optional count.
func newSplitter(args []string, skipEmpty bool) (converter, error) {
	if len(args) < 2 || len(args) > 3 {
		return nil, fmt.Errorf("has %d arguments, wanted an index, the delimiters and perhaps a count", len(args))
	}
	s := splitter{delimiters: args[1], count: 1, skipEmpty: skipEmpty}
	var err error
	if s.index, err = strconv.Atoi(args[0]); err != nil || s.index == 0 {
		return nil, fmt.Errorf("has index '%s', wanted an integer that is not 0", args[0])
	}
	if s.delimiters == "" {
		return nil, errors.New("has no delimiters, wanted at least one byte")
	}
	if len(args) == 3 {
		if s.count, err = strconv.Atoi(args[2]); err != nil || s.count < 0 {
			return nil, fmt.Errorf("has count '%s', wanted 0 (all) or a positive integer", args[2])
		}
	}
	return s.convert, nil
}

// convert returns an empty value if word finds no part, but no value if field finds none. That and
// the rest are as HAProxy 2.6 does it, measured in testdata/haproxy/parts.txt.
func (s splitter) convert(_ *Facts, v value) (value, bool) {
	b, ok := s.cut(v.b)
	return value{b: b}, ok || s.skipEmpty
}

func (s splitter) cut(b []byte) ([]byte, bool) {
	if s.index < 0 {
		last := s.index + s.parts(b) + 1
		if s.count == 0 {
			return s.between(b, 0, last)
		}
		return s.between(b, last-s.count+1, last)
	}
	last := s.index + s.count - 1
	if s.count == 0 || last < 0 { // below 0: the sum is too large for an int
		last = math.MaxInt
	}
	return s.between(b, s.index, last)
}

// between returns the parts first to last, counted from 1, with the delimiters between them. If
// first is below 1, it returns all bytes before part last too, and if there are fewer parts than
// last, all bytes after the last part. For word these bytes can be delimiters. between returns
// false if part first does not exist or last is below 1.
func (s splitter) between(b []byte, first, last int) ([]byte, bool) {
	start, end, n := 0, len(b), 0
	for at := 0; n < last; {
		from, to, ok := s.part(b, at)
		if !ok {
			break
		}
		n++
		if n == first {
			start = from
		}
		if n == last {
			end = to
		}
		at = to + 1
	}
	if n < first || last < 1 {
		return nil, false
	}
	return b[start:end], true
}

func (s splitter) parts(b []byte) int {
	n := 0
	for _, to, ok := s.part(b, 0); ok; _, to, ok = s.part(b, to+1) {
		n++
	}
	return n
}

// part returns the bounds of the first part at or after position at. ok is false if there is none.
func (s splitter) part(b []byte, at int) (from, to int, ok bool) {
	for s.skipEmpty && at < len(b) && s.cutsAt(b[at]) {
		at++
	}
	if at > len(b) || s.skipEmpty && at == len(b) {
		return 0, 0, false
	}
	to = at
	for to < len(b) && !s.cutsAt(b[to]) {
		to++
	}
	return at, to, true
}

func (s splitter) cutsAt(c byte) bool { return strings.IndexByte(s.delimiters, c) >= 0 }
