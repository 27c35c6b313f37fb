// Package engine runs the load balancer of one process. It makes the loops from a compiled
// configuration (package site) and from listening sockets (package listen). It runs, drains and
// stops them. It serves the stats sockets and runs the health checks on goroutines of their own.
//
// Package session does the work of a loop: it accepts connections, examines their first bytes,
// connects to a server and relays bytes. Package exchange does this for mode http.
//
// # Loops
//
// An [Engine] has one loop for each thread of the configuration, by default one per processor. A
// loop is one goroutine with one [sluice/engine/reactor.Reactor], which gives it events, timers,
// turns and the time. The loop owns its listening sockets, sessions, pipes and buffers of log
// lines. A session stays on the loop that accepted it, so the hot path takes no lock and uses no
// channel. The loops share only atomic values (counters, limits, states of servers, memory budgets)
// and immutable values (package site: the configuration and its compiled rules).
//
// Other goroutines reach a loop only through [sluice/engine/reactor.Reactor.Tell]. They use it to
// drain the loop, to stop it, and to make it accept again when a limit has a free place.
//
// The Engine owns the loops, the compiled configuration and the stats sockets. It closes the loops
// when all of them have ended. Its methods may be called from any goroutine.
package engine
