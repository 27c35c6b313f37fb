package kernel

import (
	"time"

	"golang.org/x/sys/unix"
)

// corkTime is the longest time for which MSG_MORE delays the sending of bytes (see TCP_CORK in
// tcp(7)).
const corkTime = 200 * time.Millisecond

func (s *tcp) write(b []byte) (int, Errno) { return s.send(b, 0, Address{}) }

func (s *tcp) spliceIn(b []byte) (int, Errno) { return s.send(b, 0, Address{}) }

// send has the semantics of the kernel function tcp_sendmsg.
func (s *tcp) send(b []byte, flags int, to Address) (int, Errno) {
	if flags&unix.MSG_FASTOPEN != 0 {
		return s.connectWith(b, to)
	}
	if e := s.mayWrite(); e != 0 {
		return -1, e
	}
	n := min(len(b), s.space())
	s.append(b[:n], flags, n < len(b))
	if n == 0 && len(b) > 0 {
		return -1, unix.EAGAIN
	}
	return n, 0
}

// mayWrite returns the error of a write in the present state.
func (s *tcp) mayWrite() Errno {
	waits := s.state == synSent || s.state == synReceived && !s.shake.fast
	switch {
	case s.err != 0:
		return s.takeError()
	case waits:
		return unix.EAGAIN
	case s.state != established && s.state != closeWait && s.state != synReceived, s.ended&sending != 0:
		return unix.EPIPE
	}
	return 0
}

// append adds bytes to the send buffer. short means that the caller had more bytes than the send
// buffer has space for.
func (s *tcp) append(b []byte, flags int, short bool) {
	o := &s.out
	if short {
		o.full = true
		s.uncork()
	}
	if len(b) > 0 {
		s.kernel.Progress++
		s.cork(flags&unix.MSG_MORE != 0 && !short)
		o.push(&s.kernel.net.pool, b)
		o.written += uint64(len(b))
		if flags&unix.MSG_OOB != 0 {
			o.urgent = o.written
		}
	}
	s.kernel.touch(s)
}

// cork delays the bytes that are written next, until uncork is called or corkTime has passed. If
// more is false, it calls uncork instead: all bytes may be sent.
func (s *tcp) cork(more bool) {
	switch o := &s.out; {
	case !more:
		s.uncork()
	case o.hold == nil:
		o.corkAt = o.written
		o.hold = s.kernel.timers.add(s.kernel.now+corkTime, s.uncork)
	}
}

// uncork ends the delay of MSG_MORE: all written bytes may be sent.
func (s *tcp) uncork() {
	if s.out.hold != nil {
		s.kernel.timers.stop(s.out.hold)
		s.out.hold = nil
		s.kernel.touch(s)
	}
}

// ready returns how many of the written bytes may be sent, counted from the start of the
// connection.
func (o *outflow) ready() uint64 {
	if o.hold != nil {
		return o.corkAt
	}
	return o.end()
}
