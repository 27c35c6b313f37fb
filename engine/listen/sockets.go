package listen

import (
	"errors"
	"fmt"
	"net"
	"strings"

	"sluice/conf"
	"sluice/engine/sock"
)

// Sockets are the listening sockets of a process: one descriptor for each loop and bind line.
type Sockets struct {
	binds []Bind
	loops int
	taken bool // others own the descriptors and close them, see Take
	away  bool // another process has the sockets, see GiveAway

	names   map[string]bool // after GiveAway: abstract names of removed bind lines; the receiver may still have them
	leaving []ownSocket     // sockets of removed bind lines that may still be open
	given   map[int]int     // inherited sockets without a bind line: by N of fd@N a descriptor of ours
}

// Bind contains the listening sockets of one bind line. All descriptors of a UNIX socket or an
// inherited socket refer to one socket.
type Bind struct {
	Frontend string // name of the frontend
	Conf     *conf.Bind
	FDs      []int // one descriptor for each loop, at least one; none after GiveAway

	name identity
	set  sock.Settings // of the sockets
	file sock.File     // of a UNIX socket

	sockets []ownSocket // the sockets that have a TCP address or an abstract name
	place   int         // index among the present bind lines; set only in Next.Removed and kept.was
}

// Open opens the listening sockets of all frontends. loops is the number of descriptors for each
// bind line, see Bind. The error names every bind line that failed; no socket is open then. If
// another process listens on an address of the configuration, this is an error, too, even if the
// kernel would allow both.
func Open(c *conf.Config, loops int) (*Sockets, error) {
	if err := probeAll(c); err != nil {
		return nil, err
	}
	n := &Next{}
	var errs []error
	for _, l := range linesOf(c, sock.LookUp) {
		b, err := l.open(loops, l.bind.Address.FD)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		n.opened = append(n.opened, b)
	}
	err := errors.Join(errs...)
	if err == nil {
		err = n.Listen()
	}
	if err != nil {
		n.Abandon()
		return nil, err
	}
	return &Sockets{binds: n.opened, loops: loops}, nil
}

func openError(frontend string, b *conf.Bind, err error) error {
	return fmt.Errorf("frontend '%s' can't listen on %s: %w", frontend, bindName(b), err)
}

// Binds returns the sockets by bind line, in the order of the configuration.
func (s *Sockets) Binds() []Bind { return s.binds }

// Take returns the sockets by bind line. From now on the caller owns the descriptors, also those of
// later calls of Prepare that were committed, and must close them.
func (s *Sockets) Take() []Bind {
	s.taken = true
	return s.binds
}

// Close closes all sockets, unless the caller of Take owns them. Connections in their queues are
// reset.
func (s *Sockets) Close() {
	if !s.taken {
		closeAll(s.binds)
		s.binds = nil
	}
	for _, fd := range s.given {
		sock.Close(fd)
	}
	s.given = nil
}

func closeAll(binds []Bind) {
	for _, b := range binds {
		sock.CloseAll(b.FDs)
	}
}

// Lines returns one line of text for each bind line: the frontend and its address.
func (s *Sockets) Lines() []string {
	var lines []string
	for _, b := range s.binds {
		lines = append(lines, fmt.Sprintf("frontend '%s' on %s", b.Frontend, b.Local()))
	}
	return lines
}

// Addr returns the address of the frontend's first bind line. If the configuration has port 0, Addr
// contains the port that the kernel chose. It is nil if there is no such frontend or it has no
// sockets.
func (s *Sockets) Addr(frontend string) net.Addr {
	for _, b := range s.binds {
		if b.Frontend != frontend {
			continue
		}
		own := b.Local()
		if own.IsUnix() {
			return &net.UnixAddr{Net: "unix", Name: strings.TrimPrefix(own.String(), "unix@")}
		}
		return net.TCPAddrFromAddrPort(own.AddrPort())
	}
	return nil
}

// Local returns the address to which the sockets are bound.
func (b *Bind) Local() *sock.Addr {
	var own sock.Addr
	sock.Local(b.FDs[0], &own)
	return &own
}
