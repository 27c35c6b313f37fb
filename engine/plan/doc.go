// Package plan divides the descriptors and the memory of the process among its needs: connections,
// pipes, listening sockets, checks and logs. [Make] is called at the start, before sockets and logs
// are opened. A [Plan] is a value without a lock, and is not changed, so all goroutines may read it.
// A reload replaces the plan by that of [Plan.Beside]. So does the end of a former configuration,
// whose descriptors are then free for connections.
//
// If maxconn of the configuration does not fit into the descriptors, the plan lowers it. [Plan.Sum]
// explains the plan as the text of an addition.
package plan
