package acl

import (
	"net/netip"
	"time"

	"sluice/sniff"
)

// Facts holds everything known about one connection. A loop owns it and reuses it. The caller sets
// the exported fields before each call. The unexported fields are buffers that are kept, so that a
// decision allocates nothing.
type Facts struct {
	// Src and Dst are the addresses of the client and of our side of the client's connection. They
	// are invalid on a UNIX socket.
	Src, Dst netip.AddrPort
	// Listener is the number of the bind line of a client on a UNIX socket, from 1. Formats write it
	// as the port. 0: formats write nothing for such a client.
	Listener int32
	// Sniff is the result of package sniff; nil: no byte has been read.
	Sniff *sniff.Facts
	// Received is the number of bytes read so far (req.len).
	Received int
	// Final means that no more bytes will be read. A value whose bytes are missing is then absent.
	Final bool

	// The following fields are for mode http and the formats of its rules. A zero value writes
	// nothing, except that formats write <NOSRV> for an empty Server and the Frontend for an empty
	// Backend.
	Line       RequestLine // the request line before all edits
	Response   *Response   // nil: no answer yet
	Frontend   string
	Backend    string
	Server     string
	ServerAddr netip.AddrPort // the server's address of the connection to the server
	SourceAddr netip.AddrPort // our address of the connection to the server
	Accepted   time.Time      // wall-clock time when the client was accepted

	text  []byte // buffer in which converters build a value
	words []byte // buffer for the filtered value of Connection
	at    place
	lean  lean
}

// Response is the head of an answer.
type Response struct {
	Status int
	Line   []byte // the status line without its line end
	Fields Fields
}

// Fields are the field lines of a head. Next returns the field at position at and the position of
// the following field, or 0 if there is none, like [sniff.Head.Next].
type Fields interface {
	Next(at int) (name, value []byte, next int)
}

// place is the position in the list of values of one expr. The zero place is before the first.
type place struct {
	field int    // position of the next field of the head, or of the next ALPN protocol
	rest  []byte // the values of the current field that were not returned yet
	more  bool   // rest holds at least one value
	done  bool   // the only value has been returned
}

// kind is the type of a value. It is known at compile time.
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

// value is one value of an expr. The kind of the expr says which member is set.
type value struct {
	b  []byte
	n  int64
	ip netip.Addr
}

// presence says whether a fetch found a value.
type presence uint8

const (
	absent   presence = iota
	lacking           // more bytes are needed
	present           // the value is final
	changing          // there is a value, but more bytes may change it: req.len
)

func truthOf(b bool) value {
	if b {
		return value{n: 1}
	}
	return value{}
}
