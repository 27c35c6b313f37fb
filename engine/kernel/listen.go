package kernel

import (
	"net/netip"
	"slices"

	"golang.org/x/sys/unix"
)

// somaxconn is the largest backlog (net.core.somaxconn).
const somaxconn = 4096

// listen has the semantics of the kernel function inet_listen.
func (s *tcp) listen(backlog int) Errno {
	if s.attachment != unconnected || s.state != closed && s.state != listening {
		return unix.EINVAL
	}
	if backlog < 0 || backlog > somaxconn {
		backlog = somaxconn
	}
	s.backlog = backlog
	if s.state == listening {
		return 0
	}
	if s.name.bound.Port() == 0 {
		if e := s.bind(Address{IP: netip.AddrPortFrom(s.boundAddress(), 0)}); e != 0 {
			return e
		}
	}
	if s.kernel.net.ports.conflict(s, s.name.bound) {
		return unix.EADDRINUSE
	}
	s.state = listening
	return 0
}

// boundAddress returns the IP address that the socket has bound: a wildcard if it has bound none.
func (s *tcp) boundAddress() netip.Addr {
	if s.name.bound.IsValid() {
		return s.name.bound.Addr()
	}
	return s.anyAddress()
}

// anyAddress returns the wildcard address of the socket's family.
func (s *tcp) anyAddress() netip.Addr {
	if s.option.six {
		return netip.IPv6Unspecified()
	}
	return netip.IPv4Unspecified()
}

// isFull reports whether the accept queue takes no more connections (sk_acceptq_is_full).
func (s *tcp) isFull() bool { return len(s.queue) > s.backlog }

// enqueue adds a connection to the accept queue.
func (s *tcp) enqueue(c *tcp) {
	s.queue = append(s.queue, c)
	s.wake(dataReady)
}

// accept has the semantics of the kernel function inet_csk_accept.
func (s *tcp) accept() (socket, Address, Errno) {
	switch {
	case s.state != listening:
		return nil, Address{}, unix.EINVAL
	case len(s.queue) == 0:
		return nil, Address{}, unix.EAGAIN
	}
	c := s.dequeue()
	return c, Address{IP: c.name.remote}, 0
}

func (s *tcp) dequeue() *tcp {
	c := s.queue[0]
	s.queue = slices.Delete(s.queue, 0, 1)
	s.kernel.Progress++
	return c
}

// unlisten ends all connections of the accept queue (inet_csk_listen_stop).
func (s *tcp) unlisten() {
	for _, c := range s.queue {
		if c.state == established || c.state == synReceived {
			s.kernel.Expelled++
		}
		s.expel(c)
	}
	s.queue = nil
}

// expel ends a connection of an accept queue that no call has accepted.
func (s *tcp) expel(c *tcp) {
	c.orphan = true
	if c.resets() {
		c.abort()
	} else {
		c.finish()
	}
	s.kernel.touch(c)
}
