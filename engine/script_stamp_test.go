package engine

import (
	"fmt"
	"strings"
)

// stampSize is how often a stamped body tells where its bytes belong.
const stampSize = 16

// stamped is a body that tells in each 16 bytes which message it is of, and the
// offset there. kind is a letter: requests and answers have different ones. A
// byte of another message or place is seen at once.
func stamped(kind byte, number, size int) string {
	var b strings.Builder
	for at := 0; at < size; at += stampSize {
		fmt.Fprintf(&b, "%c%05d:%08x\n", kind, number, at)
	}
	return b.String()[:size]
}

// foreign compares what came of a stamped body, from its start, and describes
// the first byte that is not of it; empty: none.
func foreign(got string, kind byte, number int) string {
	want := stamped(kind, number, len(got))
	if got == want {
		return ""
	}
	at := 0
	for got[at] == want[at] {
		at++
	}
	from, to := at/stampSize*stampSize, min(len(got), at/stampSize*stampSize+2*stampSize)
	return fmt.Sprintf("body %c%05d is foreign from byte %d on: %q; want %q", kind, number, at, got[from:to], want[from:to])
}
