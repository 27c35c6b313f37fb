package sniff

// MaxBytes caps what is looked at: the body of a TLS ClientHello, not counting
// the record headers it is cut up by, and an HTTP head with its empty line.
const MaxBytes = 64 << 10

// MaxWire is the most bytes for which Sniff can still ask for more: a hello of
// MaxBytes in records of one byte each. Ordinary hellos end far below it.
const MaxWire = maxHello * (recordHeader + 1)

// Verdict is the answer to "is this what it looks like?".
type Verdict uint8

// The verdicts. The zero value is More.
const (
	More Verdict = iota // undecided on these bytes
	No                  // and no byte that follows changes it
	Yes                 // and no byte that follows changes it
)

func (v Verdict) String() string { return [...]string{"more", "no", "yes"}[v] }

// Proto is what was recognised.
type Proto uint8

// The protocols.
const (
	Unknown Proto = iota
	HTTP
	TLS
)

func (p Proto) String() string { return [...]string{"", "http", "tls"}[p] }

// State is where the sniffing of one connection stopped. The zero value is a
// connection of which nothing was seen. It holds no pointer and is owned by the
// session; one State must always be given the same, growing bytes.
type State struct {
	walk walk
	head syntax
}

// Scanner holds the scratch in which a hello is put together. It is owned by one
// loop and serves all its sessions in turn. The zero value is ready to use.
type Scanner struct {
	hello [maxHello]byte
}

// NewScanner returns a Scanner. It takes 64 KiB, of which only what hellos
// really need is ever touched.
func NewScanner() *Scanner { return new(Scanner) }

// Facts is what Sniff found. The slices in it point into the bytes given and
// into the scanner's scratch: they are valid until the scanner's next call and
// must not be written to.
type Facts struct {
	Len  int // bytes up to the end of the head or hello, once the verdict is Yes
	TLS  Hello
	HTTP Head
}

// Sniff looks at b, all bytes of the connection so far from the first, and fills
// f. It sets both f.TLS.Verdict and f.HTTP.Verdict.
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
			x.verdict, f.HTTP = No, Head{}
		}
	}
	f.HTTP.Verdict, f.HTTP.H2 = x.verdict, x.h2
}

// Verdict is Yes when one protocol was recognised and No when all were ruled
// out.
func (f *Facts) Verdict() Verdict {
	switch {
	case f.TLS.Verdict == Yes || f.HTTP.Verdict == Yes:
		return Yes
	case f.TLS.Verdict == No && f.HTTP.Verdict == No:
		return No
	}
	return More
}

// Proto is the protocol recognised, or Unknown.
func (f *Facts) Proto() Proto {
	switch {
	case f.TLS.Verdict == Yes:
		return TLS
	case f.HTTP.Verdict == Yes:
		return HTTP
	}
	return Unknown
}
