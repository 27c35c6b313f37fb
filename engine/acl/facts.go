package acl

import (
	"net/netip"
	"time"

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

	// What follows is for mode http and the formats of its rules; of the zero
	// values each writes nothing.
	Response   *Response // nil while there is none
	Frontend   string
	Backend    string
	Server     string
	ServerAddr netip.AddrPort // of the connection to the server: its far end
	SourceAddr netip.AddrPort // and its near end
	Accepted   time.Time      // wall clock as the client was accepted

	text  []byte // where converters build a value
	words []byte // where the words of Connection are put together
	at    place
}

// Response is the head of an answer.
type Response struct {
	Status int
	Line   []byte // the status line, without its end
	Fields Fields
}

// Fields are the field lines of a head. Next returns the field at a position and
// the position of the next, 0 at the end, as [sniff.Head.Next] does.
type Fields interface {
	Next(at int) (name, value []byte, next int)
}

// place is how far the values of one expr were walked.
type place struct {
	field int    // of the head; or where the list of protocols goes on
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
