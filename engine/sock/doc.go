// Package sock provides stream sockets as plain file descriptors, and the system calls that a
// relay makes on them.
//
// Calls on the hot path never block. They use RawSyscall, so that the Go scheduler does no work
// for each of them. They return an Errno, because an error value would allocate memory.
// Functions that run only at the start or for a new configuration (listening, resolving) return
// errors with a text for the user.
//
// The package keeps no state. The code that opens a file descriptor owns it and must close it.
// Each descriptor may be used by one goroutine at a time.
package sock
