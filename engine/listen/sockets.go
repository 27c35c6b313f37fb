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
}

// Bind contains the listening sockets of one bind line. All descriptors of a UNIX socket or an
// inherited socket refer to one socket.
type Bind struct {
	Frontend string // name of the frontend
	Conf     *conf.Bind
	FDs      []int // one descriptor for each loop, at least one
}

// Open opens the listening sockets of all frontends. loops is the number of descriptors for each
// bind line, see Bind. The error names every bind line that failed; no socket is open then. If
// another process listens on an address of the configuration, this is an error, too, even if the
// kernel would allow both.
func Open(c *conf.Config, loops int) (*Sockets, error) {
	if err := probeAll(c); err != nil {
		return nil, err
	}
	s := &Sockets{}
	var errs []error
	eachBind(c, func(f *conf.Frontend, b *conf.Bind) {
		fds, err := sock.Listen(f, b, loops)
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", b.Pos, openError(f, b, err)))
			return
		}
		s.binds = append(s.binds, Bind{f.Name, b, fds})
	})
	if err := errors.Join(errs...); err != nil {
		s.Close()
		return nil, err
	}
	return s, nil
}

// probeAll returns an error for every TCP address of the configuration on which another process
// listens. No socket of this process may be listening yet.
func probeAll(c *conf.Config) error {
	var errs []error
	eachBind(c, func(f *conf.Frontend, b *conf.Bind) {
		if err := sock.Probe(b); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", b.Pos, openError(f, b, err)))
		}
	})
	for _, s := range c.Global.StatsSockets {
		if err := sock.Probe(&conf.Bind{Address: s.Address}); err != nil {
			errs = append(errs, fmt.Errorf("%s: stats socket '%s': %w", s.Pos, s.Address, err))
		}
	}
	return errors.Join(errs...)
}

func openError(f *conf.Frontend, b *conf.Bind, err error) error {
	return fmt.Errorf("frontend '%s' can't listen on %s: %w", f.Name, bindName(b), err)
}

// Binds returns the sockets by bind line, in the order of the configuration.
func (s *Sockets) Binds() []Bind { return s.binds }

// Take returns the sockets by bind line and removes them from s. The caller must close them.
func (s *Sockets) Take() []Bind {
	binds := s.binds
	s.binds = nil
	return binds
}

// Close closes all sockets. Connections in their queues are reset.
func (s *Sockets) Close() {
	for _, b := range s.Take() {
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
