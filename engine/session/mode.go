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
	// Row returns the functions of a state.
	Row(s State) *StateRow
	// Begin starts the work for a client that was accepted.
	Begin()
	// Claimed returns the server that the client has claimed, for example by a cookie, and adds a
	// reference to it; nil: none. was is the server of the attempt before, or nil.
	Claimed(was *pool.Server) *pool.Server
	// Connected goes on when the server's connection is established.
	Connected()
	// Refused ends the work, because no server is available. t is the termination state.
	Refused(t [2]byte)
	// ClientDeadline returns when the client's timeout expires while its server is being connected, in
	// ms of stat.Now; or never.
	ClientDeadline() int64
	// Drain ends a session that waits for nothing, because its loop drains.
	Drain()
	// Cuts reports whether to end the session now would cut off an answer.
	Cuts() bool
	// Verbatim reports whether the flows of the session count exactly the bytes that were read.
	Verbatim() bool
	// Over is called when the session ends, before its sockets are closed. t is the termination state.
	Over(t [2]byte)
	// Log writes the log line of the session, unless it has been written.
	Log()
	// Uncounted returns the bytes from and to the client that are not counted yet.
	Uncounted() (in, out int64)
	// Flows returns the flows of the session that only this mode has.
	Flows() []*relay.Flow
	// Audited returns the facts of this mode for an audit.
	Audited() Audited
	// Close frees the memory of the mode. The goroutine of its loop must have ended.
	Close()
}
