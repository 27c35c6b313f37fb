package engine

import (
	"net/netip"

	"sluice/engine/relay"
	"sluice/engine/sock"
	"sluice/sniff"
)

// side names one of a session's two sockets.
type side uint8

const (
	client side = iota
	server
)

func (s side) other() side { return 1 - s }

// state is where a session is in its life; see the package's documentation.
type state uint8

const (
	free state = iota
	inspecting
	dialing
	pausing
	relaying
	asking     // mode http: waits for a request's head
	exchanging // mode http: a request is out, or its answer under way
	leaving
)

// socket is what a session knows of one of its two sockets.
type socket struct {
	fd    int32 // -1: none
	flags socketFlags
	turn  uint8 // how many sockets had this place before, see token
	seen  int64 // when it last gave or took a byte, ms
}

type socketFlags uint8

const (
	// watched: registered with the poller.
	watched socketFlags = 1 << iota
	// finished: FIN was passed on to it.
	finished
	// broken: it failed, nothing can be written to it any more.
	broken
	// afterFIN: it failed after its FIN, so all that it had to say was heard.
	afterFIN
	// piped: the first error that it gave was EPIPE.
	piped
	// writableWanted: registered for when it can be written to, too.
	writableWanted
	// waiting: for its turn, see again.
	waiting
	// sentWanted: it reports room only when all is sent.
	sentWanted
)

// open makes fd the socket.
func (s *socket) open(fd int, now int64) {
	*s = socket{fd: int32(fd), turn: s.turn, seen: now}
}

// close closes the socket, if there is one; with RST if that is asked for.
func (s *socket) close(abrupt bool) {
	switch {
	case s.fd < 0:
		return
	case abrupt:
		sock.Reset(int(s.fd))
	default:
		sock.Close(int(s.fd))
	}
	*s = socket{fd: -1, turn: s.turn + 1, flags: s.flags & (finished | broken | afterFIN | piped), seen: s.seen}
}

func (s *socket) has(f socketFlags) bool { return s.flags&f != 0 }
func (s *socket) set(f socketFlags)      { s.flags |= f }

func (s *socket) interest() interest {
	if s.has(writableWanted) {
		return incoming | writable
	}
	return incoming
}

// session is one client's connection and what became of it. Loop-owned; the
// slab that holds it is invisible to the garbage collector, so it must not
// hold pointers.
type session struct {
	flow [2]relay.Flow // by the side the bytes come from
	sock [2]socket

	state        state
	tries        uint8 // connection attempts after the first
	redispatched bool  // they led to another server
	pickAgain    bool  // pausing: a server is to be chosen anew
	counted      bool  // among the server's sessions
	asked        bool  // the last byte came from the client: an answer is due
	unix         bool  // the client came by a UNIX socket
	last         side  // leaving: the side whose socket is still open
	abrupt       bool  // leaving: it gets RST at the end
	term         [2]byte
	line         int32 // the listener that took it, in the loop's order
	backend      int32 // -1: not chosen yet
	server       int32 // -1: none chosen

	since     int64 // when this state began, ms
	began     int64 // accepted, ms
	wall      int64 // accepted, ms of the wall clock since 1970
	wait      int32 // pausing, leaving: how long until the next attempt or look, ms
	queued    int32 // a server was chosen that many ms after the start; -1: not yet
	connected int32 // and the connection stood; -1: not yet
	inSYN     int32 // dialing: bytes that the client's flow holds and the SYN has taken

	received int64 // from the client, once the session ends

	peer  [16]byte
	port  uint16
	sniff sniff.State
	next  int32 // free list
}

// moves reports whether many bytes are on their way. Then an event is gathered
// with the others of its batch: by the end of that, more is there for one pipe.
func (s *session) moves() bool {
	return (s.state == relaying || s.state == exchanging) && (s.flow[client].Splicing() || s.flow[server].Splicing())
}

// blocked reports whether bytes that come from a side wait for the other one to
// take them. What its socket did not take may wait anywhere before it.
func (s *session) blocked(from side) bool {
	return s.flow[from].Pending() > 0 || !s.flow[from].Has(relay.TargetReady)
}

// starved reports whether the kernel had no memory for a read or a write.
func (s *session) starved() bool {
	return s.flow[client].Has(relay.Starved) || s.flow[server].Has(relay.Starved)
}

// full reports whether nothing can be written to a side's socket now.
func (s *session) full(which side) bool {
	return !s.flow[which.other()].Has(relay.TargetReady)
}

func (s *session) setPeer(a *sock.Addr) {
	if a.IsUnix() {
		s.unix = true
		return
	}
	ap := a.AddrPort()
	s.peer, s.port = ap.Addr().As16(), ap.Port()
}

// client's address; invalid when it came by a UNIX socket.
func (s *session) clientAddr() netip.AddrPort {
	if s.unix {
		return netip.AddrPort{}
	}
	return netip.AddrPortFrom(netip.AddrFrom16(s.peer).Unmap(), s.port)
}

// clientBytes are the bytes received from the client.
func (s *session) clientBytes() int64 {
	return int64(s.flow[client].Bytes) + int64(s.flow[client].Pending())
}

// slab holds a loop's sessions. It is reserved for the most there can be and
// touched only as far as it was ever used. Entry 0 is never a session.
type slab struct {
	reserve[session]
	free  int32 // head of the list of used and freed entries; 0: none
	fresh int32 // the first entry never used
	open  int
}

func newSlab(sessions int) (*slab, error) {
	r, err := newReserve[session](sessions + 1)
	return &slab{reserve: r, fresh: 1}, err
}

// take returns a cleared entry, or 0 when all are in use.
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
		client: {fd: -1, turn: s.sock[client].turn},
		server: {fd: -1, turn: s.sock[server].turn},
	}}
	b.open++
	return id
}

func (b *slab) give(id int32) {
	b.all[id].state = free
	b.all[id].next = b.free
	b.free = id
	b.open--
}

// each calls do for every open session; do may give it back.
func (b *slab) each(do func(id int32)) {
	for id := int32(1); id < b.fresh; id++ {
		if b.all[id].state != free {
			do(id)
		}
	}
}
