package httpflow

import "math"

// phase says to which part of a body the next byte belongs.
type phase uint8

const (
	ended phase = iota
	broken
	inCounted
	inEndless
	inData
	sizeStart // the first digit of a chunk size is expected
	size
	sizeBlank
	extension
	sizeCR
	sized // the size line is complete; enter changes this phase at once to inData or trailer
	dataEnd
	dataCR
	trailer // at the start of a line after the last chunk
	trailerName
	trailerValue
	trailerCR
	lastCR
	phases
)

// chunks gives the next phase for each phase and each byte of the chunked framing (RFC 9112 7.1).
//
// A line must end with CRLF. If LF alone were accepted, two programs could see different chunks.
// Blanks that the grammar does not allow are refused, with one exception. Blanks between the chunk
// size and the end of its line are accepted, because no program reads them as digits.
var chunks = makeChunks()

func makeChunks() (g [phases][256]phase) {
	for p := range g {
		for c := range g[p] {
			g[p][c] = broken
		}
	}
	set := func(from, to phase, in string) {
		for i := range len(in) {
			g[from][in[i]] = to
		}
	}
	const digits, blanks = "0123456789abcdefABCDEF", " \t"
	set(sizeStart, size, digits)
	set(size, size, digits)
	for _, p := range []phase{size, sizeBlank} {
		set(p, sizeBlank, blanks)
		set(p, extension, ";")
	}
	for _, p := range []phase{size, sizeBlank, extension} {
		set(p, sizeCR, "\r")
	}
	set(extension, extension, textBytes)
	set(sizeCR, sized, "\n")
	set(dataEnd, dataCR, "\r")
	set(dataCR, sizeStart, "\n")
	set(trailer, trailerName, tokenBytes)
	set(trailer, lastCR, "\r")
	set(trailerName, trailerName, tokenBytes)
	set(trailerName, trailerValue, ":")
	set(trailerValue, trailerValue, textBytes)
	set(trailerValue, trailerCR, "\r")
	set(trailerCR, trailer, "\n")
	set(lastCR, ended, "\n")
	return g
}

// advance reads one byte of the chunked framing.
func (m *Body) advance(c byte) {
	before := m.phase
	m.phase = chunks[before][c]
	m.line++
	switch m.phase {
	case size:
		m.digit(c)
	case sized:
		m.enter()
	case sizeStart:
		m.line = 0
	case trailerName:
		m.letter(before, c)
	case trailerValue:
		if unwanted[m.name] {
			m.phase = broken
		}
	}
	if m.tooLong() {
		m.phase = broken
	}
}

// digit adds a hexadecimal digit to the chunk size. A size of 2^63 or more, or of more than 16
// digits, breaks the framing, because such a size may overflow in the program that reads it next.
func (m *Body) digit(c byte) {
	if m.line > 16 || m.data > math.MaxInt64>>4 {
		m.phase = broken
		return
	}
	m.data = m.data<<4 | int64(hexValue(c))
}

// enter begins the data of a chunk, or the trailers after the last chunk.
func (m *Body) enter() {
	m.line = 0
	m.phase = inData
	if m.data == 0 {
		m.phase = trailer
	}
}

func (m *Body) letter(before phase, c byte) {
	if before == trailer {
		m.name = 0
	}
	m.name = hashed(m.name, c)
}

func (m *Body) tooLong() bool {
	if m.phase < trailer {
		return m.line > maxSizeLine
	}
	return m.line > maxTrailers
}

// unwanted holds the hashes of trailer names that concern the framing or the routing of a message.
// Such trailers are forbidden (RFC 9110 6.5.1): they would mislead a server that merges trailers
// into the head. Another name with the same hash is refused too.
var unwanted = hashesOf("content-length", "transfer-encoding", "host", "connection", "upgrade", "trailer", "te")

func hashesOf(names ...string) map[uint32]bool {
	all := map[uint32]bool{}
	for _, name := range names {
		h := uint32(0)
		for i := range len(name) {
			h = hashed(h, name[i])
		}
		all[h] = true
	}
	return all
}

func hashed(h uint32, c byte) uint32 { return h*31 + uint32(lower(c)) }
