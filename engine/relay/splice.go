package relay

import (
	"golang.org/x/sys/unix"

	"sluice/engine/sock"
)

const (
	// calmBytes and calmRounds: after that many rounds in a row that spliced
	// less than this, copying is the cheaper way again.
	calmBytes  = 16 << 10
	calmRounds = 8

	// mostSpliced leaves room in the largest pipe, so that what waits for one
	// reader stays under 1 MiB with whatever else is held for it.
	mostSpliced = PipeSize - 8<<10
)

// fill splices from the source into the flow's empty pipe.
func (s *Stock) fill(f *Flow, src int) sock.Errno {
	p := &s.pipes.all[f.store-1]
	n, e := sock.Splice(src, int(p.w), int(min(int64(p.size), mostSpliced, s.left)))
	switch {
	case e == unix.EINVAL || e == unix.ENOSYS || e == unix.EOPNOTSUPP:
		s.Release(f)
		f.stopSplicing()
		return 0
	case e != 0 || n == 0:
		return f.emptied(e)
	}
	s.budgets[f.purpose].charge(n)
	s.left -= int64(n)
	f.held = int32(n)
	return 0
}

// unpipe moves what waits in the flow's pipe to a store: the target can't be
// spliced to, or other bytes are to be held behind it. With an error some are
// lost.
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

// returnPipe gives the flow's pipe back; dirty says that bytes are in it, for
// which the budget was charged.
func (s *Stock) returnPipe(f *Flow, dirty bool) {
	i := f.store - 1
	if dirty {
		s.budgets[f.purpose].refund(int(f.held))
	}
	s.pipes.put(i, dirty)
}

func (f *Flow) stopSplicing() {
	f.Clear(splicing)
	f.Set(copyOnly)
}

// settle goes back to copying after a run of rounds that moved little.
func (f *Flow) settle(moved uint64) {
	if moved >= calmBytes {
		f.calm = 0
		return
	}
	if f.calm++; f.calm >= calmRounds {
		f.calm = 0
		f.Clear(splicing)
	}
}
