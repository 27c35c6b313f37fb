package listen

import (
	"fmt"
	"slices"

	"sluice/conf"
	"sluice/engine/sock"
)

// Listen makes the new sockets accept clients. From now on an Abandon could reset clients. So the
// caller first does all that can refuse the configuration, and calls Commit directly afterwards.
//
// An error means that memory was short, or that another process began to listen on the address
// between two system calls, see sock.Listen. Other bind lines may have listened for this moment.
func (n *Next) Listen() error {
	for i := range n.opened {
		b := &n.opened[i]
		if b.name.net == conf.NetFD { // listens already
			continue
		}
		if err := sock.Listen(b.FDs, b.set); err != nil {
			return fmt.Errorf("%s: %w", b.Conf.Pos, openError(b.Frontend, b.Conf, err))
		}
	}
	return nil
}

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
	if n.sockets.away {
		n.commitAway(warn)
		n.sockets.binds = n.Binds
		return warnings
	}
	for i := range n.Removed {
		b := &n.Removed[i]
		warn(b.String(), n.remove(b))
		n.sockets.leaving = append(n.sockets.leaving, b.sockets...)
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

// CloseOpened closes the sockets that were opened for the new configuration and that belong to the
// loop with this index. It is for a loop that has ended before it could use them.
func (n *Next) CloseOpened(loop int) {
	for i := range n.opened {
		sock.Close(n.opened[i].FDs[loop])
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
	return pass(b)
}

// pass keeps new clients away from the TCP sockets of a bind line. The kernel gives them to another
// bind line that has the same address, for example a wildcard, or refuses them. If the kernel does
// not allow that, their SYN is dropped until the sockets are closed.
func pass(b *Bind) (failed error) {
	for _, fd := range b.FDs {
		if sock.PassNew(fd) == 0 {
			continue
		}
		if e := sock.DropNew(fd); e != 0 {
			failed = fmt.Errorf("clients that connect at this moment may be reset: %w", e)
		}
	}
	return failed
}

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
