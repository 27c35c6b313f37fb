package listen

import (
	"fmt"
	"net/netip"

	"sluice/conf"
	"sluice/engine/sock"
)

// line is a bind line of a configuration.
type line struct {
	frontend *conf.Frontend
	bind     *conf.Bind
	index    int // among all bind lines of the configuration
	name     identity
	at       conf.Address // the address of bind, with the IP address of a host name
	err      error        // the host name has no IP address
	lost     bool         // a UNIX socket is open, but its file was removed or replaced
}

// identity tells which sockets a bind line has. Bind lines of two configurations that have the same
// identity have the same sockets.
type identity struct {
	endpoint // of a host name with its present address

	// Of an IPv6 address, the option IPV6_V6ONLY: set, cleared, or left as the system has it. The
	// option of an open socket cannot change.
	v6only, v4v6 bool

	// With port 0 the kernel chooses the port. The sockets then belong to the frontend and to the
	// position of the line among the lines of this frontend with port 0.
	frontend string
	position int // from 1; 0: the line names a port
}

// linesOf returns the bind lines of a configuration in their order. lookUp resolves host names.
func linesOf(c *conf.Config, lookUp func(host string) (netip.Addr, error)) (all []line) {
	positions := map[string]int{} // by frontend: lines with port 0
	eachBind(c, func(f *conf.Frontend, b *conf.Bind) {
		l := line{frontend: f, bind: b, index: len(all), at: b.Address}
		if l.at.Net == conf.NetTCP && !l.at.IP.IsValid() && l.at.Host != "" {
			l.at.IP, l.err = lookUp(l.at.Host)
		}
		if l.at.Net == conf.NetTCP && l.at.Port == 0 {
			positions[f.Name]++
			l.name.frontend, l.name.position = f.Name, positions[f.Name]
		}
		l.identify()
		all = append(all, l)
	})
	return all
}

// identify sets the part of the identity that depends on l.at.
func (l *line) identify() {
	l.name.endpoint, _ = endpointOf(l.at, func(string) (netip.Addr, error) { return netip.Addr{}, l.err })
	if l.name.tcp.Addr().Is6() {
		l.name.v6only, l.name.v4v6 = l.at.V6Only, l.at.V4V6
	}
}

// with returns the Bind of the line for these open sockets. If the line has a host name without a
// known address, the Bind gets the address of the sockets.
func (l *line) with(fds []int) Bind {
	b := Bind{Frontend: l.frontend.Name, Conf: l.bind, FDs: fds, set: sock.SettingsOf(l.frontend, l.bind)}
	if l.err != nil {
		l.at.IP = b.Local().AddrPort().Addr()
		l.identify()
	}
	if l.at.Net == conf.NetUnix {
		b.file = sock.FileAt(l.at.Path)
	}
	b.name = l.name
	b.sockets = b.find()
	return b
}

// open opens and binds the sockets of the line, one descriptor for each loop. inherited is the
// descriptor to duplicate for an address fd@N.
func (l *line) open(loops, inherited int) (b Bind, err error) {
	var fds []int
	switch {
	case l.err != nil:
		return b, l.failed(l.err)
	case l.at.Net == conf.NetFD:
		fds, err = sock.Copies(inherited, loops)
	default:
		fds, err = sock.Bind(l.frontend, l.resolved(), loops)
	}
	if err != nil && l.lost {
		err = fmt.Errorf("%w; the file of this process's socket was removed or replaced, so a new socket is wanted", err)
	}
	if err != nil {
		return b, l.failed(err)
	}
	return l.with(fds), nil
}

// resolved returns the bind line with an IP address in place of a host name.
func (l *line) resolved() *conf.Bind {
	b := *l.bind
	b.Address = l.at
	return &b
}

// failed returns the error with the place and the address of the line.
func (l *line) failed(err error) error {
	return fmt.Errorf("%s: %w", l.bind.Pos, openError(l.frontend.Name, l.bind, err))
}

// String returns the line as text for messages.
func (l *line) String() string { return lineText(l.frontend.Name, l.bind) }

// String returns the bind line as text for messages.
func (b *Bind) String() string { return lineText(b.Frontend, b.Conf) }

func lineText(frontend string, b *conf.Bind) string {
	return fmt.Sprintf("bind %s of frontend '%s'", bindName(b), frontend)
}

// coverage is the set of addresses from which a TCP socket gets connections.
type coverage struct {
	addr   netip.AddrPort // without zone; IPv4 is not mapped to IPv6
	v6only bool
}

// covers reports whether a socket gets connections to the address of another one.
func (c coverage) covers(other coverage) bool {
	own, ip := c.addr.Addr(), other.addr.Addr()
	switch {
	case c.addr.Port() != other.addr.Port():
		return false
	case own == ip:
		return true
	case !own.IsUnspecified():
		return false
	}
	return own.Is4() == ip.Is4() || own.Is6() && !c.v6only
}

// overlaps reports whether a connection exists that both sockets could get.
func (c coverage) overlaps(other coverage) bool { return c.covers(other) || other.covers(c) }

// coverage returns the coverage of sockets that have this identity. Without the option v6only it
// assumes that the sockets accept IPv4.
func (n *identity) coverage() coverage {
	ip := n.tcp.Addr().WithZone("")
	return coverage{netip.AddrPortFrom(ip, n.tcp.Port()), n.v6only}
}
