// Package stat contains counters for sessions, bytes, rates and failures of the process, of
// frontends, backends and servers. It also contains the limits on the number of connections, and
// the tables of metrics, Columns and Keys: name, type and explanation of each value that is shown.
//
// The package imports no other package of Sluice. Every counter is atomic, and all loops share
// it. Loops write at the start and the end of a session or of a request, never per packet. Any
// goroutine may read at any time. Counting does not allocate, lock or make a system call, except in
// Now.
//
// Each counter is exact, but several counters are not read at the same instant. For example, a
// line of `show stat` may count a session that started while the line was written.
package stat
