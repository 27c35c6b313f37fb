// Command syscalls counts the system calls that Sluice makes for one short connection, and
// gives the reason for each of them:
//
//	go run ./bench/syscalls
//
// It builds bin/sluice, starts it between an origin and clients of this program, attaches
// strace and prints a table. It fails if a connection causes more than -most calls. Each client
// sends one request with `Connection: close`, routed by its Host, and logging is off. The calls
// of the Go runtime (such as futex) are listed but not counted.
//
// All connections use the loopback. The user must be allowed to trace their own processes; root
// is not needed. strace slows the balancer down, so the figures are numbers of calls and do not
// show time.
package main
