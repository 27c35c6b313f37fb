package httpflow

import "math"

// The most that is taken of what lies between the data of a chunked body. A
// sender who spends more on extensions than on data is up to something.
const (
	maxSizeLine = 4 << 10
	maxTrailers = 64 << 10
)

// Body is where in the body of a message, or in a tunnel, the next byte stands.
// The zero value is a body that has ended, or that never was. It holds no
// pointer and is owned by the session.
type Body struct {
	data  int64  // bytes left of the body or chunk; while its size is read, the size
	line  uint32 // bytes of this size line, or of the trailers
	name  uint32 // hash of a trailer's name, in lower case
	phase phase
}

// counted is a body of n bytes, by Content-Length.
func counted(n int64) Body {
	if n == 0 {
		return Body{}
	}
	return Body{data: n, phase: inCounted}
}

func chunked() Body { return Body{phase: sizeStart} }

// endless is what ends with the connection: the body of an answer without a
// length (RFC 9112 6.3), and a tunnel.
func endless() Body { return Body{data: math.MaxInt64, phase: inEndless} }

// Take goes over b, the next bytes of the connection, and returns how many of
// them belong to this message and are to be passed on as they are. It is less
// than all where the message ends, then Done is true, or where it is broken,
// then Broken is.
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

// Free returns how many of the bytes that follow those taken may be moved
// without being looked at: the rest of a body or of a chunk's data. Of what ends
// with the connection it is math.MaxInt64.
func (m *Body) Free() int64 {
	if m.phase < inCounted || m.phase > inData {
		return 0
	}
	return m.data
}

// Moved tells that n of the free bytes were moved unseen.
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

// Done reports whether the last byte of the message was taken or moved.
func (m *Body) Done() bool { return m.phase == ended }

// Broken reports whether the framing can't be followed any further: a request
// is then answered with 400, if it was not answered yet, and both connections
// are closed (RFC 9112 7.1 and 8).
func (m *Body) Broken() bool { return m.phase == broken }

// Ended tells that the sender's connection has ended. It reports whether the
// message is whole.
func (m *Body) Ended() bool {
	if m.phase == inEndless {
		*m = Body{}
	}
	return m.phase == ended
}
