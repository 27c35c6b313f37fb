//go:build !simulation

package stat

// between is called at the points of a Limit's operations where another loop may run. It does
// nothing here; in a simulation it runs other loops.
func between() {}
