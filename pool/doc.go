// Package pool chooses the server for a connection. It knows the servers of each backend,
// checks whether they are up, and balances connections over them. It does not use the clients
// or the sockets of sessions. The engine connects to the server that Pick returns.
//
// New makes a Backend once. It exists as long as the configuration. Three groups of goroutines
// use it at the same time:
//
//   - Loops call Pick, AfterFailure and the counters of Stat. These take no
//     lock, allocate nothing and make no system call.
//   - Check runs one goroutine per checked server. Only these goroutines change a
//     server's health.
//   - The admin socket calls methods that only read.
//
// A Registry holds the objects that exist once in a process, by name: backends, and the counters
// and limits of frontends and of listening addresses. All generations of the
// configuration share them.
//
// Loops read one immutable order of servers per backend. When a server goes up or down, a new
// order is built and then replaces the old one in one atomic step.
//
// A check connects to a server, or also sends an HTTP request if `option httpchk` is set. It
// reads only the head of the answer.
package pool
