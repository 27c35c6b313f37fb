// Package stat contains counters for sessions, bytes, rates and failures of the process, of
// frontends, backends and servers. It also contains [Limit], which implements maxconn, and the
// tables of metrics, [Columns] and [Keys]. They have the name, type and explanation of each value
// that is shown.
//
// The package imports no other package of Sluice. A counter belongs to the process, frontend,
// backend or server that it describes. Every counter is atomic, and all loops share it. Loops write
// at the start and the end of a session or of a request, not for each packet. Any goroutine may
// read at any time. Counting does not allocate, take a lock or make a system call. Only Now reads
// the clock.
//
// Each counter is exact, but a reader does not read several counters at the same instant. For
// example, a line of `show stat` may count a session that started while the line was written.
package stat
