package kernel

import "golang.org/x/sys/unix"

// read is recv, except that a read of 0 bytes returns 0 in every state (sock_read_iter).
func (s *unixSocket) read(b []byte) (int, Errno) {
	if len(b) == 0 {
		return 0, 0
	}
	return s.recv(b, 0)
}

func (s *unixSocket) write(b []byte) (int, Errno) { return s.send(b, 0, Address{}) }

func (s *unixSocket) spliceIn(b []byte) (int, Errno) { return s.send(b, 0, Address{}) }

// recv has the semantics of the kernel function unix_stream_read_generic.
func (s *unixSocket) recv(b []byte, flags int) (int, Errno) {
	switch {
	case flags&unix.MSG_OOB != 0:
		return -1, unix.EOPNOTSUPP
	case s.state != established:
		return -1, unix.EINVAL
	case s.in.n == 0:
		return s.nothing()
	}
	n := s.in.copy(b, 0)
	if flags&unix.MSG_PEEK == 0 {
		s.consume(n)
	}
	return n, 0
}

// nothing returns the result of a read that found no bytes.
func (s *unixSocket) nothing() (int, Errno) {
	e := s.err
	s.err = 0
	switch {
	case e != 0:
		return -1, e
	case s.ended&receiving != 0:
		return 0, 0
	}
	return -1, unix.EAGAIN
}

// consume removes n bytes from the receive queue.
func (s *unixSocket) consume(n int) {
	s.kernel.Progress++
	if gone := s.in.drop(&s.kernel.net.pool, n); gone > 0 && s.peer != nil {
		s.peer.uncharge(gone)
	}
}

// uncharge frees n bytes of the send buffer, after the peer has read a chunk to its end
// (unix_write_space).
func (s *unixSocket) uncharge(n int) {
	if n == 0 {
		return
	}
	s.charged -= n
	if s.writable() {
		s.wake(spaceReady)
	}
}

// send has the semantics of the kernel function unix_stream_sendmsg. The bytes go into the queue of
// the peer at once, in chunks of at most half a buffer.
func (s *unixSocket) send(b []byte, flags int, to Address) (int, Errno) {
	switch {
	case flags&(unix.MSG_OOB|unix.MSG_FASTOPEN) != 0 || to != Address{} && s.state != established:
		return -1, unix.EOPNOTSUPP
	case to != Address{}:
		return -1, unix.EISCONN
	case s.peer == nil:
		return -1, unix.ENOTCONN
	case s.ended&sending != 0 || s.peer.dead || s.peer.ended&receiving != 0:
		return -1, unix.EPIPE
	}
	sent := 0
	for sent < len(b) && s.charged < s.size {
		n := min(len(b)-sent, s.size-s.charged, max(1, s.size/2), mostInChunk)
		copy(s.peer.in.add(&s.kernel.net.pool, n, false), b[sent:])
		s.charged += n
		sent += n
	}
	if sent == 0 && len(b) > 0 {
		return -1, unix.EAGAIN
	}
	if sent > 0 {
		s.kernel.Progress++
		s.peer.wake(dataReady)
	}
	return sent, 0
}

// spliceOut has the semantics of the kernel function unix_stream_splice_read.
func (s *unixSocket) spliceOut(n, slots int) ([][]byte, Errno) {
	if s.state != established {
		return nil, unix.EINVAL
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
