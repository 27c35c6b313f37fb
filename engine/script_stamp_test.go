//go:build !simulation

package engine

import (
	"fmt"
	"io"
	"strings"
)

// stampSize is the distance in bytes between two stamps of a body.
const stampSize = 16

// stamped returns a body that contains a stamp in each 16 bytes: its message and the offset
// there. kind is a letter that differs between requests and answers. A byte of another message
// or offset is detected.
func stamped(kind byte, number, size int) string {
	b := make([]byte, size)
	for at := range b {
		b[at] = stampByte(kind, number, at)
	}
	return string(b)
}

// foreign compares received bytes with a stamped body. It describes the first byte that
// differs; the empty string means none.
func foreign(got string, kind byte, number int) string {
	r := &stampReader{from: strings.NewReader(got), kind: kind, number: number}
	_, _ = io.Copy(io.Discard, r)
	return r.foreign
}

// stampReader reads a stamped body and records the first byte that differs.
type stampReader struct {
	from    io.Reader
	kind    byte
	number  int
	at      int // bytes read
	foreign string
	end     error // the first
}

func (r *stampReader) Read(b []byte) (int, error) {
	n, err := r.from.Read(b)
	for i, got := range b[:n] {
		if want := stampByte(r.kind, r.number, r.at+i); got != want && r.foreign == "" {
			r.foreign = fmt.Sprintf("body %c%05d is foreign from byte %d on: %q; want %q first", r.kind, r.number, r.at+i, b[i:min(n, i+2*stampSize)], want)
		}
	}
	r.at += n
	if r.end == nil {
		r.end = err
	}
	return n, r.end
}

// stampByte returns one byte of a stamped body.
func stampByte(kind byte, number, at int) byte {
	const digits = "0123456789abcdef"
	switch place := at % stampSize; {
	case place == 0:
		return kind
	case place < 6:
		for range 5 - place {
			number /= 10
		}
		return digits[number%10]
	case place == 6:
		return ':'
	case place < 15:
		return digits[at/stampSize*stampSize>>(4*(14-place))&15]
	}
	return '\n'
}
