package sniff

// MaxBytes is the maximum size in bytes of an HTTP head with its empty line, and of the body of
// a hello. Record headers inside a hello do not count.
const MaxBytes = 64 << 10

// MaxWire is the highest number of bytes for which Sniff can still ask for more: a hello of
// MaxBytes in records of one byte each. Ordinary hellos are far smaller.
const MaxWire = maxHello * (recordHeader + 1)

// Verdict is the answer to the question whether the bytes are of a protocol.
type Verdict uint8

// The verdicts. The zero value is More.
const (
	More Verdict = iota // more bytes are needed
	No                  // it is not this protocol; no later byte changes this answer
	Yes                 // it is this protocol; no later byte changes this answer
)

func (v Verdict) String() string { return [...]string{"more", "no", "yes"}[v] }

// Proto is the protocol that was recognised.
type Proto uint8

// The protocols.
const (
	Unknown Proto = iota
	HTTP
	TLS
)

func (p Proto) String() string { return [...]string{"", "http", "tls"}[p] }

// State records how far the bytes of one connection have been read. The zero value means that no
// byte was read. It contains no pointer, and a session owns it. The caller must pass all bytes
// of one connection, each time from the first byte, with the same State.
type State struct {
	walk walk
	head syntax
}

// Scanner contains the memory in which a hello is assembled from its records. A loop owns it
// and uses it for all its sessions in turn. The zero value is ready to use.
type Scanner struct {
	hello [maxHello]byte
}

// NewScanner returns a Scanner of 64 KiB. The system provides memory only for the part that
// hellos have used.
func NewScanner() *Scanner { return new(Scanner) }

// Facts is the result of Sniff. Its slices refer to the bytes given and to the memory of the
// Scanner. They are valid until the next call of the Scanner, and the caller must not change
// them.
type Facts struct {
	Len  int // number of bytes up to the end of the head or hello if the verdict is Yes, else 0
	TLS  Hello
	HTTP Head
}

// Sniff reads b and fills f. b must be all bytes of the connection from the first one. Sniff
// sets both f.TLS.Verdict and f.HTTP.Verdict.
func (s *Scanner) Sniff(st *State, b []byte, f *Facts) {
	*f = Facts{}
	s.sniffTLS(&st.walk, b, f)
	sniffHTTP(&st.head, b, f)
}

func (s *Scanner) sniffTLS(w *walk, b []byte, f *Facts) {
	if w.verdict == More {
		w.verdict = w.advance(b)
	}
	if w.verdict == Yes {
		hello := w.assemble(s.hello[:0], b)
		if f.TLS.parse(hello[helloHeader:]) {
			f.Len = int(w.at)
		} else {
			w.verdict, f.TLS = No, Hello{}
		}
	}
	f.TLS.Verdict = w.verdict
}

func sniffHTTP(x *syntax, b []byte, f *Facts) {
	if x.verdict == More {
		x.verdict = x.advance(b)
	}
	if x.verdict == Yes {
		if f.HTTP.parse(b[:x.at]) {
			f.Len = int(x.at)
		} else {
			x.verdict, x.unclear, f.HTTP = No, true, Head{}
		}
	}
	f.HTTP.Verdict, f.HTTP.H2, f.HTTP.Unclear = x.verdict, x.h2, x.unclear
}

// Verdict returns Yes if one protocol was recognised, No if all protocols are excluded, and
// More otherwise.
func (f *Facts) Verdict() Verdict {
	switch {
	case f.TLS.Verdict == Yes || f.HTTP.Verdict == Yes:
		return Yes
	case f.TLS.Verdict == No && f.HTTP.Verdict == No:
		return No
	}
	return More
}

// Proto returns the protocol that was recognised, or Unknown.
func (f *Facts) Proto() Proto {
	switch {
	case f.TLS.Verdict == Yes:
		return TLS
	case f.HTTP.Verdict == Yes:
		return HTTP
	}
	return Unknown
}
