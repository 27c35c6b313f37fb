package relay

import (
	"math"

	"golang.org/x/sys/unix"

	"sluice/engine/sock"
)

// Flow is one direction of a session. The zero value has moved no bytes and has no flags set.
type Flow struct {
	Bytes uint64 // bytes written to the target since the flow began

	held        int32   // bytes read and not written yet
	off         int32   // offset in the store of the first held byte; 0 with a pipe
	store       int32   // where the held bytes are: 0 nowhere, n > 0 in pipe n-1, n < 0 in store -n-1
	flags       Flags   // states of the two sockets and of the flow
	quietRounds uint8   // successive quiet rounds of splice, see noteRound
	purpose     Purpose // the budget that the held bytes count against
}

// Flags describe the known states of a flow's two sockets.
type Flags uint16

// The flags. Events set the flags of the source and of the target. A read or a write that shows
// the opposite clears them.
const (
	// SourceReady: a read may return bytes.
	SourceReady Flags = 1 << iota
	// SourceClosing: the peer has sent FIN (EPOLLRDHUP), so that a read which
	// empties the socket has reached the end.
	SourceClosing
	// SourceExact: only a read that returns 0 or EAGAIN shows that the source is empty. A short
	// read does not show it behind urgent data, or on a UNIX socket.
	SourceExact
	// SourceDoubtful: the same as SourceExact, but only until the next read that returns 0 or
	// EAGAIN.
	SourceDoubtful
	// SourceUrgent: the source has had urgent data, see Urgent.
	SourceUrgent
	// SourceEnded: a read has reached the end of the source.
	SourceEnded
	// TargetReady: the target may accept a write.
	TargetReady
	// Starved: the kernel had no memory for a read or a write. No event follows when the kernel
	// has memory again, so the caller must clear this flag and try again after some time.
	Starved
	splicing // the flow moves bytes with splice
	copyOnly // splice failed on these sockets: copy until the end
)

// Outcome is the reason why a flow stopped moving bytes.
type Outcome uint8

// The outcomes.
const (
	// Wait: nothing can be done before the next event of the source or the target.
	Wait Outcome = iota
	// Again: the share of this turn is used up, and there may be more bytes.
	Again
	// Ended: the source has ended, and all bytes that it sent are written.
	Ended
	// SourceFailed: reading failed, and all bytes that were read before are written.
	SourceFailed
	// TargetFailed: writing failed, and the held bytes cannot be delivered.
	TargetFailed
	// Reached: the flow has taken and written the number of bytes that PumpUpTo was asked to
	// move.
	Reached
)

// Set sets these flags.
func (f *Flow) Set(known Flags) { f.flags |= known }

// Clear clears these flags.
func (f *Flow) Clear(known Flags) { f.flags &^= known }

// Has reports whether all of these flags are set.
func (f *Flow) Has(known Flags) bool { return f.flags&known == known }

// HasAny reports whether at least one of these flags is set.
func (f *Flow) HasAny(known Flags) bool { return f.flags&known != 0 }

// Pending returns the number of bytes that were read and not written yet.
func (f *Flow) Pending() int { return int(f.held) }

// Splicing reports whether the flow moves bytes with splice and no longer by copying.
func (f *Flow) Splicing() bool { return f.Has(splicing) }

// Urgent notes that the source has urgent data. A read stops in front of the urgent byte, and the
// next read skips it. A splice never passes it, so the flow copies from now on.
func (f *Flow) Urgent() {
	f.Set(SourceExact | SourceUrgent)
	f.stopSplicing()
}

// slot returns the number of the flow's store. The flow must have one.
func (f *Flow) slot() int32 { return -f.store - 1 }

// Pump moves bytes from src to dst. It stops when src has no more bytes, when dst accepts no
// more, or when about share bytes are written. After the outcome Ended the caller must shut
// down or close dst at once, because of PushLast.
func (s *Stock) Pump(f *Flow, src, dst, share int) (Outcome, sock.Errno) {
	_, out, e := s.PumpUpTo(f, src, dst, share, math.MaxInt64)
	return out, e
}

// PumpUpTo is Pump for at most a number of bytes of the source, most; math.MaxInt64 means all
// bytes until the source ends. It also returns the number of bytes that it has taken from the
// source. The bytes that the flow still holds are included in that number.
func (s *Stock) PumpUpTo(f *Flow, src, dst, share int, most int64) (int64, Outcome, sock.Errno) {
	start := f.Bytes
	s.left, s.toEnd = most, most == math.MaxInt64
	out, e := s.pump(f, src, dst, share)
	if f.held == 0 && f.store != 0 {
		s.Release(f)
	}
	if f.Has(splicing) && out == Wait && f.held == 0 {
		f.noteRound(f.Bytes-start, s.sizes.Quiet)
	}
	return most - s.left, out, e
}

func (s *Stock) pump(f *Flow, src, dst, share int) (Outcome, sock.Errno) {
	limit := f.Bytes + uint64(share)
	if f.Has(splicing) {
		// A turn moves the contents of one pipe. By the next turn more bytes have arrived, and
		// moving them takes the same number of calls. Splicing until the socket is empty moves
		// smaller pieces.
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

// step reads from the source once and passes the bytes on. The outcome counts only with an
// error.
func (s *Stock) step(f *Flow, src, dst int) (Outcome, sock.Errno) {
	switch {
	case !s.Room(f, 1):
		return s.peek(f, src, dst)
	case f.Has(splicing) && s.borrowPipe(f):
		return SourceFailed, s.fill(f, src)
	}
	return s.copy(f, src, dst)
}

// copy reads from the source into the loop's buffer and writes to the target.
func (s *Stock) copy(f *Flow, src, dst int) (Outcome, sock.Errno) {
	b, e := s.read(f, src, s.maxRead())
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

// peek is like copy, but never holds bytes: it takes from the source only the bytes that the
// target has accepted.
func (s *Stock) peek(f *Flow, src, dst int) (Outcome, sock.Errno) {
	size := s.maxRead()
	n, e := glance(src, s.Buffer[:size])
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
		f.readSome(n, size)
	}
	return SourceFailed, s.drop(src, written)
}

// glance peeks at the bytes in the source. At its end, glance takes an urgent byte that may be left
// there: to close a socket with an unread byte would reset the connection.
func glance(src int, b []byte) (int, sock.Errno) {
	n, e := sock.Peek(src, b)
	if n == 0 && e == 0 {
		return sock.Read(src, b[:1])
	}
	return n, e
}

// drop reads n bytes that a peek has shown, and discards them. If they cannot be read, drop
// returns an error, because the next peek would show the same bytes again.
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

// Read reads from src into the loop's buffer, for a caller that examines the bytes before it
// passes them on with Push or Hold. No bytes and no error mean that src has no bytes now or has
// ended.
func (s *Stock) Read(f *Flow, src int) ([]byte, sock.Errno) {
	return s.read(f, src, len(s.Buffer))
}

func (s *Stock) read(f *Flow, src, size int) ([]byte, sock.Errno) {
	n, e := sock.Read(src, s.Buffer[:size])
	if e != 0 || n == 0 {
		return nil, f.emptied(e)
	}
	f.readSome(n, size)
	return s.Buffer[:n], 0
}

// maxRead returns the maximum number of bytes for the next read of the current pump.
func (s *Stock) maxRead() int { return int(min(int64(len(s.Buffer)), s.left)) }

// emptied sets the flags after a read that returned no bytes. It returns e if the error is
// final, 0 otherwise.
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

// readSome sets the flags after a read of n bytes into a buffer of size bytes. A short read has
// emptied the source. It has also reached the end if the peer has sent FIN.
func (f *Flow) readSome(n, size int) {
	if n == size || f.flags&(SourceExact|SourceDoubtful) != 0 {
		return
	}
	f.Clear(SourceReady)
	if f.Has(SourceClosing) {
		f.Set(SourceEnded)
	}
}
