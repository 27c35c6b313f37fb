package relay

import "sluice/engine/sock"

// View shows bytes that a source has sent and nobody has taken yet. They are
// valid until the next call of the stock.
type View struct {
	Bytes  []byte
	kept   int // the first so many are held by the keeping flow
	peeked int // the last so many are still in the socket
}

// InSocket reports whether some of the bytes are still in the socket. The budget
// is used up then, and whoever looks must not hold copies of them.
func (v *View) InSocket() bool { return v.peeked > 0 }

// Full reports whether a look can show no more of the socket than this.
func (v *View) Full() bool { return v.peeked == BufferSize }

// Loose returns the bytes that are neither held nor in the socket: they are lost
// unless whoever looks takes them.
func (v *View) Loose() []byte {
	if v.kept+v.peeked > 0 {
		return nil
	}
	return v.Bytes
}

// Look shows what the source of f has sent and nobody has taken: first the bytes
// that keep holds. With more set the caller has seen those and asks for bytes
// behind them; the view then shows both, and at least what it showed before. An
// empty view without an error: there are no such bytes now, or the source has
// ended.
//
// Take or Leave must follow before the source is read again.
func (s *Stock) Look(f, keep *Flow, src int, more bool) (View, sock.Errno) {
	held := s.Held(keep)
	switch {
	case len(held) > 0 && !more:
		return View{Bytes: held, kept: len(held)}, 0
	case !f.Has(SourceReady) || f.Has(SourceEnded):
		return View{}, 0
	case !s.Room(keep, len(held)+BufferSize):
		return s.lookInto(f, held, src)
	}
	fresh, e := s.read(f, src, len(s.Buffer))
	if len(fresh) == 0 || len(held) == 0 {
		return View{Bytes: fresh}, e
	}
	s.Hold(keep, fresh)
	held = s.Held(keep)
	return View{Bytes: held, kept: len(held)}, 0
}

// lookInto shows held bytes and behind them those in the socket, which stay
// there.
func (s *Stock) lookInto(f *Flow, held []byte, src int) (View, sock.Errno) {
	b := s.Buffer
	if len(held) > 0 {
		b = s.joint(held)
	}
	n, e := sock.Peek(src, b[len(held):])
	if e != 0 || n == 0 {
		return View{}, f.emptied(e)
	}
	return View{Bytes: b[:len(held)+n], kept: len(held), peeked: n}, 0
}

// joint returns a buffer that begins with held and has room for a read behind.
func (s *Stock) joint(held []byte) []byte {
	if need := len(held) + BufferSize; len(s.joined) < need {
		s.joined = make([]byte, need)
	}
	return s.joined[:copy(s.joined, held)+BufferSize]
}

// Take takes the first n bytes of a view: they are the caller's. The bytes
// behind them stay untaken, in keep or in the socket.
func (s *Stock) Take(f, keep *Flow, src int, v View, n int) sock.Errno {
	own := min(n, v.kept)
	if own > 0 {
		s.Consume(keep, own)
	}
	switch {
	case v.peeked > 0:
		return s.discard(f, src, n-own, v.peeked)
	case v.kept == 0:
		s.Hold(keep, v.Bytes[n:])
	}
	return 0
}

// discard reads n bytes, of seen that a peek has shown, and drops them.
func (s *Stock) discard(f *Flow, src, n, seen int) sock.Errno {
	e := s.drop(src, n)
	if e == 0 && n == seen {
		f.readSome(n, BufferSize)
	}
	return e
}

// Leave takes nothing of a view, because bytes are missing behind it: the next
// event of the source tells of them. A source that sends no more has ended.
func (s *Stock) Leave(f, keep *Flow, src int, v View) {
	if v.peeked == 0 {
		_ = s.Take(f, keep, src, v, 0)
		return
	}
	f.Clear(SourceReady)
	if f.flags&(SourceClosing|SourceDoubtful) != 0 {
		f.Set(SourceEnded)
	}
}
