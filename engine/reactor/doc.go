// Package reactor gives one loop its events, its timers and its turns.
//
// A [Reactor] has an epoll instance, an eventfd for tasks of other goroutines, and a timerfd with a
// timing wheel. It reads the clock for the loop. It knows sessions only by the numbers in a [Token],
// and reports everything to a [Handler], which package engine implements.
//
// # Goroutines
//
// A Reactor belongs to the goroutine that calls Wait. All methods are called there, except Tell,
// which may be called from any goroutine, and Open, which is called before. In a build with the tag
// simulation, Step takes the place of Wait.
//
// # Owners
//
// epoll keeps 64 bits of data for each registered descriptor, and returns them with each event. gnet
// stores the descriptor there. If a socket is closed within a batch, a new socket may get the same
// descriptor. Later events of that batch for the closed socket then reach the new one; ERR and HUP
// were seen on healthy connections. A Reactor stores the owner instead: a kind, and
//   - for a socket of a session, its [Token], which changes with each new socket,
//   - for a listening socket, its index, so that the Handler finds it in constant time.
//
// # Descriptors
//
// A Reactor owns the descriptors of its epoll instance, its eventfd and its timerfd, and Close closes
// them. The sockets belong to the caller.
package reactor
