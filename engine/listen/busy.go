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
			errs = append(errs, fmt.Errorf("%s: %w", b.Pos, openError(f.Name, b, err)))
		}
	})
	for _, s := range c.Global.StatsSockets {
		if err := sock.Probe(&conf.Bind{Address: s.Address}); err != nil {
			errs = append(errs, fmt.Errorf("%s: stats socket '%s': %w", s.Pos, s.Address, err))
		}
	}
	return errors.Join(errs...)
}

// errLeaving is the error for an abstract name that a removed bind line has not given up.
var errLeaving = errors.New("a socket of this process that was removed still has the name, because clients wait in its queue: try again later")

// ownSocket is an open socket of this process that listens, or that leaves its address.
type ownSocket struct {
	coverage        // zero for an abstract name
	name     string // the abstract name
	fd       int
	inode    uint64 // see sock.Inode
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
	switch {
	case l.at.Net == conf.NetAbstract && slices.ContainsFunc(own, func(o ownSocket) bool { return o.name == l.at.Path }):
		return errLeaving
	case l.at.Net != conf.NetTCP || l.at.Port == 0:
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

// own returns the TCP sockets of all bind lines, and the sockets of removed ones that are still open.
func (s *Sockets) own() (all []ownSocket) {
	s.leaving = slices.DeleteFunc(s.leaving, func(o ownSocket) bool {
		if s.away {
			return false // see forgetClosed
		}
		inode, open := sock.Inode(o.fd)
		return !open || inode != o.inode
	})
	for i := range s.binds {
		if s.binds[i].name.net != conf.NetAbstract {
			all = append(all, s.binds[i].sockets...)
		}
	}
	return append(all, s.leaving...)
}

// find returns the sockets of a bind line that have a TCP address or an abstract name.
func (b *Bind) find() (all []ownSocket) {
	if b.name.net == conf.NetUnix {
		return nil
	}
	for _, fd := range b.FDs {
		inode, open := sock.Inode(fd)
		if !open {
			continue
		}
		one := ownSocket{fd: fd, inode: inode}
		if b.name.net == conf.NetAbstract {
			one.name = b.name.path
		} else {
			var at sock.Addr
			sock.Local(fd, &at)
			one.coverage = coverage{at.AddrPort(), b.name.v6only}
		}
		all = append(all, one)
	}
	return all
}
