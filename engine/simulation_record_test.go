//go:build simulation

package engine

import "testing"

// recorder passes failures of the inspector to a simulation, in place of a testing.T.
type recorder struct {
	testing.TB
	fail func(format string, args ...any)
}

func (r recorder) Errorf(format string, args ...any) { r.fail(format, args...) }
func (r recorder) Helper()                           {}
