package relay

import "sluice/engine/sock"

// View shows bytes that a source has sent and that were not taken yet. They are valid until the
// next call of a method of the Stock.
type View struct {
	Bytes  []byte // first the held bytes, then the others
	kept   int    // how many bytes at the front the flow keep holds, see Look
	peeked int    // how many bytes at the end are still in the socket
}

// InSocket reports whether some of the bytes are still in the socket. This happens only when
// the budget is used up, so the caller must not hold copies of these bytes.
func (v *View) InSocket() bool { return v.peeked > 0 }

// Full reports whether the view shows the largest number of bytes in the socket that a Look can
// show.
func (s *Stock) Full(v *View) bool { return v.peeked == len(s.Buffer) }

// Loose returns all bytes if none of them is held or still in the socket, and nil otherwise.
// The caller must take these bytes, else they are lost.
func (v *View) Loose() []byte {
	if v.kept+v.peeked > 0 {
		return nil
	}
	return v.Bytes
}

// Look shows the bytes that the source of f has sent and that were not taken yet. First come
// the bytes that the flow keep holds, then those in the socket.
//
// more is true if the caller has seen the held bytes and needs the bytes after them. The view
// then shows both. An empty view without an error means that there are no such bytes now, or
// that the source has ended.
//
// The caller must call Take or Leave before the source is read again.
func (s *Stock) Look(f, keep *Flow, src int, more bool) (View, sock.Errno) {
	held := s.Held(keep)
	switch {
	case len(held) > 0 && !more:
		return View{Bytes: held, kept: len(held)}, 0
	case !f.Has(SourceReady) || f.Has(SourceEnded):
		return View{}, 0
	case !s.Room(keep, len(held)+len(s.Buffer)):
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

// lookInto shows the held bytes and after them the bytes in the socket, which stay there.
func (s *Stock) lookInto(f *Flow, held []byte, src int) (View, sock.Errno) {
	b := s.Buffer
	if len(held) > 0 {
		b = s.joint(held)
	}
	n, e := glance(src, b[len(held):])
	if e != 0 || n == 0 {
		return View{}, f.emptied(e)
	}
	return View{Bytes: b[:len(held)+n], kept: len(held), peeked: n}, 0
}

// joint returns a buffer that begins with held and has the bytes of one read after it.
func (s *Stock) joint(held []byte) []byte {
	need := len(held) + len(s.Buffer)
	if len(s.joined) < need {
		s.joined = make([]byte, need)
	}
	copy(s.joined, held)
	return s.joined[:need]
}

// Take takes the first n bytes of a view. The caller has used them, so they are no longer held
// and no longer in the socket. The bytes after them stay in the flow keep or in the socket.
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

// discard reads n of the seen bytes that a peek has shown, and drops them.
func (s *Stock) discard(f *Flow, src, n, seen int) sock.Errno {
	e := s.drop(src, n)
	if e == 0 && n == seen {
		f.readSome(n, len(s.Buffer))
	}
	return e
}

// Leave takes no bytes of a view, because the caller needs more bytes first. The next event of
// the source announces more bytes. A source that can send no more is marked as ended.
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
