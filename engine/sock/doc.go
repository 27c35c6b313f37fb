// Package sock is the thin floor under the engine: stream sockets as plain
// file descriptors, and the system calls that a relay makes on them.
//
// Calls on the hot path never block and go through RawSyscall, so that the Go
// scheduler is not told about each of them; they take and return an Errno,
// because turning it into an error would allocate. What happens once at the
// start (listening, resolving) returns errors for people.
//
// Nothing here keeps state: a file descriptor belongs to whoever opened it,
// and may be used on one goroutine at a time.
package sock
