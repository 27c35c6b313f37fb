package kernel

// The comparison with the real kernel uses these methods to tell the model what the real kernel has
// chosen, where Linux may choose.

// Prefer makes a listening socket get the connections of its SO_REUSEPORT group. If fd is negative, one
// with a full accept queue gets them.
func (p *Process) Prefer(fd int) {
	p.kernel.net.ports.prefer = func(s *tcp) bool {
		if fd < 0 {
			return s.isFull()
		}
		return p.files[fd] == file(s)
	}
}

// Queued returns the number of bytes in the send buffer of a socket.
func (p *Process) Queued(fd int) int {
	switch s := p.files[fd].(type) {
	case *tcp:
		return s.queued()
	case *unixSocket:
		return s.charged
	}
	return 0
}

// Take makes the send buffer of a socket take n more bytes, or n at least if exact is false. It announces
// no space.
func (p *Process) Take(fd, n int, exact bool) {
	size := max(1, p.Queued(fd)+n)
	switch s := p.files[fd].(type) {
	case *tcp:
		if exact || s.option.send < size {
			s.option.send = size
		}
	case *unixSocket:
		if exact || s.size < size {
			s.size = size
		}
	}
}

// SetSend changes the size of the send buffer of a socket, and announces space if it was full.
func (p *Process) SetSend(fd, size int) {
	switch s := p.files[fd].(type) {
	case *tcp:
		s.option.send = max(1, size)
		if s.out.full && s.state != closed {
			s.wakeWriter()
		}
	case *unixSocket:
		s.size = max(1, size)
	}
}

// Space announces space in the send buffer of a TCP socket.
func (p *Process) Space(fd int) {
	if s, ok := p.files[fd].(*tcp); ok {
		s.wake(spaceReady)
	}
}

// Finishes reports whether a TCP socket has bytes or a FIN to send, and will have no others.
func (p *Process) Finishes(fd int) bool {
	s, ok := p.files[fd].(*tcp)
	unsent, _ := p.Unsent(fd)
	return ok && s.state != closed && s.ended&sending != 0 && unsent > 0
}

// TakeError removes the error of a socket, as a call that returns it does.
func (p *Process) TakeError(fd int) {
	if s, ok := p.files[fd].(*tcp); ok {
		s.takeError()
	}
}

// Closed reports whether a TCP socket has no connection.
func (p *Process) Closed(fd int) bool {
	s, ok := p.files[fd].(*tcp)
	return ok && s.state == closed
}

// Freeze lets no more bytes arrive that a socket sends, if bytes wait already or if it sends now, until
// Deliver or Arrive. It does the same for its peer if nobody has a descriptor of that.
func (p *Process) Freeze(fd int, sends bool) {
	s, ok := p.files[fd].(*tcp)
	if !ok || s.peer == nil {
		return
	}
	if n, _ := s.unsent(); sends || n > 0 {
		s.peer.option.receive = 0
	}
	if n, _ := s.peer.unsent(); s.peer.orphan && n > 0 {
		s.option.receive = 0
	}
}

// Deliver lets the bytes that a socket has sent arrive, except the last left ones. If left is 0, the
// later ones will arrive, too. See leastSpace.
func (p *Process) Deliver(fd, left int) {
	s, ok := p.files[fd].(*tcp)
	if !ok || s.peer == nil {
		return
	}
	unsent, _ := s.unsent()
	s.peer.option.receive = max(s.peer.leastSpace(), s.peer.in.n+unsent-left)
	if left == 0 {
		s.peer.option.receive = 1 << 30
	}
	s.peer.drained()
	p.kernel.settle()
}

// Release lets the bytes go that MSG_MORE holds back, except the last left ones. It reports whether any
// were held back.
func (p *Process) Release(fd, left int) bool {
	s, ok := p.files[fd].(*tcp)
	if !ok || s.out.hold == nil || s.out.ready() >= s.out.end()-uint64(left) {
		return false
	}
	if left == 0 {
		s.uncork()
	} else {
		s.out.corkAt = s.out.end() - uint64(left)
		p.kernel.touch(s)
	}
	p.kernel.settle()
	return true
}

// leastSpace returns the smallest size of a receive buffer. It is 1: if nothing is unread, a byte arrives in
// any case. But Linux does not tell its peer of space after SHUT_RD (tcp_cleanup_rbuf); the peer asks for
// it later.
func (s *tcp) leastSpace() int {
	if s.ended&receiving != 0 {
		return 0
	}
	return 1
}

// Orphaned reports whether nobody has a descriptor of the other end of a connection.
func (p *Process) Orphaned(fd int) bool {
	s, ok := p.files[fd].(*tcp)
	return ok && s.peer != nil && s.peer.orphan
}

// Arrive lets bytes arrive at a socket until it has received n ever.
func (p *Process) Arrive(fd int, n uint64) {
	if s, ok := p.files[fd].(*tcp); ok {
		s.option.receive = max(s.leastSpace(), s.in.n+int(max(n, s.received)-s.received))
		s.drained()
		p.kernel.settle()
	}
}

// Slots returns how many slots of a pipe are in use, how many of them a splice has filled, how many
// bytes these contain, and the number of all slots.
func (p *Process) Slots(fd int) (used, spliced, bytes, limit int) {
	one := pipeOf(p.files[fd])
	for _, s := range one.slots {
		if !s.mergeable {
			spliced++
			bytes += len(s.page) - s.off
		}
	}
	return len(one.slots), spliced, bytes, one.limit
}

// Compact makes the spliced bytes of a pipe take as few slots as they can.
func (p *Process) Compact(fd int) {
	one := pipeOf(p.files[fd])
	var slots []slot
	for _, s := range one.slots {
		s.page, s.off = s.page[s.off:], 0
		last := len(slots) - 1
		if last >= 0 && !s.mergeable && !slots[last].mergeable && len(slots[last].page)+len(s.page) <= largestFragment {
			s.page = append(append([]byte{}, slots[last].page...), s.page...)
			slots = slots[:last]
		}
		slots = append(slots, s)
	}
	one.slots = slots
}

// Spread divides spliced bytes of a pipe, until n slots are in use or none can be divided.
func (p *Process) Spread(fd, n int) {
	one := pipeOf(p.files[fd])
	for i := 0; i < len(one.slots) && len(one.slots) < n; {
		s := one.slots[i]
		rest := s.page[s.off:]
		if s.mergeable || len(rest) < 2 {
			i++
			continue
		}
		half := len(rest) / 2
		divided := []slot{{page: rest[:half:half]}, {page: rest[half:]}}
		one.slots = append(one.slots[:i:i], append(divided, one.slots[i+1:]...)...)
	}
}

// Join makes the bytes that a TCP socket has received one fragment, as far as one can be.
func (p *Process) Join(fd int) {
	s, ok := p.files[fd].(*tcp)
	if !ok || s.in.n == 0 {
		return
	}
	b := make([]byte, s.in.n)
	s.in.copy(b, 0)
	s.in.free(&p.kernel.net.pool)
	s.in.n = len(b)
	s.in.chunks = append(s.in.chunks, chunk{b: b, shared: true})
}
