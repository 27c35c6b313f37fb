package relay

import (
	"golang.org/x/sys/unix"

	"sluice/engine/sock"
)

// Push writes b to dst after the bytes that the flow holds, and holds the bytes that dst does
// not accept. If the flow already holds bytes, Push only adds b to them. Flush then writes all
// of them in order.
func (s *Stock) Push(f *Flow, dst int, b []byte) sock.Errno {
	return s.push(f, dst, b, sock.Write)
}

// Send writes as much of b as dst accepts, and returns the number of bytes written. The flow
// does not hold the rest. If the flow holds bytes, Send writes nothing, because b comes after them.
func (s *Stock) Send(f *Flow, dst int, b []byte) (int, sock.Errno) {
	if f.held > 0 {
		return 0, 0
	}
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

// PushLast is Push for the last bytes of a stream. When all bytes are written, the caller must
// shut down or close dst at once. The kernel keeps back bytes that do not fill a segment, to
// send them together with the FIN.
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

// flush makes one write of bytes that the flow holds.
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
	// A short splice does not show that the target is full: a pending signal ends splice early,
	// and the Go runtime sends signals. So TargetReady stays set until a splice returns EAGAIN.
	case f.held > 0:
		f.Clear(TargetReady)
	case f.store < 0:
		s.Release(f)
	}
	return 0
}

// drain writes held bytes to dst and returns how many were written. If dst does not support
// splice, drain moves the bytes from the pipe to a store and stops splicing.
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

// Flush writes the bytes that the flow holds, as long as the target accepts them. A flow that
// then holds no bytes has returned its store or pipe.
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

// full sets the flags after a failed write. It returns e if the error is final, 0 otherwise.
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
