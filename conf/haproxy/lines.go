package haproxy

import (
	"bytes"
	"iter"
)

// Line is one line that has words or an error.
type Line struct {
	Number   int // from 1
	Words    []string
	Indented bool  // the line starts with a blank or a tab
	Err      error // error of Split; Words is then nil
}

// Lines yields the lines of a file that contain words, in order, and those with errors. It skips a
// byte order mark at the start. env is as for Split.
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
