// Command syscalls counts the system calls that Sluice makes for one short
// connection and says why each of them is there:
//
//	go run ./bench/syscalls
//
// It builds bin/sluice, puts it between an origin and clients of its own,
// attaches strace and prints the table. It fails if a connection costs more
// than -most calls. Each client sends one request with `Connection: close`,
// routed by its Host; nothing is logged. The calls of the Go runtime itself
// (futex and the like) are shown, and not counted.
//
// Everything runs on the loopback, as an ordinary user who may trace his own
// processes. strace slows the balancer down, so the figures count calls and
// say nothing about time.
package main
