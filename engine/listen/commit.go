package listen

import (
	"fmt"
	"slices"

	"sluice/conf"
	"sluice/engine/sock"
)

// Commit makes the new configuration the present one. It changes the options of sockets that are
// kept, and keeps new clients away from those that are removed. It cannot fail: the result are
// warnings, for example about an option that the kernel has refused.
//
// After Commit, the caller lets its loops accept on the sockets of n.Binds. The sockets of n.Removed
// may still have clients, also clients whose handshake is under way. So the caller accepts for a
// while, and then closes them.
func (n *Next) Commit() (warnings []error) {
	warnings = n.doubts
	warn := func(title string, errs ...error) {
		for _, err := range errs {
			if err != nil {
				warnings = append(warnings, fmt.Errorf("%s: %w", title, err))
			}
		}
	}
	for _, k := range n.kept {
		warn(k.is.String(), k.change.Apply(k.is.FDs)...)
	}
	for i := range n.Removed {
		b := &n.Removed[i]
		warn(b.String(), n.remove(b))
	}
	for i := range n.opened {
		n.sockets.use(&n.opened[i])
	}
	n.sockets.binds = n.Binds
	return warnings
}

// Abandon closes the sockets that were opened for the new configuration. The present ones stay as
// they are.
func (n *Next) Abandon() {
	for _, b := range n.opened {
		sock.CloseAll(b.FDs)
		_ = b.file.Unlink(b.Conf.Address.Path)
	}
}

// remove keeps new clients away from the sockets of a bind line. An inherited socket belongs to
// another process, too, so it stays as it is, and the process keeps a descriptor of it.
func (n *Next) remove(b *Bind) error {
	switch b.name.net {
	case conf.NetFD:
		return n.remember(b)
	case conf.NetUnix, conf.NetAbstract:
		err := b.file.Unlink(b.Conf.Address.Path)
		if e := sock.RefuseNew(b.FDs[0]); err == nil && e != 0 {
			err = e
		}
		return err
	}
	return n.drop(b)
}

// drop makes the TCP sockets of a bind line drop SYN. If another bind line listens on the same
// address, for example on a wildcard, the kernel gives it the new clients instead.
func (n *Next) drop(b *Bind) (failed error) {
	covered := slices.ContainsFunc(n.Binds, func(other Bind) bool { return other.covers(b) })
	for _, fd := range b.FDs {
		if e := sock.DropNew(fd); e != 0 {
			failed = fmt.Errorf("clients whose handshake is under way may be reset: %w", e)
		}
	}
	for _, fd := range b.FDs {
		if covered {
			_ = sock.PassNew(fd) // otherwise clients connect with a delay
		}
	}
	n.sockets.leaving = append(n.sockets.leaving, b.own()...)
	return failed
}

// covers reports whether the sockets of b get the clients of another bind line once its sockets are
// closed.
func (b *Bind) covers(other *Bind) bool {
	return b.name.net == conf.NetTCP && localCoverage(b).covers(localCoverage(other))
}

// localCoverage returns the coverage of the sockets of a bind line. Unlike the identity, it contains
// the port that the kernel has chosen.
func localCoverage(b *Bind) coverage { return coverage{b.Local().AddrPort(), b.name.v6only} }

// remember keeps a descriptor of an inherited socket, so that a later configuration can use it again.
func (n *Next) remember(b *Bind) error {
	s := n.sockets
	_, known := s.given[b.name.fd]
	if known || slices.ContainsFunc(n.Binds, func(other Bind) bool { return other.name == b.name }) {
		return nil
	}
	fd, e := sock.Duplicate(b.FDs[0])
	if e != 0 {
		return fmt.Errorf("a later configuration can't use the socket again: %w", e)
	}
	if s.given == nil {
		s.given = map[int]int{}
	}
	s.given[b.name.fd] = fd
	return nil
}

// use closes the descriptor that remember has kept, because a bind line has the socket again.
func (s *Sockets) use(b *Bind) {
	if b.name.net != conf.NetFD {
		return
	}
	if fd, known := s.given[b.name.fd]; known {
		sock.Close(fd)
		delete(s.given, b.name.fd)
	}
}
