package listen

import (
	"errors"
	"fmt"
	"slices"

	"sluice/conf"
	"sluice/engine/sock"
)

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

// ownSocket is an open TCP socket of this process that listens, or that leaves its address.
type ownSocket struct {
	coverage
	fd    int
	inode uint64 // see sock.Inode
}

// probe returns an error for every missing line on whose address another process listens.
func (n *Next) probe(missing []*line) error {
	own := n.sockets.own()
	var errs []error
	for _, l := range missing {
		if err := n.probeLine(l, own); err != nil {
			errs = append(errs, l.failed(err))
		}
	}
	return errors.Join(errs...)
}

// probeLine returns an error if another process listens on the address of a line. sock.Probe finds
// any socket there. So if a socket of this process is there, probeLine asks the kernel for all of
// them.
func (n *Next) probeLine(l *line, own []ownSocket) error {
	if l.err != nil {
		return l.err
	}
	if l.at.Net != conf.NetTCP || l.at.Port == 0 {
		return nil
	}
	wanted := l.name.coverage()
	if !slices.ContainsFunc(own, func(o ownSocket) bool { return o.overlaps(wanted) }) {
		return sock.Probe(l.resolved())
	}
	all, err := sock.ListeningOn(l.at.Port)
	if err != nil {
		n.doubts = append(n.doubts, fmt.Errorf("%s: whether another process listens there is unknown: %w", l, err))
		return nil
	}
	for _, other := range all {
		mine := slices.ContainsFunc(own, func(o ownSocket) bool { return o.inode == other.Inode })
		if !mine && wanted.overlaps(coverage{other.Addr, other.V6Only}) {
			return sock.ErrBusy
		}
	}
	return nil
}

// own returns the TCP sockets of all bind lines, and those of removed ones that are still open.
func (s *Sockets) own() (all []ownSocket) {
	s.leaving = slices.DeleteFunc(s.leaving, func(o ownSocket) bool {
		inode, open := sock.Inode(o.fd)
		return !open || inode != o.inode
	})
	for i := range s.binds {
		all = append(all, s.binds[i].own()...)
	}
	return append(all, s.leaving...)
}

// own returns the sockets of a bind line that have a TCP address.
func (b *Bind) own() (all []ownSocket) {
	for _, fd := range b.FDs {
		var at sock.Addr
		sock.Local(fd, &at)
		inode, open := sock.Inode(fd)
		if open && !at.IsUnix() {
			all = append(all, ownSocket{coverage{at.AddrPort(), b.name.v6only}, fd, inode})
		}
	}
	return all
}
