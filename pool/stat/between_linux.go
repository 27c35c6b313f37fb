//go:build !simulation

package stat

// between is called before each operation of a Limit, and within it where other loops may go on. In
// a simulation, they do.
func between() {}
