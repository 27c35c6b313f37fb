// Package listen opens the listening sockets of the process, names them in messages and passes
// them to another process. It also checks the lines of a configuration that listen.
//
// [Open] opens one socket for each loop and bind line, or [Adopt] takes over those of another
// process. The result, [Sockets], belongs to the process and not to a configuration. The package
// accepts no clients: the engine takes the sockets and gives each loop its own.
//
// [Check] opens nothing. It reports lines that [Open] would refuse, lines that listen on the same
// address, and options for which the system lacks a setting.
//
// All functions are called at the start, on one goroutine.
package listen
