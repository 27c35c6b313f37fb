// Package plan divides the descriptors and the memory of the process among its needs: connections,
// pipes, listening sockets, checks and logs. [Make] is called at the start, before sockets and logs
// are opened. A [Plan] is a value without a lock. It is not changed after the loops have started,
// so all goroutines may read it.
//
// If maxconn of the configuration does not fit into the descriptors, the plan lowers it. [Plan.Sum]
// explains the plan as the text of an addition.
package plan
