package listen

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"

	"sluice/conf"
	"sluice/engine/sock"
)

// Next contains the listening sockets for a new configuration. Its new sockets are bound, and refuse
// clients until Listen. The caller calls Listen and Commit, or Abandon. After an error of Listen it
// calls Abandon. A process that has given its sockets away never calls Listen: the receiver does.
type Next struct {
	Binds   []Bind   // by bind line, in the order of the new configuration
	Removed []Bind   // present sockets without a bind line in the new configuration
	Changes []Change // all that Commit changes

	sockets *Sockets
	opened  []Bind  // those of Binds that are new
	kept    []kept  // those of Binds that were open before
	doubts  []error // checks that were not possible
}

// kept is a bind line whose sockets were open before.
type kept struct {
	was, is *Bind
	index   int // among the new bind lines
	change  sock.Change
}

// Prepare compares the bind lines of a new configuration with the open sockets, and opens and binds
// those that are missing. They have no queues yet, so they refuse clients. lookUp resolves host
// names. The error names every bind line that failed; no socket is open then that was not open
// before.
//
// A bind line keeps its sockets if its address is the same: the IP address, port and interface, the
// path or name of a UNIX socket, or the number of fd@N. A line with port 0 keeps its sockets and
// their port if its IP address, its frontend, and its position among the lines of this frontend with
// port 0 are the same. If the file of a UNIX socket was removed or replaced, no client can reach the
// socket. Its line is then treated as missing, and the socket as removed.
//
// Prepare is called after Take.
func (s *Sockets) Prepare(c *conf.Config, lookUp func(host string) (netip.Addr, error)) (*Next, error) {
	lines := linesOf(c, lookUp)
	n := &Next{sockets: s, Binds: make([]Bind, len(lines)), Removed: s.numbered()}
	var missing []*line
	var errs []error
	for i := range lines {
		if found, err := n.keep(&lines[i]); err != nil {
			errs = append(errs, err)
		} else if !found {
			missing = append(missing, &lines[i])
		}
	}
	errs = append(errs, n.probe(missing))
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	if err := n.open(missing); err != nil {
		n.Abandon()
		return nil, err
	}
	n.describe()
	return n, nil
}

// keep moves the present sockets of a line from n.Removed to n.Binds. It returns false if the line
// has none.
func (n *Next) keep(l *line) (found bool, _ error) {
	i := slices.IndexFunc(n.Removed, func(b Bind) bool { return l.err == nil && b.name == l.name })
	if i < 0 {
		return false, nil
	}
	if was := &n.Removed[i]; l.at.Net == conf.NetUnix && !was.file.IsAt(l.at.Path) {
		l.lost = true
		n.doubts = append(n.doubts, fmt.Errorf("%s: the file of its socket was removed or replaced, so a new socket was opened", l))
		return false, nil
	}
	return true, n.keepAt(l, i)
}

// keepAt moves the sockets n.Removed[i] to the bind line l.
func (n *Next) keepAt(l *line, i int) error {
	was := n.Removed[i]
	change, err := sock.PrepareChange(was.set, l.frontend, l.bind)
	if err != nil {
		return l.failed(err)
	}
	is := was
	is.Frontend, is.Conf, is.set = l.frontend.Name, l.bind, sock.SettingsOf(l.frontend, l.bind)
	n.Binds[l.index] = is
	n.Removed = slices.Delete(n.Removed, i, i+1)
	n.kept = append(n.kept, kept{&was, &n.Binds[l.index], l.index, change})
	return nil
}

// open opens the sockets of the missing lines.
func (n *Next) open(missing []*line) error {
	var errs []error
	for _, l := range missing {
		b, err := n.sockets.open(l)
		n.Binds[l.index] = b
		if err != nil {
			errs = append(errs, err)
			continue
		}
		n.opened = append(n.opened, b)
	}
	return errors.Join(errs...)
}

// open opens the sockets of a missing line.
func (s *Sockets) open(l *line) (Bind, error) {
	if s.away {
		return s.openAway(l)
	}
	inherited, err := s.inherited(l)
	if err != nil {
		return Bind{}, err
	}
	return l.open(s.loops, inherited)
}

// inherited returns the descriptor to duplicate for a line with an address fd@N. The process
// inherits descriptors only at its start, so a line before must have used the same number.
func (s *Sockets) inherited(l *line) (fd int, err error) {
	if l.at.Net != conf.NetFD {
		return -1, nil
	}
	fd, known := s.given[l.at.FD]
	for _, b := range s.binds {
		if b.name.endpoint == l.name.endpoint {
			fd, known = b.FDs[0], true
		}
	}
	if !known {
		return -1, l.failed(fmt.Errorf("this process has no inherited socket of the number %d: it inherits sockets only at its start, "+
			"those that its configuration names; wanted a number of the first configuration, or a restart", l.at.FD))
	}
	return fd, nil
}
