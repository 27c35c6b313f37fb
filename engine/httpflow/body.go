package httpflow

import "math"

// Limits for the bytes of a chunked body that are not data. A sender that sends more bytes of
// extensions than of data is probably an attacker.
const (
	maxSizeLine = 4 << 10
	maxTrailers = 64 << 10
)

// Body is a position in the body of a message, or in a tunnel. The zero value is a body that has
// ended, or a message without a body. A Body holds no pointer. The session owns it.
type Body struct {
	data  int64  // bytes left of the body or chunk; while a chunk size is read: the size read so far
	line  uint32 // bytes read of the current chunk size line, or of all trailers
	name  uint32 // hash of the current trailer's name, in lower case
	phase phase
}

// counted returns a body of n bytes, as Content-Length gives it.
func counted(n int64) Body {
	if n == 0 {
		return Body{}
	}
	return Body{data: n, phase: inCounted}
}

func chunked() Body { return Body{phase: sizeStart} }

// endless returns a body that ends when the connection ends: that of an answer without a length
// (RFC 9112 6.3), or a tunnel.
func endless() Body { return Body{data: math.MaxInt64, phase: inEndless} }

// Take reads b, the next bytes of the connection. It returns how many of them belong to this
// message; the caller passes these on unchanged. A result below len(b) has one of two causes: the
// message has ended, and Done is true; or its framing is invalid, and Broken is true.
func (m *Body) Take(b []byte) int {
	n := 0
	for n < len(b) && m.phase > broken {
		if m.phase <= inData {
			k := min(m.data, int64(len(b)-n))
			m.Moved(k)
			n += int(k)
			continue
		}
		if m.advance(b[n]); m.phase != broken {
			n++
		}
	}
	return n
}

// Free returns how many of the following bytes may be moved unread, for example by splice. They are
// the rest of a body or of a chunk's data. Free returns math.MaxInt64 if the body ends with the
// connection, and 0 if the next byte must be read by Take.
func (m *Body) Free() int64 {
	if m.phase < inCounted || m.phase > inData {
		return 0
	}
	return m.data
}

// Moved records that n of the bytes that Free allowed were moved unread.
func (m *Body) Moved(n int64) {
	if m.phase == inEndless || n == 0 {
		return
	}
	m.data -= n
	if m.data > 0 {
		return
	}
	if m.phase == inCounted {
		m.phase = ended
	} else {
		m.phase = dataEnd
	}
}

// Done reports whether the last byte of the message was given to Take or to Moved.
func (m *Body) Done() bool { return m.phase == ended }

// Broken reports whether the framing is invalid, so that the end of the message is unknown. A
// request without an answer so far is then answered with 400. Both connections are closed (RFC 9112
// 7.1 and 8).
func (m *Body) Broken() bool { return m.phase == broken }

// Ended records that the sender has closed its connection. It reports whether the message is
// complete.
func (m *Body) Ended() bool {
	if m.phase == inEndless {
		*m = Body{}
	}
	return m.phase == ended
}
