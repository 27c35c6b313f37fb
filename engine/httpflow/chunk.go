package httpflow

import "math"

// phase is where in a body the next byte stands.
type phase uint8

const (
	ended phase = iota
	broken
	inCounted
	inEndless
	inData
	sizeStart // the chunk's size, of which the first digit is due
	size
	sizeBlank
	extension
	sizeCR
	sized // never stays: data or the trailers follow
	dataEnd
	dataCR
	trailer // at the start of a line behind the last chunk
	trailerName
	trailerValue
	trailerCR
	lastCR
	phases
)

// chunks gives the phase after a byte of the chunked framing, RFC 9112 7.1. Line
// ends are CRLF and nothing else: who takes LF alone and who does not would see
// different chunks. Of the blanks that the grammar lacks, only those between the
// size and the end of its line pass: nobody takes them for a digit.
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

// advance takes one byte of framing.
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

// digit reads sizes below 2^63, in at most 16 digits: what is larger or longer
// wraps around in other readers.
func (m *Body) digit(c byte) {
	if m.line > 16 || m.data > math.MaxInt64>>4 {
		m.phase = broken
		return
	}
	m.data = m.data<<4 | int64(hexValue(c))
}

// enter begins the data of a chunk, or the trailers behind the last.
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

// unwanted are the hashes of trailers that frame or route a message. They are
// forbidden (RFC 9110 6.5.1), and a server that merges trailers into the head
// would be led astray by them. Another name that has such a hash is refused too.
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
