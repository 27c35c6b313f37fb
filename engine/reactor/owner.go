package reactor

import "golang.org/x/sys/unix"

// kind is the kind of a registered descriptor.
type kind uint32

const (
	bell     kind = iota // the eventfd that reports tasks
	timer                // the timerfd
	listener             // a listening socket
	socket               // a socket of a session
)

const (
	kindBits = 2
	sideBits = 1
)

// MaxSession is the highest number of a session that a Token can hold.
const MaxSession = 1<<(32-sideBits-kindBits) - 1

// Token names one socket of a session.
type Token struct {
	Session int32  // number of the session, from 0 to MaxSession
	Side    uint8  // one of the two sockets of the session, 0 or 1
	Serial  uint32 // differs between all sockets of one side that exist during one batch of events
}

// owner is the data that epoll keeps for a descriptor and returns with its events. It fills the 64
// bits of epoll_data:
//
//	name    bits 0 and 1: the kind
//	        from bit 2 on: of a socket the side (1 bit) and the session (29 bits), of a listener
//	        its index (30 bits)
//	serial  the serial number of a socket
type owner struct {
	name   uint32
	serial uint32
}

func (k kind) owner(number uint32) owner { return owner{name: number<<kindBits | uint32(k)} }

func (t Token) owner() owner {
	o := socket.owner(uint32(t.Session)<<sideBits | uint32(t.Side))
	o.serial = t.Serial
	return o
}

// ownerOf returns the owner of the descriptor that an event is for.
func ownerOf(ev *unix.EpollEvent) owner { return owner{uint32(ev.Fd), uint32(ev.Pad)} }

// event returns the argument of epoll_ctl that registers a descriptor of this owner for events.
func (o owner) event(events uint32) unix.EpollEvent {
	return unix.EpollEvent{Fd: int32(o.name), Pad: int32(o.serial), Events: events}
}

func (o owner) kind() kind     { return kind(o.name & (1<<kindBits - 1)) }
func (o owner) number() uint32 { return o.name >> kindBits }

// token returns the token of a socket.
func (o owner) token() Token {
	n := o.number()
	return Token{Session: int32(n >> sideBits), Side: uint8(n & (1<<sideBits - 1)), Serial: o.serial}
}
