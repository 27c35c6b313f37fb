// Package engine runs the data path. It accepts connections and lets package sniff examine their
// first bytes. It asks the rules of package acl for a backend and package pool for a server. Then
// it relays bytes with package relay; in mode http, package httpflow parses and rewrites the
// heads. The package itself contains the loops, the sessions and the order of these steps.
//
// # Loops
//
// An [Engine] has one loop for each thread of the configuration, by default one per processor. A
// loop is one goroutine with one [reactor.Reactor], which gives it events, timers, turns and the
// time. The loop owns its listening sockets, sessions, pipes and buffers of log lines. A session
// stays on the loop that accepted it, so the hot path takes no lock and uses no channel. The loops
// share only atomic values (counters, limits, states of servers, memory budgets) and immutable
// values (package site: the configuration and its compiled rules).
//
// Other goroutines reach a loop only through Tell of its reactor. They use it to drain the loop, to
// stop it, and to make it accept again when a limit has a free place.
//
// # Sessions
//
// Sessions are entries of a slab, an array without pointers, and are addressed by number. In mode
// http a session also has an entry in a second array, its exchange: the current request and its
// answer. A frontend in mode tcp has these states:
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
// A frontend in mode http has these states:
//
//	accepted ----> asking <----------------------------------+
//	                 |  head complete, server chosen         |  answer written, and the client's
//	                 |                                       |  connection is kept
//	                 +----> dialing ----> exchanging --------+
//	                 |                    ^  |   |
//	                 +--------------------+  |   +--> relaying: a tunnel, after 101 or CONNECT
//	   idle connection reused, or own answer |
//	                                         +--> leaving ----> free
//
// In the asking state, a session waits for the head of a request. In the exchanging state, it
// sends the request to the server and the answer to the client, possibly at the same time. A
// request that is repeated goes from exchanging back to dialing.
//
// A session may end in every state. It then closes both sockets and is free at once, or it closes
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
// order, and a direction does not read while its target accepts nothing. In mode http, bytes that
// were read and not parsed yet wait in the field ahead of the exchange.
//
// Bytes that are held count against a budget of the process, by purpose: bytes for slow readers,
// inspected bytes of clients, incomplete heads of answers, and records of requests for the log and
// for repeating. See [sluice/engine/plan.Memory]. A purpose whose budget is used up takes nothing from the others.
//
// # Decisions in mode http
//
// Each of these predicates lists all its conditions in one place:
//   - keepsServer: the server's connection may be kept idle for a later request.
//   - keepsClient: the client may send another request on its connection.
//   - idleFits: the next request may use the idle connection.
//   - mayRepeat: a request without an answer may be sent again on a new connection.
//
// # Events
//
// Sockets are registered edge-triggered: for reading always, for writing from the first time that
// a socket is full. Each is registered under a [reactor.Token], which changes with every new socket
// of a session. An event for a closed socket therefore cannot reach the socket that has its
// descriptor now. A listening socket is registered under its index. A session that has used its share of one turn waits in a list until the others have had a
// turn.
//
// # Time
//
// A loop reads the clock once for several events. Deadlines are milliseconds of stat.Now. Each
// session has one timer of the reactor, with the session's number.
package engine
