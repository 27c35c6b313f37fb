// Package listen opens the listening sockets of the process and can pass them to another process.
// It also checks the lines of a configuration that listen: bind and stats socket.
//
// [Open] opens one socket for each loop and bind line. For a UNIX socket or an inherited
// descriptor, all loops share one socket through descriptors of their own. Instead of Open, [Adopt]
// takes over the sockets of another process. The result of both, [Sockets], owns the descriptors
// until [Sockets.Take]. The package accepts no clients: the engine takes the sockets and gives each
// loop its own.
//
// [Sockets.Prepare] compares the bind lines of a new configuration with the open sockets, and opens
// and binds those that are missing. They refuse clients, so the configuration can still be refused
// without a loss. [Next.Listen] makes them accept clients. [Next.Commit] then makes the new configuration the present one. It changes
// options of sockets that are kept, and keeps new clients away from those that are removed. The loops
// accept the clients that are left, and close the sockets.
//
// [Check] opens no socket. It reports lines that [Open] would refuse, lines that listen on the same
// address, and options for which the system lacks a setting.
//
// The functions take no lock. The process calls them on one goroutine at a time. After Take, the
// loops own the descriptors. A loop closes a descriptor only after a Commit that has removed it, so
// Prepare and Commit can use the others while loops accept on them.
package listen
