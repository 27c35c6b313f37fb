package engine

import (
	"sluice/engine/relay"
	"sluice/pool"
)

// mode is the part of the work on a session that differs between mode tcp and mode http. Each loop
// has one value of each mode. Its methods work on the session of the loop's visit.
type mode interface {
	// resume is called when work on a session begins, before all other methods.
	resume()
	// row returns the functions of a state.
	row(s state) *stateRow
	// begin starts the work for a client that was accepted.
	begin()
	// claimed returns the server that the client has claimed, for example by a cookie, and adds a
	// reference to it; nil: none. was is the server of the attempt before, or nil.
	claimed(was *pool.Server) *pool.Server
	// connected goes on when the server's connection is established.
	connected()
	// refused ends the work, because no server is available. t is the termination state.
	refused(t [2]byte)
	// clientDeadline returns when the client's timeout expires while its server is being connected, in
	// ms of stat.Now; or never.
	clientDeadline() int64
	// drain ends a session that waits for nothing, because its loop drains.
	drain()
	// cuts reports whether to end the session now would cut off an answer.
	cuts() bool
	// verbatim reports whether the flows of the session count exactly the bytes that were read.
	verbatim() bool
	// over is called when the session ends, before its sockets are closed. t is the termination state.
	over(t [2]byte)
	// log writes the log line of the session, unless it has been written.
	log()
	// uncounted returns the bytes from and to the client that are not counted yet.
	uncounted() (in, out int64)
	// flows returns the flows of the session that only this mode has.
	flows() []*relay.Flow
	// audited returns the facts of this mode for an audit.
	audited() audited
	// close frees the memory of the mode. The goroutine of its loop must have ended.
	close()
}
