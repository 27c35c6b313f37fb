// Package reactor waits for the events of one loop, and runs its timers and turns. A turn serves a
// socket again that has not finished its work.
//
// A [Reactor] has an epoll instance, an eventfd for tasks of other goroutines, and a timerfd with a
// timing wheel. It reads the clock for the loop. It identifies sessions only by the numbers in a
// [Token]. It passes all events, timers and turns to a [Handler], which package session implements.
//
// # Goroutines
//
// A Reactor belongs to the goroutine that calls Wait. All methods are called there, and all methods
// of the Handler run there. There are three exceptions. Tell may be called from any goroutine, Open
// is called before Wait, and Close after Wait has returned. In a build with the tag simulation,
// Step replaces Wait.
//
// # Owners
//
// epoll keeps 64 bits of data for each registered descriptor, and returns them with each event.
// gnet stores the descriptor there. If a socket is closed within a batch, a new socket may get the
// same descriptor. Later events of that batch for the closed socket then reach the new socket. ERR
// and HUP of closed sockets were seen on healthy connections. A Reactor stores the owner instead: a
// kind, and
//   - for a socket of a session, its [Token], which changes with each new socket,
//   - for a listening socket, its index, so that the Handler finds it in constant time.
//
// # Descriptors
//
// A Reactor owns the descriptors of its epoll instance, its eventfd and its timerfd, and Close
// closes them. The sockets belong to the caller.
package reactor
