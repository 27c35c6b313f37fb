//go:build simulation

package stat

var others func()

// Interleave makes do run before each operation of a Limit, and within it: other loops may go on
// there. nil: none do.
func Interleave(do func()) { others = do }

func between() {
	if others != nil {
		others()
	}
}
