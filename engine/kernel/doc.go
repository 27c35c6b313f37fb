// Package kernel is a model of the part of Linux that the engine uses: stream sockets over TCP and
// UNIX, epoll, pipes with splice, eventfd, timerfd, and the clocks. It runs in memory, and a seed
// determines everything that happens. With the build tag simulation, package sock makes its system
// calls on this model.
//
// A [Kernel] is one machine with its network. It contains every [Process]: the engine under test
// and its clients and servers. A process has descriptors of its own; the lowest free number is used
// first, as on Linux. No call blocks.
//
// Bytes that a TCP socket has sent do not reach the peer at once. They wait in the network until
// [Kernel.Step] delivers some of them. Step also delivers FIN, RST and acknowledgements, and
// completes connections. The kernel's random source chooses one of the possible steps, and how much
// the step does. So a seed reproduces everything.
//
// The comment of a function names the Linux function whose semantics it has.
//
// The model leaves out: urgent bytes on UNIX sockets, descriptors sent over them, lost packets of
// an established connection, TIME_WAIT (the port of an ended connection is free at once), the end
// of FIN_WAIT2 after a minute, keep-alive, and a close that waits for SO_LINGER.
//
// The clock of a kernel changes only in [Kernel.Advance].
//
// A Kernel and its processes belong to one goroutine.
package kernel
