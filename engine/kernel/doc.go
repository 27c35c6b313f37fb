// Package kernel is a model of the part of Linux that the engine uses: stream sockets over TCP and
// UNIX, epoll, pipes with splice, eventfd, timerfd, and the clocks. It runs in memory, under a
// seed. With the build tag simulation, package sock makes its system calls on this model.
//
// A [Kernel] is one machine with its network. It contains every [Process]: the engine under test
// and its clients and servers. A process has descriptors of its own; the lowest free number is
// used first, as on Linux. No call blocks.
//
// Bytes that a TCP socket has sent are not with the peer at once. They wait in the network until
// [Kernel.Step] delivers some of them. Step also delivers FIN, RST and acknowledgements, and
// completes connections. The random source of the kernel chooses between all possible steps, and
// how much a step does. So a seed reproduces everything.
//
// Functions name the function of Linux whose semantics they have.
//
// The model leaves out: urgent bytes on UNIX sockets, descriptors sent over them, lost packets of an
// established connection, TIME_WAIT (the port of an ended connection is free at once), the end of
// FIN_WAIT2 after a minute, keep-alive, and close waiting for SO_LINGER.
//
// The clock of a kernel stands still until [Kernel.Advance] moves it.
//
// A Kernel and its processes belong to one goroutine.
package kernel
