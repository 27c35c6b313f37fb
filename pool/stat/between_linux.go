//go:build !simulation

package stat

// between is called before each operation of a Limit. In a simulation, other loops go on there.
func between() {}
