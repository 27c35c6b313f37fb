// Command sluice is a layer-4 TCP load balancer that sniffs just enough of a
// connection to route it.
//
// This package is the process: flags, privileges, limits, signals, daemon and
// the sub-commands, one file each. Other packages handle connections. This one
// opens everything that needs root, connects the other packages, and waits.
//
// # Start
//
// run loads and checks the configuration, sets RLIMIT_NOFILE and GOMAXPROCS,
// binds, opens logs and stats sockets, and builds the engine, which looks up
// names and sizes its pipes. Then it writes the pid file, enters the chroot and
// drops root permanently. With -D a parent process checks and binds. It starts
// itself again with the listening sockets as inherited descriptors, and waits
// until the child is ready (Go cannot fork).
//
// # Goroutines
//
// The main goroutine runs the sub-command; during run it is in engine.Run.
// One more goroutine handles signals and ends with run. Each reload has a
// goroutine of its own; one of them runs at a time. Nothing here runs on an event
// loop.
//
// # Reload
//
// A signal or a command requests a reload (reload.go). The queue decides when it
// runs (queue.go), the origin reads the files again (origin.go), the engine
// applies them, and the report goes to the log and to the client (report.go).
//
// # Master and worker
//
// Where rights are given up, or with -W, the process that the user starts becomes
// a master (master.go). It keeps the rights and starts the worker (worker.go),
// which serves the clients. For each reload the master reads the files and opens
// what is new (jobs.go), and sends a bundle (bundle.go) over the link (link.go).
// One goroutine of the worker receives the bundles.
package main
