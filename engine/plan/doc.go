// Package plan divides the descriptors and the memory of the process among its needs: connections,
// pipes, listening sockets, checks and logs. [Make] is called at the start, before anything is
// opened; a [Plan] is a value and is not changed afterwards, except by tests.
//
// If maxconn of the configuration does not fit into the descriptors, the plan lowers it. The plan
// explains itself as an addition, see [Plan.Sum].
package plan
