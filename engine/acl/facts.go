package acl

import (
	"net/netip"

	"sluice/sniff"
)

// Facts is what is known of one connection. It is owned by one loop, which
// reuses it: the exported fields are set before each call, the rest is scratch
// that lives on so that deciding allocates nothing.
type Facts struct {
	// Src and Dst are the two ends of the client's connection; they are invalid
	// where it has none, as on a UNIX socket.
	Src, Dst netip.AddrPort
	// Sniff is nil while nothing was read.
	Sniff *sniff.Facts
	// Received counts the bytes read so far: req.len.
	Received int
	// Final says that no more bytes will come: what lacks them is absent.
	Final bool

	text []byte // where converters build a value
	at   place
}

// place is how far the values of one expr were walked.
type place struct {
	field int    // of the head
	rest  []byte // values left in the field
	more  bool   // rest holds one
	done  bool   // the single value was given
}

// kind is the type of a value, known when compiling.
type kind uint8

const (
	text kind = iota
	number
	boolean // a number that is 0 or 1
	address
)

func (k kind) String() string {
	return [...]string{"a string", "an integer", "a boolean", "an address"}[k]
}

// value is one value of an expr; its kind says which member counts.
type value struct {
	b  []byte
	n  int64
	ip netip.Addr
}

// presence says what a fetch found.
type presence uint8

const (
	absent   presence = iota
	lacking           // bytes are missing to tell
	present           // and final
	changing          // present, but bytes may change it: req.len
)

func truthOf(b bool) value {
	if b {
		return value{n: 1}
	}
	return value{}
}
