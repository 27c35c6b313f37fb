package relay

import (
	"golang.org/x/sys/unix"

	"sluice/engine/sock"
)

// After quietLimit successive quiet rounds of splice, copying is cheaper than splicing.
const quietLimit = 8

// fill splices from the source into the flow's empty pipe.
func (s *Stock) fill(f *Flow, src int) sock.Errno {
	p := &s.pipes.all[f.store-1]
	n, e := sock.Splice(src, int(p.w), int(min(int64(p.size), int64(s.sizes.mostSpliced()), s.left)))
	switch {
	case e == unix.EINVAL || e == unix.ENOSYS || e == unix.EOPNOTSUPP:
		s.Release(f)
		f.stopSplicing()
		return 0
	case e == 0 && n == 0 && !f.Has(SourceClosing):
		// If FIN has come, a splice returns 0 in front of an urgent byte, too. As no event has told of
		// FIN, none has told of such a byte. A read shows whether this is the end.
		s.Release(f)
		f.Clear(splicing)
		return 0
	case e != 0 || n == 0:
		return f.emptied(e)
	}
	s.budgets[f.purpose].charge(n)
	s.left -= int64(n)
	f.held = int32(n)
	return 0
}

// unpipe moves the bytes in the flow's pipe to a store. This is needed if the target does not
// support splice, or if other bytes must be held after them. If unpipe returns an error, bytes
// are lost.
func (s *Stock) unpipe(f *Flow) sock.Errno {
	waiting := Flow{purpose: f.purpose}
	p := s.pipes.all[f.store-1]
	for left := int(f.held); left > 0; {
		n, e := sock.Read(int(p.r), s.Buffer)
		if e != 0 || n == 0 {
			s.Release(&waiting)
			return e
		}
		s.Hold(&waiting, s.Buffer[:n])
		left -= n
	}
	s.Release(f)
	f.held, f.off, f.store = waiting.held, waiting.off, waiting.store
	return 0
}

// borrowPipe makes sure that the flow has a pipe. It returns false if there is none.
func (s *Stock) borrowPipe(f *Flow) bool {
	if f.store > 0 {
		return true
	}
	i := s.pipes.get()
	if i < 0 {
		return false
	}
	f.store = i + 1
	return true
}

// returnPipe returns the flow's pipe to the stock. dirty means that the pipe contains bytes,
// which are charged to the budget.
func (s *Stock) returnPipe(f *Flow, dirty bool) {
	i := f.store - 1
	if dirty {
		s.budgets[f.purpose].refund(int(f.held))
	}
	s.pipes.put(i, dirty)
}

// stopSplicing makes the flow copy until it ends.
func (f *Flow) stopSplicing() {
	f.Clear(splicing)
	f.Set(copyOnly)
}

// noteRound makes the flow copy again after quietLimit successive quiet rounds. moved is the number
// of bytes that this round wrote; less than quiet is a quiet round.
func (f *Flow) noteRound(moved uint64, quiet int) {
	if moved >= uint64(quiet) {
		f.quietRounds = 0
		return
	}
	if f.quietRounds++; f.quietRounds >= quietLimit {
		f.quietRounds = 0
		f.Clear(splicing)
	}
}
