package kernel

import (
	"net/netip"

	"golang.org/x/sys/unix"
)

// ports are the TCP addresses in use.
type ports struct {
	bound map[uint16][]*tcp // sockets that have bound a port, by port
	tied  map[tie]struct{}  // connections that clients have started
	next  uint16            // the port to try next, for a socket that takes any port
	// prefer reports whether s, a socket of a SO_REUSEPORT group, receives the new connection.
	// Tests set it, so that the model makes the same choice as the real kernel. nil: a random
	// socket receives it.
	prefer func(s *tcp) bool
}

// tie is the pair of addresses of a connection, from the client's side.
type tie struct{ local, remote netip.AddrPort }

// The default range of ports for sockets that do not ask for a certain port.
const firstPort, lastPort = 32768, 60999

// plain returns an address without its zone. An IPv4 address in IPv6 form becomes an IPv4 address.
func plain(a netip.AddrPort) netip.AddrPort {
	return netip.AddrPortFrom(a.Addr().Unmap().WithZone(""), a.Port())
}

// bind has the semantics of the kernel function inet_bind.
func (s *tcp) bind(at Address) Errno {
	ip := plain(at.IP)
	switch {
	case s.state != closed || s.name.bound.Port() != 0:
		return unix.EINVAL
	case !ip.IsValid() || ip.Addr().Is6() && !s.option.six:
		return unix.EAFNOSUPPORT
	}
	if s.name.chosen = ip.Port() != 0; !s.name.chosen {
		port := s.kernel.anyPort(func(port uint16) bool { return len(s.kernel.net.ports.bound[port]) == 0 })
		if port == 0 {
			return unix.EADDRINUSE
		}
		ip = netip.AddrPortFrom(ip.Addr(), port)
	}
	if s.kernel.net.ports.conflict(s, ip) {
		s.name.local = netip.AddrPortFrom(s.anyAddress(), s.name.local.Port()) // a former address is gone
		return unix.EADDRINUSE
	}
	s.kernel.net.ports.add(s, ip)
	return 0
}

func (p *ports) add(s *tcp, ip netip.AddrPort) {
	s.name.bound, s.name.local = ip, ip
	if p.bound == nil {
		p.bound = map[uint16][]*tcp{}
	}
	p.bound[ip.Port()] = append(p.bound[ip.Port()], s)
}

// unbind frees the port of a socket.
func (p *ports) unbind(s *tcp) {
	port := s.name.bound.Port()
	for i, other := range p.bound[port] {
		if other == s {
			p.bound[port] = append(p.bound[port][:i:i], p.bound[port][i+1:]...)
		}
	}
}

// conflict reports whether another socket prevents s from having an address (inet_csk_bind_conflict).
func (p *ports) conflict(s *tcp, ip netip.AddrPort) bool {
	for _, other := range p.bound[ip.Port()] {
		if other == s || !overlap(s, ip.Addr(), other) {
			continue
		}
		shared := s.option.reusePort && other.option.reusePort
		reused := s.option.reuseAddress && other.option.reuseAddress && other.state != listening
		if !shared && !reused {
			return true
		}
	}
	return false
}

// overlap reports whether a SYN exists that both sockets could get: s, if bound to ip, and the
// bound socket other.
func overlap(s *tcp, ip netip.Addr, other *tcp) bool {
	theirs := other.name.bound.Addr()
	return covers(s, ip, theirs) || covers(other, theirs, ip)
}

// covers reports whether a socket with the address own gets connections to ip.
func covers(s *tcp, own, ip netip.Addr) bool {
	switch {
	case own == ip:
		return true
	case !own.IsUnspecified():
		return false
	}
	return own.Is6() && !s.option.only6 || own.Is4() == ip.Is4()
}

// listener returns a socket that listens on an address, or nil. A socket bound to exactly this IP
// address is preferred to one bound to a wildcard. Of several equal sockets a random one is chosen,
// as the hash of Linux does.
func (k *Kernel) listener(at netip.AddrPort) *tcp {
	for _, exact := range []bool{true, false} {
		var found *tcp
		n := 0
		for _, s := range k.net.ports.bound[at.Port()] {
			own := s.name.bound.Addr()
			if s.state != listening || s.option.elsewhere || !covers(s, own, at.Addr()) || (own == at.Addr()) != exact {
				continue
			}
			if n++; found == nil || k.prefers(s, n) {
				found = s
			}
		}
		if found != nil {
			return found
		}
	}
	return nil
}

// Listening is a TCP socket that listens.
type Listening struct {
	At     netip.AddrPort
	V6Only bool   // the option IPV6_V6ONLY
	Inode  uint64 // see Process.Inode
}

// Listening returns the TCP sockets of all processes that listen on a port (sock_diag).
func (k *Kernel) Listening(port uint16) (all []Listening) {
	for _, s := range k.net.ports.bound[port] {
		if s.state == listening {
			all = append(all, Listening{s.name.bound, s.option.only6, s.inode})
		}
	}
	return all
}

// prefers reports whether a listening socket, the n-th of its group, is chosen before the earlier ones.
func (k *Kernel) prefers(s *tcp, n int) bool {
	if k.net.ports.prefer != nil {
		return k.net.ports.prefer(s)
	}
	return k.Rand.IntN(n) == 0
}

// anyPort returns the next port of the range for which free is true; 0: there is none.
func (k *Kernel) anyPort(free func(port uint16) bool) uint16 {
	first, last := k.Ports[0], k.Ports[1]
	if last == 0 {
		first, last = firstPort, lastPort
	}
	p := &k.net.ports
	for range int(last) - int(first) + 1 {
		port := max(p.next, first)
		if p.next = port + 1; p.next > last || p.next == 0 {
			p.next = first
		}
		if free(port) {
			return port
		}
	}
	return 0
}

// dial gives a client the addresses of its connection (inet_hash_connect). EADDRNOTAVAIL means that no
// port is free.
func (k *Kernel) dial(s *tcp, to netip.AddrPort) Errno {
	own := s.name.bound
	if !own.IsValid() || own.Addr().IsUnspecified() {
		own = netip.AddrPortFrom(source(to.Addr()), own.Port())
	}
	p := &k.net.ports
	unused := func(port uint16) bool {
		_, used := p.tied[tie{netip.AddrPortFrom(own.Addr(), port), to}]
		return !used
	}
	port := own.Port()
	switch {
	case port == 0:
		port = k.anyPort(func(port uint16) bool { return len(p.bound[port]) == 0 && unused(port) })
	case !unused(port):
		port = 0
	}
	if port == 0 {
		return unix.EADDRNOTAVAIL
	}
	s.name.local, s.name.remote, s.name.tied = netip.AddrPortFrom(own.Addr(), port), to, true
	if p.tied == nil {
		p.tied = map[tie]struct{}{}
	}
	p.tied[tie{s.name.local, to}] = struct{}{}
	return 0
}

// untie removes the connection of a client from the table.
func (p *ports) untie(s *tcp) {
	if s.name.tied {
		delete(p.tied, tie{s.name.local, s.name.remote})
		s.name.tied = false
	}
}

// source returns the local IP address of a client that connects to a server without a bound
// address.
func source(server netip.Addr) netip.Addr {
	if server.Is4() && server.IsLoopback() {
		return netip.AddrFrom4([4]byte{127, 0, 0, 1})
	}
	return server
}

// target returns the address that a connection to an address goes to. A wildcard means this machine.
func target(to netip.AddrPort) netip.AddrPort {
	to = plain(to)
	switch {
	case !to.Addr().IsUnspecified():
		return to
	case to.Addr().Is4():
		return netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), to.Port())
	}
	return netip.AddrPortFrom(netip.IPv6Loopback(), to.Port())
}
