package relay

import (
	"math"

	"golang.org/x/sys/unix"

	"sluice/engine/sock"
)

// Flow is one direction of a session. The zero value has moved nothing and
// knows nothing of its sockets.
type Flow struct {
	Bytes uint64 // written to the target so far

	held    int32 // bytes read and not written yet
	off     int32 // where they start in their store
	store   int32 // 0: none, n > 0: pipe n-1, n < 0: store -n-1
	flags   Flags
	calm    uint8 // rounds of splice in a row that moved little
	purpose Purpose
}

// Flags say what is known of a flow's two sockets.
type Flags uint16

// The flags. Those of the source come from its events and are taken back by
// the read that proves otherwise.
const (
	// SourceReady: a read may give something.
	SourceReady Flags = 1 << iota
	// SourceClosing: the peer has sent FIN (EPOLLRDHUP), so that a read which
	// empties the socket has reached the end.
	SourceClosing
	// SourceExact: the source must be read to 0 or EAGAIN, because a short
	// read proves nothing on it: urgent data, or a UNIX socket.
	SourceExact
	// SourceDoubtful: the same, until such a read has been made.
	SourceDoubtful
	// SourceEnded: the end was read.
	SourceEnded
	// TargetReady: a write may be taken.
	TargetReady
	// Starved: the kernel had no memory for a read or a write. No event tells when
	// it has; whoever tries again clears this.
	Starved
	splicing
	copyOnly // splice refused these sockets
)

// Outcome says why a flow stopped moving bytes.
type Outcome uint8

// The outcomes.
const (
	// Wait: until an event of the source or of the target.
	Wait Outcome = iota
	// Again: this turn's share is used up, there may be more.
	Again
	// Ended: the source has ended, and all that it sent is written.
	Ended
	// SourceFailed: reading failed, and all that was read is written.
	SourceFailed
	// TargetFailed: writing failed. What is held can't be delivered.
	TargetFailed
	// Reached: as many bytes as PumpUpTo was asked for are written.
	Reached
)

// Set adds to what is known.
func (f *Flow) Set(known Flags) { f.flags |= known }

// Clear takes back what was known.
func (f *Flow) Clear(known Flags) { f.flags &^= known }

// Has reports whether all of these are known.
func (f *Flow) Has(known Flags) bool { return f.flags&known == known }

// HasAny reports whether one of these is known.
func (f *Flow) HasAny(known Flags) bool { return f.flags&known != 0 }

// Pending returns the bytes that were read and not written yet.
func (f *Flow) Pending() int { return int(f.held) }

// Splicing reports whether the flow has left copying.
func (f *Flow) Splicing() bool { return f.Has(splicing) }

func (f *Flow) slot() int32 { return -f.store - 1 }

// Pump moves bytes from src to dst until one of the two has no more to give
// or to take, or share bytes have moved. After Ended the caller shuts dst down
// or closes it at once, see PushLast.
func (s *Stock) Pump(f *Flow, src, dst, share int) (Outcome, sock.Errno) {
	_, out, e := s.PumpUpTo(f, src, dst, share, math.MaxInt64)
	return out, e
}

// PumpUpTo is Pump for at most so many bytes of the source, math.MaxInt64 for
// all there are. It also returns
// how many of them it has taken; those that it holds are among them.
func (s *Stock) PumpUpTo(f *Flow, src, dst, share int, most int64) (int64, Outcome, sock.Errno) {
	start := f.Bytes
	s.left, s.toEnd = most, most == math.MaxInt64
	out, e := s.pump(f, src, dst, share)
	if f.held == 0 && f.store != 0 {
		s.Release(f)
	}
	if f.Has(splicing) && out == Wait && f.held == 0 {
		f.settle(f.Bytes - start)
	}
	return most - s.left, out, e
}

func (s *Stock) pump(f *Flow, src, dst, share int) (Outcome, sock.Errno) {
	limit := f.Bytes + uint64(share)
	if f.Has(splicing) {
		// One pipe a turn: by the next one more has come, and it takes the same
		// calls. Emptying the socket at once moved it in small pieces.
		limit = f.Bytes + 1
	}
	for {
		if f.held > 0 {
			if !f.Has(TargetReady) {
				return Wait, 0
			}
			if e := s.flush(f, dst); e != 0 {
				return TargetFailed, e
			}
			continue
		}
		switch {
		case s.left == 0:
			return Reached, 0
		case f.Has(SourceEnded):
			return Ended, 0
		case !f.Has(SourceReady | TargetReady):
			return Wait, 0
		case f.Bytes >= limit:
			return Again, 0
		}
		if out, e := s.step(f, src, dst); e != 0 {
			return out, e
		}
	}
}

// step reads once and passes on what came.
func (s *Stock) step(f *Flow, src, dst int) (Outcome, sock.Errno) {
	switch {
	case !s.Room(f, 1):
		return s.peek(f, src, dst)
	case f.Has(splicing) && s.borrowPipe(f):
		return SourceFailed, s.fill(f, src)
	}
	return s.copy(f, src, dst)
}

func (s *Stock) copy(f *Flow, src, dst int) (Outcome, sock.Errno) {
	b, e := s.read(f, src, s.room())
	if len(b) == 0 {
		return SourceFailed, e
	}
	s.left -= int64(len(b))
	if len(b) == len(s.Buffer) && !f.Has(copyOnly) {
		f.Set(splicing)
	}
	if f.Has(SourceEnded) && s.toEnd {
		return TargetFailed, s.PushLast(f, dst, b)
	}
	return TargetFailed, s.Push(f, dst, b)
}

// peek is copy without ever holding a byte: it takes from the source only what
// the target has taken.
func (s *Stock) peek(f *Flow, src, dst int) (Outcome, sock.Errno) {
	room := s.room()
	n, e := sock.Peek(src, s.Buffer[:room])
	if e != 0 || n == 0 {
		return SourceFailed, f.emptied(e)
	}
	written, e := sock.Write(dst, s.Buffer[:n])
	if e != 0 {
		return TargetFailed, f.full(e)
	}
	f.Bytes += uint64(written)
	s.left -= int64(written)
	if written < n {
		f.Clear(TargetReady)
	} else {
		f.readSome(n, room)
	}
	return SourceFailed, s.drop(src, written)
}

// drop takes n bytes that a peek has shown. Whatever error keeps it from that is
// told: the bytes would be shown once more.
func (s *Stock) drop(src, n int) sock.Errno {
	for n > 0 {
		taken, e := sock.Read(src, s.Buffer[:n])
		if e != 0 {
			return e
		}
		if taken == 0 {
			return unix.ECONNRESET
		}
		n -= taken
	}
	return 0
}

// Push writes b to dst, behind all that the flow holds, and holds what is not
// taken. A flow that holds bytes takes b without a write: Flush writes in order.
func (s *Stock) Push(f *Flow, dst int, b []byte) sock.Errno {
	return s.push(f, dst, b, sock.Write)
}

// Send writes of b what dst takes, and holds nothing: the rest stays the
// caller's. The flow must hold nothing.
func (s *Stock) Send(f *Flow, dst int, b []byte) (int, sock.Errno) {
	n, e := sock.Write(dst, b)
	if e != 0 {
		return 0, f.full(e)
	}
	f.Bytes += uint64(n)
	if n < len(b) {
		f.Clear(TargetReady)
	}
	return n, 0
}

// PushLast is Push for the last bytes of a stream. When all is written the
// target must be shut down or closed at once: the kernel keeps back what fills
// no segment, to send it together with the FIN.
func (s *Stock) PushLast(f *Flow, dst int, b []byte) sock.Errno {
	return s.push(f, dst, b, sock.WriteLast)
}

func (s *Stock) push(f *Flow, dst int, b []byte, write func(int, []byte) (int, sock.Errno)) sock.Errno {
	if f.held > 0 {
		s.Hold(f, b)
		return 0
	}
	n, e := write(dst, b)
	if e != 0 {
		s.Hold(f, b)
		return f.full(e)
	}
	f.Bytes += uint64(n)
	if n < len(b) {
		f.Clear(TargetReady)
		s.Hold(f, b[n:])
	}
	return 0
}

// flush writes what the flow holds.
func (s *Stock) flush(f *Flow, dst int) sock.Errno {
	n, e := s.drain(f, dst)
	if e != 0 {
		return f.full(e)
	}
	f.Bytes += uint64(n)
	f.held -= int32(n)
	if f.store < 0 {
		f.off += int32(n)
	} else {
		s.budgets[f.purpose].refund(n)
	}
	switch {
	case f.held > 0 && f.store > 0:
		// Not sure that the target is full: a signal ends splice early, and the
		// Go runtime sends them. The next one tells.
	case f.held > 0:
		f.Clear(TargetReady)
	case f.store < 0:
		s.Release(f)
	}
	return 0
}

func (s *Stock) drain(f *Flow, dst int) (int, sock.Errno) {
	if f.store < 0 {
		return sock.Write(dst, s.Held(f))
	}
	p := s.pipes.all[f.store-1]
	n, e := sock.Splice(int(p.r), dst, int(f.held))
	if e == unix.EINVAL || e == unix.ENOSYS || e == unix.EOPNOTSUPP {
		if e := s.unpipe(f); e != 0 {
			return -1, e
		}
		f.stopSplicing()
		return sock.Write(dst, s.Held(f))
	}
	if e == 0 {
		s.spliced += int64(n)
	}
	return n, e
}

// Read reads from src into the loop's buffer, for whoever wants to see the
// bytes before they are passed on: Push or Hold is for them. No bytes and no
// error: there are none now, or the source has ended.
func (s *Stock) Read(f *Flow, src int) ([]byte, sock.Errno) {
	return s.read(f, src, len(s.Buffer))
}

func (s *Stock) read(f *Flow, src, room int) ([]byte, sock.Errno) {
	n, e := sock.Read(src, s.Buffer[:room])
	if e != 0 || n == 0 {
		return nil, f.emptied(e)
	}
	f.readSome(n, room)
	return s.Buffer[:n], 0
}

// room is how many bytes one read of the pump under way may bring in.
func (s *Stock) room() int { return int(min(int64(len(s.Buffer)), s.left)) }

// Flush writes what the flow holds, if the target takes it. A flow that holds
// nothing has nothing borrowed.
func (s *Stock) Flush(f *Flow, dst int) sock.Errno {
	for f.held > 0 && f.Has(TargetReady) {
		if e := s.flush(f, dst); e != 0 {
			return e
		}
	}
	if f.held == 0 && f.store != 0 {
		s.Release(f)
	}
	return 0
}

// emptied notes what a read that gave no byte says of the source. It returns
// the error that is left, if any.
func (f *Flow) emptied(e sock.Errno) sock.Errno {
	switch e {
	case 0:
		f.Clear(SourceReady)
		f.Set(SourceEnded)
	case unix.EAGAIN:
		f.Clear(SourceReady | SourceDoubtful)
		return 0
	case unix.ENOMEM, unix.ENOBUFS:
		f.Clear(SourceReady)
		f.Set(Starved)
		return 0
	}
	return e
}

// readSome notes what a read of n bytes into a buffer of room says: a short
// one has emptied the source, and that is the end if FIN was announced.
func (f *Flow) readSome(n, room int) {
	if n == room || f.flags&(SourceExact|SourceDoubtful) != 0 {
		return
	}
	f.Clear(SourceReady)
	if f.Has(SourceClosing) {
		f.Set(SourceEnded)
	}
}

// full notes a failed write. It returns the error that is left, if any.
func (f *Flow) full(e sock.Errno) sock.Errno {
	switch e {
	case unix.EAGAIN:
		f.Clear(TargetReady)
		return 0
	case unix.ENOMEM, unix.ENOBUFS:
		f.Clear(TargetReady)
		f.Set(Starved)
		return 0
	}
	return e
}
