package sniff

import "encoding/binary"

// The format of a record, RFC 8446 5.1:
//
//	type 0x16 | version 0x03 any | length 2 | fragment
//
// The fragments of all records, one after the other, contain the handshake message, RFC 8446 4:
//
//	type 1 | length 3 | ClientHello
const (
	recordHeader  = 5           // bytes
	recordMax     = 1<<14 + 256 // length of the longest fragment in TLS 1.3; a receiver must accept this length
	typeHandshake = 0x16
	helloHeader   = 4 // bytes
	typeHello     = 1
	maxHello      = helloHeader + MaxBytes // bytes
)

// walk reads the records of a hello, each byte once. It examines only the headers of the
// records and the header of the hello. So its answer does not depend on how the bytes were
// divided when they arrived.
type walk struct {
	at      uint32 // bytes read so far
	seen    uint32 // bytes of the hello read so far, without record headers
	hello   uint32 // the first four bytes of the hello, as far as they were read
	left    uint16 // bytes not read yet in the current record
	verdict Verdict
}

func (w *walk) advance(b []byte) Verdict {
	for {
		if w.left == 0 {
			if v := w.record(b[w.at:]); v != Yes {
				return v
			}
		}
		if v := w.fragment(b[w.at:]); v != More {
			return v
		}
		if w.left > 0 {
			return More
		}
	}
}

// record reads the record header at the start of b. With Yes it has stored the length of the
// record in left.
func (w *walk) record(b []byte) Verdict {
	if len(b) > 0 && b[0] != typeHandshake || len(b) > 1 && b[1] != 3 {
		return No
	}
	if len(b) < recordHeader {
		return More
	}
	w.left = binary.BigEndian.Uint16(b[3:])
	if w.left == 0 || w.left > recordMax {
		return No
	}
	w.at += recordHeader
	return Yes
}

// fragment reads the bytes of the current record in b, up to the end of the hello.
func (w *walk) fragment(b []byte) Verdict {
	b = b[:min(int(w.left), len(b))]
	for len(b) > 0 && w.seen < helloHeader {
		w.hello = w.hello<<8 | uint32(b[0])
		w.take(1)
		b = b[1:]
		if w.seen == 1 && w.hello != typeHello {
			return No
		}
	}
	if w.seen < helloHeader {
		return More
	}
	if w.size() > maxHello {
		return No
	}
	w.take(min(uint32(len(b)), w.size()-w.seen))
	if w.seen < w.size() {
		return More
	}
	return Yes
}

// take counts n bytes of the hello as read.
func (w *walk) take(n uint32) {
	w.at += n
	w.seen += n
	w.left -= uint16(n)
}

// size returns the length in bytes of the hello with its header. It is known once the header
// was read.
func (w *walk) size() uint32 { return helloHeader + w.hello&0xffffff }

// assemble appends the hello that was read to dst, without record headers. b must start with
// the first record.
func (w *walk) assemble(dst, b []byte) []byte {
	for b = b[:w.at]; len(b) > 0; {
		end := min(recordHeader+int(binary.BigEndian.Uint16(b[3:])), len(b))
		dst = append(dst, b[recordHeader:end]...)
		b = b[end:]
	}
	return dst
}
