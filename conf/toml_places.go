package conf

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"
)

// place holds the line of a key of a TOML file, and the lines of the items of its array. The TOML
// library does not report these lines.
type place struct {
	line  int
	items []int
}

// places maps the path of each key outside of inline tables to its place.
type places map[string]*place

func pathOf(parts ...string) string { return strings.Join(parts, "\x00") }

// Limits for nesting. Deeper nesting could only be an attempt to exhaust the stack of the TOML
// library.
const (
	deepestValue = 32
	longestKey   = 16
)

// tomlPlaces scans a file and returns the place of each key. It does not check the syntax; that is
// the task of the TOML library. Its only errors are about nesting.
func tomlPlaces(data []byte) (places, *tomlError) {
	s := &tomlScan{in: data, line: 1, found: make(places)}
	for s.pos < len(s.in) && s.err == nil {
		s.expression()
	}
	return s.found, s.err
}

type tomlError struct {
	line int
	text string
}

type tomlScan struct {
	in     []byte
	pos    int
	line   int
	prefix []string // path of the table that the last header named
	found  places
	err    *tomlError
}

// expression reads one header, one key with its value, or an empty line.
func (s *tomlScan) expression() {
	s.blanks()
	switch c := s.peek(); {
	case c == '[':
		for s.peek() == '[' {
			s.pos++
		}
		s.prefix = s.keyPath()
		s.record(s.prefix)
		s.skipLine()
	case c == '\n':
		s.skipLine()
	case c == '#' || c == 0:
		s.skipLine()
	default:
		at := s.line
		path := append(append([]string{}, s.prefix...), s.keyPath()...)
		if s.peek() != '=' || s.line != at {
			s.skipLine()
			return
		}
		s.pos++
		s.value(s.record(path))
	}
}

// record stores the line of a path, and of the tables above it that have no line yet.
func (s *tomlScan) record(path []string) *place {
	p := &place{line: s.line}
	for n := len(path); n > 0; n-- {
		key := pathOf(path[:n]...)
		if s.found[key] != nil {
			break
		}
		s.found[key] = p
	}
	return p
}

func (s *tomlScan) peek() byte {
	if s.pos < len(s.in) {
		return s.in[s.pos]
	}
	return 0
}

func (s *tomlScan) blanks() {
	for c := s.peek(); c == ' ' || c == '\t' || c == '\r'; c = s.peek() {
		s.pos++
	}
}

// skipLine moves to the start of the next line.
func (s *tomlScan) skipLine() {
	end := bytes.IndexByte(s.in[s.pos:], '\n')
	if end < 0 {
		s.pos = len(s.in)
		return
	}
	s.pos += end + 1
	s.line++
}

// keyPath reads the parts of a key, such as frontend."a.b".bind.
func (s *tomlScan) keyPath() []string {
	var parts []string
	for {
		s.blanks()
		start := s.pos
		switch c := s.peek(); {
		case c == '"' || c == '\'':
			s.text()
			parts = append(parts, unquoteKey(string(s.in[start:s.pos])))
		default:
			for isBare(s.peek()) {
				s.pos++
			}
			parts = append(parts, string(s.in[start:s.pos]))
		}
		s.blanks()
		if len(parts) > longestKey {
			s.fail("a key of more than %d parts, wanted fewer", longestKey)
		}
		if s.peek() != '.' || s.err != nil {
			return parts
		}
		s.pos++
	}
}

func isBare(c byte) bool {
	return c == '_' || c == '-' || '0' <= c && c <= '9' || 'a' <= c|0x20 && c|0x20 <= 'z'
}

func unquoteKey(quoted string) string {
	if quoted[0] == '\'' {
		return strings.Trim(quoted, "'")
	}
	if plain, err := strconv.Unquote(quoted); err == nil {
		return plain
	}
	return quoted
}

func (s *tomlScan) fail(format string, args ...any) {
	s.err = &tomlError{s.line, fmt.Sprintf(format, args...)}
}

// value reads a value up to the end of its last line, and stores the line of each item of an array.
func (s *tomlScan) value(p *place) {
	depth, dots := 0, 0
	wantItem, isArray := false, false
	for s.pos < len(s.in) && s.err == nil {
		c := s.in[s.pos]
		if depth == 1 && isArray && wantItem && strings.IndexByte(" \t\r\n#]", c) < 0 {
			p.items = append(p.items, s.line)
			wantItem = false
		}
		switch c {
		case '"', '\'':
			s.text()
			continue
		case '#':
			s.skipLine()
			if depth == 0 {
				return
			}
			continue
		case '\n':
			s.skipLine()
			if depth == 0 {
				return
			}
			dots = 0
			continue
		case '[', '{':
			if depth++; depth == 1 {
				isArray, wantItem = c == '[', true
			}
		case ']', '}':
			depth--
		case ',':
			wantItem = wantItem || depth == 1
			dots = 0
		case '.':
			dots++
		}
		s.pos++
		if depth > deepestValue || dots > longestKey {
			s.fail("values nested deeper than %d, wanted fewer", deepestValue)
		}
	}
}

// text reads a string of any of TOML's four kinds. An unclosed string ends with its line or with
// the file.
func (s *tomlScan) text() {
	quote := s.in[s.pos : s.pos+1]
	if triple := bytes.Repeat(quote, 3); bytes.HasPrefix(s.in[s.pos:], triple) {
		quote = triple
	}
	s.pos += len(quote)
	for s.pos < len(s.in) && !bytes.HasPrefix(s.in[s.pos:], quote) {
		switch c := s.in[s.pos]; {
		case c == '\n' && len(quote) == 1:
			return
		case c == '\n':
			s.line++
		case c == '\\' && quote[0] == '"' && s.pos+1 < len(s.in) && s.in[s.pos+1] != '\n':
			s.pos++
		}
		s.pos++
	}
	s.pos = min(s.pos+len(quote), len(s.in))
	for len(quote) == 3 && s.pos < len(s.in) && s.in[s.pos] == quote[0] {
		s.pos++
	}
}
