package session

import (
	"sluice/engine/relay"
	"sluice/pool"
)

// Mode is the part of the work on a session that differs between mode tcp and mode http. Each loop
// has one value of each mode. Its methods work on the session of the loop's visit.
type Mode interface {
	// Resume is called when work on a session begins, before all other methods.
	Resume()
	// Row returns the functions of a state, see StateTable.
	Row(s State) *StateRow
	// Begin starts the work for a client that was accepted.
	Begin()
	// Claimed returns the server that the client names, for example by a cookie, and adds a
	// reference to this server. It returns nil if balancing must choose. was is the server of the
	// attempt before; nil: this is the first attempt.
	Claimed(was *pool.Server) *pool.Server
	// Connected is called when the connection to the server is established.
	Connected()
	// Refused ends the session or request, because no server is available. t is the termination
	// state.
	Refused(t [2]byte)
	// ClientDeadline returns the time when the client's timeout expires while the session connects
	// to its server, in ms of stat.Now; or Never.
	ClientDeadline() int64
	// Drain is called when the loop begins to drain. It ends a session that is between two
	// requests.
	Drain()
	// Follow is called when the loop gets a newer site. It gives the newest site to a session that is
	// between two requests.
	Follow()
	// Cuts reports whether an answer would be cut off if the session ended now.
	Cuts() bool
	// Verbatim reports whether the flows count exactly the bytes that were read: nothing is added,
	// removed or rewritten.
	Verbatim() bool
	// Over is called when the session ends, before its sockets are closed. t is the termination
	// state.
	Over(t [2]byte)
	// Log writes the log line of the session, unless it has been written.
	Log()
	// Uncounted returns the bytes from and to the client that are not counted yet.
	Uncounted() (in, out int64)
	// Flows returns the flows that this mode adds to the two of the session.
	Flows() []*relay.Flow
	// Audited returns the facts of this mode for an audit.
	Audited() Audited
	// Close frees the memory of the mode. The goroutine of its loop must have ended.
	Close()
}
