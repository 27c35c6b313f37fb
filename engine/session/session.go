package session

import (
	"net/netip"

	"sluice/engine/reactor"
	"sluice/engine/relay"
	"sluice/engine/reserve"
	"sluice/engine/sock"
	"sluice/sniff"
)

// Side is one of a session's two sockets.
type Side uint8

const (
	Client Side = iota // the connection that a listener accepted
	Server             // the connection that this proxy opens to a server
)

// Other returns the other side.
func (s Side) Other() Side { return 1 - s }

// State is the stage of a session; the package's documentation shows the transitions.
type State uint8

const (
	Free       State = iota // not in use
	Inspecting              // mode tcp: reads the client's first bytes until the rules can decide
	Dialing                 // connects to a server
	Pausing                 // waits before the next attempt to connect
	Relaying                // moves bytes in both directions
	Asking                  // mode http: waits for the head of a request
	Exchanging              // mode http: sends a request, reads its answer, or both
	Leaving                 // has ended; one socket stays open until its peer has everything
)

// Socket is the state of one of a session's two sockets.
type Socket struct {
	FD     int32       // descriptor; -1: no socket
	flags  SocketFlags // see the constants of this type
	serial uint16      // earlier sockets of this side, modulo 65536, see Session.Token
	Seen   int64       // ms of stat.Now when it was opened, connected, or last moved a byte or FIN
}

// SocketFlags is a set of facts about a socket.
type SocketFlags uint16

const (
	// Watched: the socket is registered with the reactor.
	Watched SocketFlags = 1 << iota
	// Finished: this proxy has sent FIN on the socket.
	Finished
	// Broken: the connection failed, and nothing can be written to the socket any more.
	Broken
	// afterFIN: the connection failed after its peer had sent FIN, so no byte from the peer was
	// lost.
	afterFIN
	// piped: the first error of a system call on the socket was EPIPE.
	piped
	// resetFirst: the first error of a system call on the socket was ECONNRESET, so its peer had
	// not sent FIN.
	resetFirst
	// WritableWanted: the socket was full, so its registration includes reactor.Writable until the
	// socket is closed.
	WritableWanted
	// waiting: the socket is in the reactor's list of sockets to serve again, see Visit.Yield.
	waiting
	// sentWanted: the socket is reported as writable only when all its bytes are sent, see
	// sock.RoomWhenSent.
	sentWanted
)

// open stores the descriptor of a new socket and clears the flags. now is the time in ms of
// stat.Now.
func (s *Socket) open(fd int, now int64) {
	*s = Socket{FD: int32(fd), serial: s.serial, Seen: now}
}

// close closes the socket, if it is open. If abrupt is true, the kernel sends RST. The flags that
// describe how the connection ended remain.
func (s *Socket) close(abrupt bool) {
	switch {
	case s.FD < 0:
		return
	case abrupt:
		sock.Reset(int(s.FD))
	default:
		sock.Close(int(s.FD))
	}
	*s = Socket{FD: -1, serial: s.serial + 1, flags: s.flags & (Finished | Broken | afterFIN | piped | resetFirst), Seen: s.Seen}
}

// Has reports whether at least one of these flags is set. (Has of relay.Flow demands all of them.)
func (s *Socket) Has(f SocketFlags) bool { return s.flags&f != 0 }

// Set sets these flags.
func (s *Socket) Set(f SocketFlags) { s.flags |= f }

// Interest returns the events for which the socket is registered.
func (s *Socket) Interest() reactor.Interest {
	if s.Has(WritableWanted) {
		return reactor.Incoming | reactor.Writable
	}
	return reactor.Incoming
}

// Session is the connection of one client and, once connected, the connection to its server. It
// belongs to one loop. The garbage collector does not see the slab that holds sessions, so a
// session must hold no pointer.
type Session struct {
	Flow [2]relay.Flow // by the side from which the bytes come
	Sock [2]Socket     // by side

	State        State
	Tries        uint8   // connection attempts after the first; in mode http those of this request
	Redispatched bool    // an attempt led to another server than the one before
	pickAgain    bool    // pausing: the next attempt chooses a server again
	claimed      bool    // the client has claimed the server, see Mode.Claimed
	Counted      bool    // counted among the current sessions of its server
	Asked        bool    // the last byte came from the client, so the client waits for an answer
	unix         bool    // the client connected through a UNIX socket
	last         Side    // leaving: the side whose socket is still open
	abrupt       bool    // leaving: the socket of side last is closed with RST, not with FIN
	Term         [2]byte // termination state, as in HAProxy's log; set at the end
	site         uint8   // index of its site in Loop.sites
	port         uint16  // client's port
	line         int32   // index of the listener that accepted it, in Loop.lines
	frontend     int32   // index in its site's Frontends
	Backend      int32   // index in its site's Backends; -1: not chosen
	Server       int32   // slot in its backend, with a reference to it; -1: not chosen

	Since       int64 // start of this state, ms of stat.Now
	Began       int64 // mode tcp: accepted; mode http: first byte of the request; ms of stat.Now
	Wall        int64 // accepted, ms since 1970
	wait        int32 // ms; pausing: until the next attempt; leaving: until Visit.leave runs again; free: number of the next free entry, 0: none
	Queued      int32 // from Began until a server was chosen, ms; -1: not chosen
	Connected   int32 // from Began until the server was connected, ms; -1: not connected
	inSYN       int32 // dialing: bytes sent in the SYN that the client's flow still holds
	ServerMoves int32 // pool.Server.Moves when the connection to the server was opened

	received int64 // bytes from the client, set when the session ends

	peer  [16]byte    // client's IP address; IPv4 is mapped to IPv6
	Sniff sniff.State // progress of parsing the client's bytes
}

// moves reports whether a direction of the session uses splice, as for large amounts. The events of
// such a session are handled at the end of the batch, because by then more bytes have arrived for
// one call.
func (s *Session) moves() bool {
	return (s.State == Relaying || s.State == Exchanging) && (s.Flow[Client].Splicing() || s.Flow[Server].Splicing())
}

// Blocked reports whether bytes from one side must wait until the other side's socket accepts them.
// They wait in the flow, or unread in the socket of that side.
func (s *Session) Blocked(from Side) bool {
	return s.Flow[from].Pending() > 0 || !s.Flow[from].Has(relay.TargetReady)
}

// starved reports whether the kernel had no memory for a read or a write.
func (s *Session) starved() bool {
	return s.Flow[Client].Has(relay.Starved) || s.Flow[Server].Has(relay.Starved)
}

// full reports whether a side's socket accepts no bytes now.
func (s *Session) full(which Side) bool {
	return !s.Flow[which.Other()].Has(relay.TargetReady)
}

// Token returns the token under which the socket of a side is registered. There are more serial
// numbers than sockets that one batch of events can open for one side of a session. So an event for
// a closed socket never has the token of a newer socket.
func (s *Session) Token(id int32, which Side) reactor.Token {
	return reactor.Token{Session: id, Side: uint8(which), Serial: uint32(s.Sock[which].serial)}
}

// setPeer records the client's address.
func (s *Session) setPeer(a *sock.Addr) {
	if a.IsUnix() {
		s.unix = true
		return
	}
	ap := a.AddrPort()
	s.peer, s.port = ap.Addr().As16(), ap.Port()
}

// ClientAddr returns the client's address. It is the zero AddrPort if the client connected through
// a UNIX socket.
func (s *Session) ClientAddr() netip.AddrPort {
	if s.unix {
		return netip.AddrPort{}
	}
	return netip.AddrPortFrom(netip.AddrFrom16(s.peer).Unmap(), s.port)
}

// ClientBytes returns the number of bytes read from the client: the bytes written to the server and
// the bytes that the flow holds.
func (s *Session) ClientBytes() int64 {
	return int64(s.Flow[Client].Bytes) + int64(s.Flow[Client].Pending())
}

// slab holds a loop's sessions. Its address space is reserved for the maximum number of sessions.
// Memory is used only up to the highest entry that was used so far. Entry 0 is never a session.
type slab struct {
	reserve.Array[Session]
	free  int32 // first entry of the list of entries that were used and freed; 0: none
	fresh int32 // lowest entry that was never used
	Open  int   // number of entries in use
}

// newSlab reserves entries for the maximum number of sessions.
func newSlab(sessions int) (*slab, error) {
	r, err := reserve.New[Session](sessions + 1)
	return &slab{Array: r, fresh: 1}, err
}

// take returns the number of a cleared entry, or 0 if all entries are in use.
func (b *slab) take() int32 {
	id := b.free
	switch {
	case id != 0:
		b.free = b.At(id).wait
	case int(b.fresh) < b.Len():
		id = b.fresh
		b.fresh++
	default:
		return 0
	}
	s := b.At(id)
	*s = Session{Backend: -1, Server: -1, Queued: -1, Connected: -1, Sock: [2]Socket{
		Client: {FD: -1, serial: s.Sock[Client].serial},
		Server: {FD: -1, serial: s.Sock[Server].serial},
	}}
	b.Open++
	return id
}

// give marks the entry as free and puts it at the front of the free list.
func (b *slab) give(id int32) {
	s := b.At(id)
	s.State, s.wait = Free, b.free
	b.free = id
	b.Open--
}

// Each calls do for every session in use. do may free that session.
func (b *slab) Each(do func(id int32)) {
	for id := int32(1); id < b.fresh; id++ {
		if b.At(id).State != Free {
			do(id)
		}
	}
}
