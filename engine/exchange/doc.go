// Package exchange is mode http: it serves the requests of a session one after the other. Package
// httpflow parses and rewrites the heads, package acl evaluates the rules, and package relay moves
// the bodies. Other packages use only the [session.Mode] that [New] returns. Each loop owns one
// such mode. Its methods run on the goroutine of that loop, except Close, which runs after the
// goroutine has ended.
//
// Each session has an [Exchange], an entry in an array by session number. It describes the current
// request and its answer. Bytes that were read and not parsed yet wait in the field ahead of the
// exchange.
//
// A session in mode http has these states:
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
// # Decisions in mode http
//
// Each of these predicates lists all its conditions in one place:
//   - keepsServer: the server's connection may be kept idle for a later request.
//   - keepsClient: the client may send another request on its connection.
//   - idleFits: the next request may use the idle connection.
//   - mayRepeat: a request without an answer may be sent again on a new connection.
package exchange
