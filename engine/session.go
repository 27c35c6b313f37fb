package engine

import (
	"net/netip"

	"sluice/engine/reactor"
	"sluice/engine/relay"
	"sluice/engine/sock"
	"sluice/sniff"
)

// side is one of a session's two sockets.
type side uint8

const (
	client side = iota
	server
)

func (s side) other() side { return 1 - s }

// state is the stage of a session; the package's documentation shows the transitions.
type state uint8

const (
	free       state = iota // not in use
	inspecting              // mode tcp: reads the client's first bytes until the rules can decide
	dialing                 // connects to a server
	pausing                 // waits before the next attempt to connect
	relaying                // moves bytes in both directions
	asking                  // mode http: waits for the head of a request
	exchanging              // mode http: sends a request, reads its answer, or both
	leaving                 // has ended; one socket stays open until its peer has everything
)

// socket is the state of one of a session's two sockets.
type socket struct {
	fd     int32 // descriptor; -1: no socket
	flags  socketFlags
	serial uint16 // number of sockets that this side had before, modulo 65536, see token
	seen   int64  // time of its last progress: opened, connected, a byte or FIN passed on; ms of stat.Now
}

type socketFlags uint16

const (
	// watched: registered with the reactor.
	watched socketFlags = 1 << iota
	// finished: FIN was sent on it.
	finished
	// broken: it failed, and nothing can be written to it any more.
	broken
	// afterFIN: it failed after its peer had sent FIN, so nothing that the peer sent was lost.
	afterFIN
	// piped: the first error of a call on it was EPIPE.
	piped
	// resetFirst: the first error of a call on it was ECONNRESET, so its peer had not sent FIN.
	resetFirst
	// writableWanted: also registered for writing.
	writableWanted
	// waiting: in the list of sockets to serve again, see yield.
	waiting
	// sentWanted: it is reported as writable only when all its bytes are sent.
	sentWanted
)

// open begins with the new socket fd. now is in ms of stat.Now.
func (s *socket) open(fd int, now int64) {
	*s = socket{fd: int32(fd), serial: s.serial, seen: now}
}

// close closes the socket, if there is one. abrupt sends RST. The flags that describe how the
// connection ended remain.
func (s *socket) close(abrupt bool) {
	switch {
	case s.fd < 0:
		return
	case abrupt:
		sock.Reset(int(s.fd))
	default:
		sock.Close(int(s.fd))
	}
	*s = socket{fd: -1, serial: s.serial + 1, flags: s.flags & (finished | broken | afterFIN | piped | resetFirst), seen: s.seen}
}

func (s *socket) has(f socketFlags) bool { return s.flags&f != 0 }
func (s *socket) set(f socketFlags)      { s.flags |= f }

// interest returns the events for which the socket is registered.
func (s *socket) interest() reactor.Interest {
	if s.has(writableWanted) {
		return reactor.Incoming | reactor.Writable
	}
	return reactor.Incoming
}

// session is the connection of one client and, once connected, the connection to its server. It
// belongs to one loop. The garbage collector does not see the slab that holds sessions, so a
// session must hold no pointer.
type session struct {
	flow [2]relay.Flow // by the side from which the bytes come
	sock [2]socket     // by side

	state        state
	tries        uint8   // connection attempts after the first, for this session or request
	redispatched bool    // an attempt led to another server than the one before
	pickAgain    bool    // pausing: the next attempt chooses a server again
	claimed      bool    // the client has claimed the server, see mode.claimed
	counted      bool    // counted among the current sessions of its server
	asked        bool    // the last byte came from the client: it waits for an answer
	unix         bool    // the client connected through a UNIX socket
	last         side    // leaving: the side whose socket is still open
	abrupt       bool    // leaving: the socket of side last is closed with RST, not with FIN
	term         [2]byte // termination state of the log line
	site         uint8   // number of its site, in loop.sites
	line         int32   // index of the listener that accepted it, in loop.listeners
	frontend     int32   // index in its site's Frontends
	backend      int32   // index in its site's Backends; -1: not chosen
	server       int32   // slot in its backend, with a reference to it; -1: not chosen

	since       int64 // start of this state, ms of stat.Now
	began       int64 // mode tcp: accepted; mode http: first byte of the request; ms of stat.Now
	wall        int64 // accepted, ms since 1970
	wait        int32 // ms; pausing: until the next attempt, leaving: until leave checks again
	queued      int32 // from began until a server was chosen, ms; -1: not chosen
	connected   int32 // from began until the server was connected, ms; -1: not connected
	inSYN       int32 // dialing: bytes sent in the SYN that the client's flow still holds
	serverMoves int32 // how often the server's address had changed before the connection, see pool.Server.Moves

	received int64 // bytes from the client, set when the session ends

	peer  [16]byte // client's address, with port; an IPv4 address is mapped to IPv6
	port  uint16
	sniff sniff.State
	next  int32 // free: the next free entry of the slab; 0: none
}

// moves reports whether the session splices, which it does for large amounts. Its events are
// then handled at the end of the batch: by that time more bytes have arrived for one pipe.
func (s *session) moves() bool {
	return (s.state == relaying || s.state == exchanging) && (s.flow[client].Splicing() || s.flow[server].Splicing())
}

// blocked reports whether bytes from one side must wait until the other side accepts them. The
// bytes may be held by the flow, or wait unread in the socket.
func (s *session) blocked(from side) bool {
	return s.flow[from].Pending() > 0 || !s.flow[from].Has(relay.TargetReady)
}

// starved reports whether the kernel had no memory for a read or a write.
func (s *session) starved() bool {
	return s.flow[client].Has(relay.Starved) || s.flow[server].Has(relay.Starved)
}

// full reports whether a side's socket accepts no bytes now.
func (s *session) full(which side) bool {
	return !s.flow[which.other()].Has(relay.TargetReady)
}

// token returns the token under which the socket of a side is registered. A batch of events opens
// fewer sockets for one side of a session than there are serial numbers, so no event that is under
// way has the token of a newer socket.
func (s *session) token(id int32, which side) reactor.Token {
	return reactor.Token{Session: id, Side: uint8(which), Serial: uint32(s.sock[which].serial)}
}

// setPeer records the client's address.
func (s *session) setPeer(a *sock.Addr) {
	if a.IsUnix() {
		s.unix = true
		return
	}
	ap := a.AddrPort()
	s.peer, s.port = ap.Addr().As16(), ap.Port()
}

// clientAddr returns the client's address. It is invalid if the client came by a UNIX socket.
func (s *session) clientAddr() netip.AddrPort {
	if s.unix {
		return netip.AddrPort{}
	}
	return netip.AddrPortFrom(netip.AddrFrom16(s.peer).Unmap(), s.port)
}

// clientBytes returns the number of bytes read from the client, passed on or held.
func (s *session) clientBytes() int64 {
	return int64(s.flow[client].Bytes) + int64(s.flow[client].Pending())
}

// slab holds a loop's sessions. Its address space is reserved for the maximum number of
// sessions. Memory is used only up to the highest entry that was ever used. Entry 0 is never a
// session.
type slab struct {
	reserve[session]
	free  int32 // entries that were used and freed, the first of a list; 0: none
	fresh int32 // the first entry that was never used
	open  int   // sessions in use
}

// newSlab reserves entries for this many sessions.
func newSlab(sessions int) (*slab, error) {
	r, err := newReserve[session](sessions + 1)
	return &slab{reserve: r, fresh: 1}, err
}

// take returns a cleared entry, or 0 if all entries are in use.
func (b *slab) take() int32 {
	id := b.free
	switch {
	case id != 0:
		b.free = b.all[id].next
	case int(b.fresh) < len(b.all):
		id = b.fresh
		b.fresh++
	default:
		return 0
	}
	s := &b.all[id]
	*s = session{backend: -1, server: -1, queued: -1, connected: -1, sock: [2]socket{
		client: {fd: -1, serial: s.sock[client].serial},
		server: {fd: -1, serial: s.sock[server].serial},
	}}
	b.open++
	return id
}

// give frees the entry.
func (b *slab) give(id int32) {
	b.all[id].state = free
	b.all[id].next = b.free
	b.free = id
	b.open--
}

// each calls do for every session in use. do may free that session.
func (b *slab) each(do func(id int32)) {
	for id := int32(1); id < b.fresh; id++ {
		if b.all[id].state != free {
			do(id)
		}
	}
}
