package haproxy

import (
	"bytes"
	"iter"
)

// Line is one line that has words.
type Line struct {
	Number   int // from 1
	Words    []string
	Indented bool  // a blank or a tab stands before the first word
	Err      error // what Split said; Words is nil then
}

// Lines yields the lines of a file that say something, in order. A byte order
// mark at the start is skipped.
func Lines(data []byte, env Env) iter.Seq[Line] {
	data = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))
	return func(yield func(Line) bool) {
		number := 0
		for text := range bytes.Lines(data) {
			number++
			words, err := Split(string(text), env)
			if words == nil && err == nil {
				continue
			}
			indented := text[0] == ' ' || text[0] == '\t'
			if !yield(Line{Number: number, Words: words, Indented: indented, Err: err}) {
				return
			}
		}
	}
}
