//go:build simulation

package stat

var others func() // see Interleave; nil: none

// Interleave makes do run at the points of a Limit's operations where another loop may run, so that
// a simulation covers these interleavings. nil: nothing runs there.
func Interleave(do func()) { others = do }

// between calls the function that was given to Interleave.
func between() {
	if others != nil {
		others()
	}
}
