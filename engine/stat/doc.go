// Package stat counts: sessions, bytes, rates and failures of the process, of
// frontends, backends and servers, and the limits that hold them.
//
// It is a leaf. Every counter is atomic and shared by all loops; loops write
// at the start and the end of a session (or of a request), never per packet,
// and the operator's door reads at any time from any goroutine. Nothing here
// allocates, locks or makes a system call, except Now.
//
// Readers see each counter exactly, but not all counters at one instant: a
// line of `show stat` may count a session that started while it was written.
package stat
