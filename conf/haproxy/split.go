package haproxy

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// Env looks up an environment variable, as os.LookupEnv does.
type Env func(name string) (value string, set bool)

// Split splits one line into words. Outside quotes a blank separates words, a hash starts a comment
// and a backslash escapes a character. Double quotes keep blanks and expand $NAME, ${NAME} and
// ${NAME-default}. Single quotes keep every character. A variable that is not set is empty, as in
// HAProxy.
//
// The text of an error is for the operator and contains no position.
func Split(line string, env Env) ([]string, error) {
	s := splitter{in: line, env: env}
	for s.pos < len(s.in) && !s.comment {
		if err := s.step(); err != nil {
			return nil, err
		}
	}
	if s.quote != 0 {
		return nil, fmt.Errorf("unmatched quote %c, wanted another one before the end of the line", s.quote)
	}
	s.endWord()
	return s.words, nil
}

// splitter splits one line. quote is the open quote, or 0. started means that a word has begun,
// which may be empty, such as "".
type splitter struct {
	in      string
	pos     int
	env     Env
	quote   byte
	started bool
	comment bool
	word    strings.Builder
	words   []string
}

func (s *splitter) step() error {
	c := s.in[s.pos]
	s.pos++
	switch {
	case c == 0:
		return errors.New("a NUL byte, wanted text")
	case s.quote == '\'':
		s.quoted(c)
	case c == '\\':
		return s.escape()
	case s.quote == '"':
		if c == '$' {
			return s.variable()
		}
		s.quoted(c)
	default:
		s.plain(c)
	}
	return nil
}

// quoted handles one byte inside quotes.
func (s *splitter) quoted(c byte) {
	if c == s.quote {
		s.quote = 0
		return
	}
	s.word.WriteByte(c)
}

func (s *splitter) plain(c byte) {
	switch c {
	case ' ', '\t', '\r', '\n':
		s.endWord()
	case '#':
		s.comment = true
	case '"', '\'':
		s.quote, s.started = c, true
	default:
		s.add(c)
	}
}

func (s *splitter) add(c byte) {
	s.started = true
	s.word.WriteByte(c)
}

func (s *splitter) endWord() {
	if s.started {
		s.words = append(s.words, s.word.String())
	}
	s.word.Reset()
	s.started = false
}

var escapes = map[byte]byte{
	' ': ' ', '\t': '\t', '#': '#', '\\': '\\', '"': '"', '\'': '\'', 'n': '\n', 'r': '\r', 't': '\t',
}

// escape handles the character after a backslash. A backslash before any other character is kept,
// as in HAProxy, so that regular expressions stay intact.
func (s *splitter) escape() error {
	if s.pos == len(s.in) {
		return errors.New("a backslash ends the line, wanted a character after it")
	}
	c := s.in[s.pos]
	if c == 'x' {
		return s.hex()
	}
	if c == '$' && s.quote == '"' {
		s.pos++
		s.add('$')
		return nil
	}
	if plain, ok := escapes[c]; ok {
		s.pos++
		s.add(plain)
		return nil
	}
	s.add('\\')
	return nil
}

func (s *splitter) hex() error {
	digits := s.in[s.pos+1:]
	if len(digits) > 2 {
		digits = digits[:2]
	}
	b, err := strconv.ParseUint(digits, 16, 8)
	if err != nil || len(digits) != 2 {
		return fmt.Errorf(`'\x%s', wanted two hexadecimal digits after \x`, digits)
	}
	if b == 0 {
		return errors.New(`'\x00', wanted a byte other than NUL`)
	}
	s.pos += 3
	s.add(byte(b))
	return nil
}

// variable handles the text after a dollar sign inside double quotes.
func (s *splitter) variable() error {
	rest := s.in[s.pos:]
	braced := strings.HasPrefix(rest, "{")
	if braced {
		rest = rest[1:]
	}
	name := rest[:nameLen(rest)]
	if name == "" {
		return errors.New(`'$' without a variable's name, wanted "$NAME", "${NAME}" or "\$"`)
	}
	s.pos += len(name)
	fallback := ""
	if braced {
		end := strings.IndexByte(rest, '}')
		if end < 0 {
			return fmt.Errorf("'${%s' is not closed, wanted '}'", name)
		}
		between := rest[len(name):end]
		if between != "" && between[0] != '-' {
			return fmt.Errorf("'${%s}', wanted ${NAME} or ${NAME-default}", rest[:end])
		}
		fallback = strings.TrimPrefix(between, "-")
		s.pos += len(between) + 2
	}
	value, set := s.env(name)
	if !set {
		value = fallback
	}
	s.word.WriteString(value)
	return nil
}

func nameLen(s string) int {
	n := 0
	for n < len(s) && (s[n] == '_' || 'a' <= s[n]|0x20 && s[n]|0x20 <= 'z' || n > 0 && '0' <= s[n] && s[n] <= '9') {
		n++
	}
	return n
}
