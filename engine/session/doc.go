// Package session does the work of a loop. It accepts connections and lets package sniff examine
// their first bytes. The rules of package acl choose a backend, and package pool chooses a server.
// Package relay then moves the bytes in both directions.
//
// The functions that work on one session are methods of [Visit]. The two modes of a frontend differ
// in the methods of [Mode]. Mode tcp is a part of this package; package exchange is mode http.
//
// # Owners and goroutines
//
// A [Loop] owns its reactor, listeners, sessions and buffers, and one [Mode] of each kind.
// [NewLoop] is called before the loop runs, and [Loop.Close] after its goroutine has ended.
// [Loop.Add] may also be called before the loop runs. All other methods of Loop, Visit and Mode run on the goroutine that called [Loop.Run].
// A [Process] is shared by all loops; its methods may be called from any goroutine.
//
// # Sessions
//
// Sessions are entries of a slab, an array without pointers, and are addressed by number. A
// session in mode tcp has these states; those of mode http are described in package exchange:
//
//	             rules need bytes
//	accepted ----------------------> inspecting
//	   |  no byte needed                |  decided
//	   v                                v
//	dialing <----------------------------
//	   |  ^  connecting failed: try again, after the pausing state if a pause is due
//	   v  |
//	relaying ----> leaving ----> free
//
// A session may end in every state. Either it closes both sockets and is free at once. Or it closes
// one of them and enters the leaving state with the other, the last socket. In this state it
//   - writes the bytes that are queued for the last socket,
//   - sends FIN, unless it must send RST at the end,
//   - reads and drops bytes that the peer still sends, unless it must send RST at the end: a close
//     with unread bytes would reset the connection and destroy bytes under way,
//   - closes the socket as soon as the peer has acknowledged everything.
//
// A reset or the end of a grace period ends this state early.
//
// # Queues and memory
//
// Each direction of a session has one queue, its [sluice/engine/relay.Flow]. All bytes for a
// socket pass through it: heads, bodies and answers of this proxy. Bytes therefore keep their
// order, and a direction does not read while its target accepts nothing.
//
// Bytes that are held count against budgets of the process. There is one budget for each purpose:
// bytes for slow readers, bytes of clients that are inspected or wait for a server, incomplete
// heads of answers, and records of requests. See [sluice/engine/plan.Memory]. A purpose whose
// budget is used up takes nothing from the others.
//
// # Events
//
// Sockets are registered edge-triggered: for reading always, for writing from the first time that a
// socket is full. Each is registered under a [reactor.Token], which changes with every new socket
// of a session. An event for a closed socket therefore cannot reach the socket that has its
// descriptor now. A listening socket is registered under the index of its [Listener]. A direction
// of a session moves at most [Sizes].Share bytes in one turn. Then its socket waits in a list of
// the reactor until the other sessions have been served, see [Visit.Yield].
//
// # Time
//
// A loop reads the clock once for several events. Deadlines are milliseconds of stat.Now; [Never]
// means none. Each session has one timer of the reactor, with the session's number. The loop itself
// has the timer [OwnTimer].
package session
