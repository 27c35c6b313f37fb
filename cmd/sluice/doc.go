// Command sluice is a layer-4 TCP load balancer that sniffs just enough of a
// connection to route it.
//
// This package is the process: flags, privileges, limits, signals, daemon and
// the sub-commands, one file each. Everything it knows about connections lives
// in other rooms; it opens what must be opened while still root, wires them
// and waits.
//
// # Start
//
// run loads and checks the file, sets RLIMIT_NOFILE, binds, opens logs and
// stats sockets, lets the engine resolve names and size its pipes, writes the
// pid file, and only then enters the chroot and drops root for good. A daemon
// does the first half in the parent, which re-executes itself with the
// listening sockets as inherited descriptors and waits until the child says
// that it is ready (Go cannot fork).
//
// # Goroutines
//
// The main goroutine runs the sub-command; during run it sits in engine.Run.
// One more goroutine, owned by run and ended with it, obeys signals. Nothing
// here runs on a loop.
package main
