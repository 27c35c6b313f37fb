package listen

import (
	"errors"
	"fmt"
	"slices"

	"sluice/conf"
	"sluice/engine/sock"
)

// Sent describes the sockets of a configuration that one process opens for another one. The opener
// has the rights to open them, and the receiver accepts the clients.
type Sent struct {
	// For each bind line, the index of the bind line of the configuration before whose sockets the line
	// keeps. -1: the sockets are among FDs. For fd@N after the start they are not: the receiver has
	// inherited the descriptor.
	Kept []int

	FDs []int // the new sockets, in the order of the bind lines; one descriptor for each loop
}

// Close closes the descriptors.
func (s Sent) Close() { sock.CloseAll(s.FDs) }

// Sent returns all sockets, for the start of the receiver.
func (s *Sockets) Sent() (all Sent) {
	for _, b := range s.binds {
		all.Kept = append(all.Kept, -1)
		all.FDs = append(all.FDs, b.FDs...)
	}
	return all
}

// GiveAway closes the descriptors, because the receiver has the sockets. From now on, Prepare opens
// sockets for the receiver, Commit changes only the files of UNIX sockets, and the descriptors are
// closed by either Commit or Abandon.
func (s *Sockets) GiveAway() {
	s.away, s.names = true, map[string]bool{}
	closeAll(s.binds)
	for i := range s.binds {
		s.binds[i].FDs = nil
	}
}

// Sent returns what the receiver needs to do the same as Commit.
func (n *Next) Sent() (all Sent) {
	all.Kept = slices.Repeat([]int{-1}, len(n.Binds))
	for _, k := range n.kept {
		all.Kept[k.index] = k.was.place
	}
	for _, b := range n.opened {
		all.FDs = append(all.FDs, b.FDs...)
	}
	return all
}

// commitAway is Commit for a process that has given its sockets away.
func (n *Next) commitAway(warn func(title string, errs ...error)) {
	s := n.sockets
	s.forgetClosed()
	for i := range n.Removed {
		b := &n.Removed[i]
		if b.name.net == conf.NetUnix {
			warn(b.String(), b.file.Unlink(b.Conf.Address.Path))
		}
		for _, o := range b.sockets {
			if o.name != "" {
				s.names[o.name] = true
			} else {
				s.leaving = append(s.leaving, o)
			}
		}
	}
	closeAll(n.opened)
	for i := range n.Binds {
		n.Binds[i].FDs = nil
	}
}

// openAway opens the sockets of a missing line for the receiver, unless it has inherited them.
func (s *Sockets) openAway(l *line) (Bind, error) {
	if l.at.Net == conf.NetFD {
		return l.with(nil), nil
	}
	b, err := l.open(s.loops, -1)
	if l.at.Net == conf.NetAbstract && s.names[l.at.Path] {
		if errors.Is(err, sock.ErrBusy) {
			return b, l.failed(errLeaving)
		}
		delete(s.names, l.at.Path)
	}
	return b, err
}

// forgetClosed forgets the sockets of removed bind lines that the receiver has closed.
func (s *Sockets) forgetClosed() {
	open := map[uint16][]sock.Listening{}
	s.leaving = slices.DeleteFunc(s.leaving, func(o ownSocket) bool {
		port := o.addr.Port()
		all, asked := open[port]
		if !asked {
			var err error
			if all, err = sock.ListeningOn(port); err != nil {
				return false
			}
			open[port] = all
		}
		return !slices.ContainsFunc(all, func(l sock.Listening) bool { return l.Inode == o.inode })
	})
}

// AdoptSent makes the receiver's Sockets at its start. It sets nothing in the file system: that is
// the opener's task. After an error the descriptors are closed.
func AdoptSent(c *conf.Config, loops int, sent Sent) (*Sockets, error) {
	s := &Sockets{loops: loops}
	n := &Next{sockets: s}
	if err := n.receive(c, sent, func(*line) (Bind, bool, error) { return Bind{}, false, nil }); err != nil {
		return nil, err
	}
	s.binds = n.Binds
	return s, nil
}

// Receive is Prepare for sockets that another process has opened. After an error they are closed.
func (s *Sockets) Receive(c *conf.Config, sent Sent) (*Next, error) {
	n := &Next{sockets: s, Removed: s.numbered()}
	err := n.receive(c, sent, func(l *line) (b Bind, own bool, err error) {
		if l.at.Net != conf.NetFD {
			return Bind{}, false, nil
		}
		fd, err := s.inherited(l)
		if err == nil {
			b, err = l.open(s.loops, fd)
		}
		return b, true, err
	})
	if err != nil {
		return nil, err
	}
	n.describe()
	return n, nil
}

// receive sets n.Binds. open returns the sockets of a new line that were not sent; own is false if
// there are none.
func (n *Next) receive(c *conf.Config, sent Sent, open func(*line) (b Bind, own bool, err error)) error {
	lines := linesOf(c, notResolved)
	n.Binds = make([]Bind, len(lines))
	rest := sent.FDs
	fail := func(err error) error {
		sock.CloseAll(rest)
		n.Abandon()
		return err
	}
	if len(sent.Kept) != len(lines) {
		return fail(fmt.Errorf("%w: %d bind lines, wanted %d", ErrManifest, len(sent.Kept), len(lines)))
	}
	for i := range lines {
		l := &lines[i]
		l.bind = withoutFile(l.bind)
		if from := sent.Kept[i]; from >= 0 {
			if err := n.keepSent(l, from); err != nil {
				return fail(err)
			}
			continue
		}
		b, own, err := open(l)
		if err == nil && !own {
			if len(rest) < n.sockets.loops {
				return fail(fmt.Errorf("%w: none for %s", ErrManifest, l))
			}
			b = l.with(rest[:n.sockets.loops:n.sockets.loops])
			b.file = sock.File{}
			rest = rest[n.sockets.loops:]
		}
		if err != nil {
			return fail(err)
		}
		n.Binds[i] = b
		n.opened = append(n.opened, b)
	}
	if len(rest) > 0 {
		return fail(fmt.Errorf("%w: %d descriptors more than bind lines", ErrManifest, len(rest)))
	}
	return nil
}

// keepSent keeps the sockets of the bind line with this index in the configuration before.
func (n *Next) keepSent(l *line, place int) error {
	i := slices.IndexFunc(n.Removed, func(b Bind) bool { return b.place == place })
	if i < 0 {
		return fmt.Errorf("%w: %s keeps the sockets of line %d, which are not there", ErrManifest, l, place)
	}
	return n.keepAt(l, i)
}

// withoutFile returns the bind line without the settings of a UNIX socket's file.
func withoutFile(b *conf.Bind) *conf.Bind {
	c := *b
	c.Mode, c.User, c.Group, c.UID, c.GID = 0, "", "", -1, -1
	return &c
}

// numbered returns a copy of the bind lines that have their index.
func (s *Sockets) numbered() []Bind {
	all := slices.Clone(s.binds)
	for i := range all {
		all[i].place = i
	}
	return all
}
