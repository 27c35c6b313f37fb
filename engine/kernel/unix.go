package kernel

import "golang.org/x/sys/unix"

// unixSocket is a UNIX stream socket.
type unixSocket struct {
	references
	kernel *Kernel

	name       string // the bound path or abstract name; "": none
	remote     string // the name of the peer; "": the peer has no name
	state      state  // closed, listening or established
	ended      uint8
	err        Errno
	dead       bool
	peer       *unixSocket // nil before connect; stays after the peer was closed
	in         inbox
	charged    int // used bytes of the send buffer: whole chunks in the peer's receive queue
	size       int // size of the send buffer in bytes
	acceptable []*unixSocket
	backlog    int

	cut [][]byte // result of the last spliceOut; its memory is reused
}

// mostInChunk is the most bytes of one buffer (UNIX_SKB_FRAGS_SZ).
const mostInChunk = 32 << 10

func (k *Kernel) newUnix() *unixSocket {
	s := &unixSocket{kernel: k, size: 64 << 10}
	if k.Buffers != nil {
		s.size, _ = k.Buffers()
	}
	return s
}

// poll has the semantics of the kernel function unix_poll.
func (s *unixSocket) poll() (events uint32) {
	if s.err != 0 {
		events |= unix.EPOLLERR
	}
	if s.ended == both || s.state == closed {
		events |= unix.EPOLLHUP
	}
	if s.ended&receiving != 0 {
		events |= hungUp
	}
	if s.in.n > 0 || len(s.acceptable) > 0 {
		events |= unix.EPOLLIN | unix.EPOLLRDNORM
	}
	if s.writable() {
		events |= spaceReady
	}
	return events
}

// writable reports whether at most a quarter of the send buffer is in use (unix_writable).
func (s *unixSocket) writable() bool { return s.state != listening && 4*s.charged <= s.size }

// bind has the semantics of the kernel function unix_bind. A path exists until Unlink, an abstract name
// until its socket is closed.
func (s *unixSocket) bind(at Address) Errno {
	paths := s.kernel.net.paths
	_, exists := paths[at.Path]
	switch {
	case !at.IsUnix() || s.name != "":
		return unix.EINVAL
	case exists:
		return unix.EADDRINUSE
	case paths == nil:
		s.kernel.net.paths = map[string]*unixSocket{}
	}
	s.name = at.Path
	s.kernel.net.paths[s.name] = s
	return 0
}

// Unlink removes the path of a UNIX socket. It reports whether there was one.
func (k *Kernel) Unlink(path string) bool {
	_, exists := k.net.paths[path]
	delete(k.net.paths, path)
	return exists
}

func (s *unixSocket) listen(backlog int) Errno {
	if s.name == "" || s.state == established {
		return unix.EINVAL
	}
	if backlog < 0 || backlog > somaxconn {
		backlog = somaxconn
	}
	s.state, s.backlog = listening, backlog
	return 0
}

// accept has the semantics of the kernel function unix_accept. The client has no address.
func (s *unixSocket) accept() (socket, Address, Errno) {
	switch {
	case s.state != listening:
		return nil, Address{}, unix.EINVAL
	case len(s.acceptable) == 0:
		return nil, Address{}, unix.EAGAIN
	}
	c := s.acceptable[0]
	s.acceptable = append(s.acceptable[:0:0], s.acceptable[1:]...)
	s.kernel.Progress++
	return c, Address{Path: c.remote}, 0
}

// connect has the semantics of the kernel function unix_stream_connect.
func (s *unixSocket) connect(to Address) Errno {
	if !to.IsUnix() {
		return unix.EINVAL
	}
	l, exists := s.kernel.net.paths[to.Path]
	switch {
	case !exists && to.Path[0] != '@':
		return unix.ENOENT
	case l == nil || l.state != listening || l.ended&receiving != 0:
		return unix.ECONNREFUSED
	case len(l.acceptable) > l.backlog:
		return unix.EAGAIN
	case s.state == established:
		return unix.EISCONN
	case s.state == listening:
		return unix.EINVAL
	}
	c := s.kernel.newUnix()
	c.state, c.peer, c.name, c.remote = established, s, l.name, s.name
	s.state, s.peer, s.remote = established, c, l.name
	l.acceptable = append(l.acceptable, c)
	s.kernel.Progress++
	l.wake(dataReady)
	return 0
}

// release closes the socket after its last descriptor was closed (unix_release_sock).
func (s *unixSocket) release() { s.close(false) }

// close closes the socket. unaccepted means that no call has accepted its connection.
func (s *unixSocket) close(unaccepted bool) {
	unread := s.in.n > 0
	s.dead, s.ended, s.state = true, both, closed
	s.forgetName()
	if to := s.peer; to != nil && !to.dead {
		to.ended = both
		if unread || unaccepted {
			to.err = unix.ECONNRESET
		}
		to.wake(anyEvent)
		to.uncharge(s.in.free(&s.kernel.net.pool))
	}
	for _, c := range s.acceptable {
		if c.peer != nil && !c.peer.dead {
			s.kernel.Expelled++
		}
		c.close(true)
	}
	s.acceptable = nil
	s.kernel.Progress++
}

// forgetName frees the name of a closed socket. A path stays in use until Unlink.
func (s *unixSocket) forgetName() {
	paths := s.kernel.net.paths
	if s.name == "" || paths[s.name] != s {
		return
	}
	paths[s.name] = nil
	if s.name[0] == '@' {
		delete(paths, s.name)
	}
}

// shutdown has the semantics of the kernel function unix_shutdown.
func (s *unixSocket) shutdown(how int) Errno {
	if how < unix.SHUT_RD || how > unix.SHUT_RDWR {
		return unix.EINVAL
	}
	ends := uint8(how + 1)
	s.ended |= ends
	s.kernel.Progress++
	s.wake(anyEvent)
	to := s.peer
	if to == nil {
		return 0
	}
	if ends&receiving != 0 {
		to.ended |= sending
	}
	if ends&sending != 0 {
		to.ended |= receiving
	}
	to.wake(anyEvent)
	return 0
}

func (s *unixSocket) localName() Address { return Address{Path: s.name} }

func (s *unixSocket) peerName() (Address, Errno) {
	if s.peer == nil {
		return Address{}, unix.ENOTCONN
	}
	return Address{Path: s.remote}, 0
}

func (s *unixSocket) setOption(level, name, value int) Errno {
	switch {
	case level != unix.SOL_SOCKET:
		return unix.EOPNOTSUPP
	case name == unix.SO_SNDBUF:
		s.size = max(1, value)
	}
	return 0
}

// mayFail reports whether a fault may give the error e to call c. connect fails only by a signal or
// for lack of memory. accept of a UNIX socket does not fail with ECONNABORTED.
func (s *unixSocket) mayFail(c Call, e Errno) bool {
	switch c {
	case CallConnect:
		return s.state == closed && (e == unix.EINTR || e == unix.ENOMEM)
	case CallAccept:
		return e != unix.ECONNABORTED
	}
	return true
}

func (s *unixSocket) info() (Info, Errno) { return Info{}, unix.EOPNOTSUPP }

// unsent has the semantics of the ioctl SIOCOUTQ.
func (s *unixSocket) unsent() (int, Errno) {
	return s.charged, 0
}
