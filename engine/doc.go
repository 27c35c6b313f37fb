// Package engine runs the data path: it accepts connections, lets sniff look
// at their first bytes, asks the rules for a decision and a pool for a server,
// and relays. It wires the rooms; what it knows itself is loops and sessions.
//
// # Loops
//
// An Engine has one loop per core. A loop is one goroutine on one
// gnet/v2/pkg/netpoll poller with listening sockets, sessions, timers, pipes
// and a log sink of its own. A session lives and dies on the loop that
// accepted it, so the hot path takes no lock and crosses no channel. What the
// loops share is atomic (counters, limits, the pool's roster, the relay's
// budget) or immutable (site: configuration and compiled rules).
//
// Other goroutines reach a loop only through its poller's tell: to stop, to
// drain, and to go on accepting when a limit has a place again.
//
// # Sessions
//
// Sessions are entries of a slab without pointers, addressed by number. The
// states:
//
//	             rules need bytes
//	accepted ----------------------> inspecting
//	   |  no byte needed                |  decided
//	   v                                v
//	dialing <----------------------------
//	   |  ^  failed, tried again (after a pause)
//	   v  |
//	relaying ------> leaving ------> free
//	        RST to pass on, and the peer has not acknowledged everything yet
//
// # Events
//
// Sockets are registered edge-triggered for reading, and for writing from the
// first time that one is full; and under a token: an event that was meant for a
// socket closed meanwhile is told from one for the socket that has its
// descriptor now. A session that has had its share of a turn waits in a list of
// the loop's until the others have had theirs.
//
// # Time
//
// A loop reads the clock once for a few events. Deadlines are in
// milliseconds of stat.Now on a wheel; one timerfd a loop is armed only while
// something waits.
package engine
