package load

import (
	"errors"
	"fmt"
	"io"
	"os"

	"golang.org/x/sys/unix"
)

// Failures counts exchanges that failed, by their cause.
type Failures struct {
	Refused int64 // the connection was refused
	Reset   int64 // the connection was reset
	Lost    int64 // the connection ended before the whole answer, or the answer did not come in time
	Wrong   int64 // the answer contained other bytes
	Other   int64 // an error of the generator, such as no free local port
	Cause   error // first error; nil: none
}

// errWrong is the error of an exchange whose answer contained other bytes.
var errWrong = errors.New("wrong bytes")

// Add counts one failure. A nil error counts nothing.
func (f *Failures) Add(err error) {
	if err == nil {
		return
	}
	if f.Cause == nil {
		f.Cause = err
	}
	switch {
	case errors.Is(err, unix.ECONNREFUSED):
		f.Refused++
	case errors.Is(err, unix.ECONNRESET), errors.Is(err, unix.EPIPE):
		f.Reset++
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, os.ErrDeadlineExceeded):
		f.Lost++
	case errors.Is(err, errWrong):
		f.Wrong++
	default:
		f.Other++
	}
}

// Merge adds the counts of g.
func (f *Failures) Merge(g Failures) {
	f.Refused += g.Refused
	f.Reset += g.Reset
	f.Lost += g.Lost
	f.Wrong += g.Wrong
	f.Other += g.Other
	if f.Cause == nil {
		f.Cause = g.Cause
	}
}

// Sum returns the number of all failures.
func (f *Failures) Sum() int64 { return f.Refused + f.Reset + f.Lost + f.Wrong + f.Other }

// String returns the counts and the first error.
func (f *Failures) String() string {
	return fmt.Sprintf("%d refused, %d reset, %d lost, %d wrong, %d other, the first: %v",
		f.Refused, f.Reset, f.Lost, f.Wrong, f.Other, f.Cause)
}
