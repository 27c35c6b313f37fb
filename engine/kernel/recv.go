package kernel

import "golang.org/x/sys/unix"

// urgent is the last urgent byte that a socket has received.
type urgent struct {
	state urgentState
	at    uint64 // its sequence number (urg_seq)
	byte  byte
}

type urgentState uint8

const (
	notUrgent   urgentState = iota
	urgentThere             // it arrived, and MSG_OOB can read it
	urgentRead              // MSG_OOB has read it, but normal reads have not passed its position
)

// read is recv, except that a read of 0 bytes returns 0 in every state (sock_read_iter).
func (s *tcp) read(b []byte) (int, Errno) {
	if len(b) == 0 {
		return 0, 0
	}
	return s.recv(b, 0)
}

// recv has the semantics of the kernel function tcp_recvmsg.
func (s *tcp) recv(b []byte, flags int) (int, Errno) {
	switch {
	case s.state == listening:
		return -1, unix.ENOTCONN
	case flags&unix.MSG_OOB != 0:
		return s.recvUrgent(b, flags&unix.MSG_PEEK != 0)
	case len(b) == 0 && s.in.n > 0:
		return 0, 0
	}
	skip, n := s.extent(len(b))
	s.in.copy(b[:n], skip)
	if flags&unix.MSG_PEEK == 0 {
		s.consume(skip + n)
	}
	if n > 0 {
		return n, 0
	}
	return s.nothing()
}

// extent returns how many bytes a read of up to n bytes skips, and how many bytes it returns. A
// read skips the urgent byte at its start, and ends before a later urgent byte.
func (s *tcp) extent(n int) (skip, got int) {
	got = min(n, s.in.n)
	if s.urgent.state == notUrgent {
		return 0, got
	}
	mark := int(s.urgent.at - s.consumed)
	switch {
	case mark > 0:
		return 0, min(got, mark)
	case s.option.inline || s.in.n == 0:
		return 0, got
	}
	return 1, min(n, s.in.n-1)
}

// consume removes n bytes from the receive queue.
func (s *tcp) consume(n int) {
	if n == 0 {
		return
	}
	s.kernel.Progress++
	s.in.drop(&s.kernel.net.pool, n)
	s.consumed += uint64(n)
	if s.consumed > s.urgent.at {
		s.urgent = urgent{}
	}
	s.drained()
}

// drained lets the peer send more bytes after space in the receive queue was freed.
func (s *tcp) drained() {
	if s.peer != nil {
		s.kernel.touch(s.peer)
	}
}

// nothing returns the result of a read that found no bytes.
func (s *tcp) nothing() (int, Errno) {
	switch {
	case s.done:
		return 0, 0
	case s.err != 0:
		return -1, s.takeError()
	case s.ended&receiving != 0:
		return 0, 0
	case s.state == closed:
		return -1, unix.ENOTCONN
	}
	return -1, unix.EAGAIN
}

// recvUrgent reads the urgent byte (tcp_recv_urg).
func (s *tcp) recvUrgent(b []byte, peek bool) (int, Errno) {
	switch {
	case s.option.inline || s.urgent.state != urgentThere:
		return -1, unix.EINVAL
	case s.state == closed && !s.done:
		return -1, unix.ENOTCONN
	}
	if !peek {
		s.urgent.state = urgentRead
	}
	return copy(b, []byte{s.urgent.byte}), 0
}

// announce stores an urgent byte that arrives (tcp_check_urg, tcp_urg). If the reader is at the
// position of an earlier urgent byte, that byte is skipped.
func (s *tcp) announce(at uint64, b byte) {
	if s.urgent.state != notUrgent && s.urgent.at == s.consumed && !s.option.inline && s.in.n > 0 {
		s.consume(1)
	}
	s.urgent = urgent{urgentThere, at, b}
}

// spliceOut has the semantics of the kernel function tcp_splice_read. It ends before an urgent
// byte.
func (s *tcp) spliceOut(n, slots int) ([][]byte, Errno) {
	if s.state == listening {
		return nil, unix.ENOTCONN
	}
	if s.urgent.state != notUrgent {
		n = min(n, int(s.urgent.at-s.consumed))
	}
	pieces, total := s.in.pieces(s.cut[:0], n, slots, s.kernel.fragment())
	s.cut = pieces
	if total > 0 {
		s.consume(total)
		return pieces, 0
	}
	_, e := s.nothing()
	return nil, e
}
