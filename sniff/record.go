package sniff

import "encoding/binary"

// RFC 8446 5.1:
//
//	type 0x16 | version 0x03 any | length 2 | fragment
//
// and over the fragments taken together, RFC 8446 4:
//
//	type 1 | length 3 | ClientHello
const (
	recordHeader  = 5
	recordMax     = 1<<14 + 256 // what a receiver must at least put up with
	typeHandshake = 0x16
	helloHeader   = 4
	typeHello     = 1
	maxHello      = helloHeader + MaxBytes
)

// walk goes over the records of a hello, byte for byte once. It looks at record
// headers and at the hello's own header only, which makes its answer the same
// however the bytes came.
type walk struct {
	at      uint32 // bytes walked
	seen    uint32 // of them, bytes of the hello
	hello   uint32 // the first four bytes of the hello, as far as seen
	left    uint16 // bytes to come in the record at hand
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

// record takes the record header that b starts with. Yes: its length is in left.
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

// fragment takes what b has of the record at hand, up to the end of the hello.
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

func (w *walk) take(n uint32) {
	w.at += n
	w.seen += n
	w.left -= uint16(n)
}

// size is the length of the hello with its header, known once that was seen.
func (w *walk) size() uint32 { return helloHeader + w.hello&0xffffff }

// assemble appends to dst the hello that was walked, without record headers.
func (w *walk) assemble(dst, b []byte) []byte {
	for b = b[:w.at]; len(b) > 0; {
		end := min(recordHeader+int(binary.BigEndian.Uint16(b[3:])), len(b))
		dst = append(dst, b[recordHeader:end]...)
		b = b[end:]
	}
	return dst
}
