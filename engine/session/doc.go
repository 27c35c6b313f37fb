// Package session does the work of a loop. It accepts connections and lets package sniff examine their
// first bytes. It asks the rules of package acl for a backend and package pool for a server. Then it
// relays bytes with package relay. A [Loop] owns its sessions and listeners; all of its methods run on
// its goroutine, unless they say something else.
//
// All work on one session hangs on the [Visit] of its loop. The two modes of a frontend differ in the
// methods of [Mode]. Mode tcp is a part of this package; package exchange is mode http.
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
// order, and a direction does not read while its target accepts nothing.
//
// Bytes that are held count against a budget of the process, by purpose: bytes for slow readers,
// inspected bytes of clients, incomplete heads of answers, and records of requests for the log and
// for repeating. See [sluice/engine/plan.Memory]. A purpose whose budget is used up takes nothing from the others.
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
package session
