package engine

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"strconv"
	"strings"

	"sluice/conf"
	"sluice/engine/sock"
)

// Listeners are the listening sockets of a process: one for each loop and bind line. They
// belong to the process, not to a configuration. Their descriptors can be passed to another
// process.
type Listeners struct {
	binds []bindSockets
}

// bindSockets are the sockets of one bind line, one per loop.
type bindSockets struct {
	frontend string
	bind     *conf.Bind
	fds      []int
}

// ErrManifest is returned by Adopt if inherited sockets do not fit the configuration.
var ErrManifest = errors.New("inherited sockets don't fit the configuration")

// Listen opens the listening sockets of all frontends, one for each of loops and each bind
// line. The error names every bind line that failed.
func Listen(c *conf.Config, loops int) (*Listeners, error) {
	if err := probeAll(c); err != nil {
		return nil, err
	}
	l := &Listeners{}
	var errs []error
	eachBind(c, func(f *conf.Frontend, b *conf.Bind) {
		fds, err := sock.Listen(f, b, loops)
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", b.Pos, listenError(f, b, err)))
			return
		}
		l.binds = append(l.binds, bindSockets{frontend: f.Name, bind: b, fds: fds})
	})
	if err := errors.Join(errs...); err != nil {
		l.Close()
		return nil, err
	}
	return l, nil
}

// probeAll returns an error for every TCP address of the configuration on which
// another process listens. No socket of this process may be listening yet.
func probeAll(c *conf.Config) error {
	var errs []error
	eachBind(c, func(f *conf.Frontend, b *conf.Bind) {
		if err := sock.Probe(b); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", b.Pos, listenError(f, b, err)))
		}
	})
	for _, s := range c.Global.StatsSockets {
		if err := sock.Probe(&conf.Bind{Address: s.Address}); err != nil {
			errs = append(errs, fmt.Errorf("%s: stats socket '%s': %w", s.Pos, s.Address, err))
		}
	}
	return errors.Join(errs...)
}

func listenError(f *conf.Frontend, b *conf.Bind, err error) error {
	return fmt.Errorf("frontend '%s' can't listen on %s: %w", f.Name, bindName(b), err)
}

// Adopt takes over sockets that another process has returned from Files together with manifest.
// The sockets are the consecutive descriptors from first on. It fails with ErrManifest if their
// number does not fit the configuration and loops.
func Adopt(c *conf.Config, loops int, manifest string, first int) (*Listeners, error) {
	l := &Listeners{}
	counts := strings.Split(manifest, ",")
	var err error
	eachBind(c, func(f *conf.Frontend, b *conf.Bind) {
		if err != nil || len(counts) == 0 {
			err = ErrManifest
			return
		}
		n, bad := strconv.Atoi(counts[0])
		if bad != nil || n != loops {
			err = fmt.Errorf("%w: %q for frontend '%s' on %s, wanted %d", ErrManifest, counts[0], f.Name, bindName(b), loops)
			return
		}
		one := bindSockets{frontend: f.Name, bind: b}
		for range n {
			sock.CloseOnExec(first)
			one.fds = append(one.fds, first)
			first++
		}
		l.binds, counts = append(l.binds, one), counts[1:]
	})
	return l, err
}

// Files returns duplicates of the sockets, to pass them to another process in this order, and
// the manifest that Adopt needs there. The caller closes the files.
func (l *Listeners) Files() (files []*os.File, manifest string, err error) {
	var counts []string
	for _, b := range l.binds {
		counts = append(counts, strconv.Itoa(len(b.fds)))
		for _, fd := range b.fds {
			dup, e := sock.Duplicate(fd)
			if e != 0 {
				return files, "", os.NewSyscallError("dup", e)
			}
			files = append(files, os.NewFile(uintptr(dup), bindName(b.bind)))
		}
	}
	return files, strings.Join(counts, ","), nil
}

// Close closes all sockets. Connections in their queues are reset.
func (l *Listeners) Close() {
	for _, b := range l.binds {
		sock.CloseAll(b.fds)
	}
	l.binds = nil
}

// Lines returns one line of text for each bind line: the frontend and its address.
func (l *Listeners) Lines() []string {
	var lines []string
	for _, b := range l.binds {
		lines = append(lines, fmt.Sprintf("frontend '%s' on %s", b.frontend, localName(b.fds[0])))
	}
	return lines
}

// Addr returns the address of the frontend's first bind line. With port 0 in the configuration,
// it contains the port that the kernel chose. It returns nil if there is no such frontend.
func (l *Listeners) Addr(frontend string) net.Addr {
	for _, b := range l.binds {
		if b.frontend != frontend {
			continue
		}
		var own sock.Addr
		sock.Local(b.fds[0], &own)
		if own.IsUnix() {
			return &net.UnixAddr{Net: "unix", Name: strings.TrimPrefix(own.String(), "unix@")}
		}
		return net.TCPAddrFromAddrPort(own.AddrPort())
	}
	return nil
}

func eachBind(c *conf.Config, do func(*conf.Frontend, *conf.Bind)) {
	for _, f := range c.Frontends {
		for i := range f.Binds {
			do(f, &f.Binds[i])
		}
	}
}

func localName(fd int) string {
	var own sock.Addr
	sock.Local(fd, &own)
	return own.String()
}

func bindName(b *conf.Bind) string {
	a := b.Address
	switch a.Net {
	case conf.NetUnix:
		return "unix@" + a.Path
	case conf.NetAbstract:
		return "abns@" + a.Path
	case conf.NetFD:
		return "fd@" + strconv.Itoa(a.FD)
	}
	switch {
	case a.IP.IsValid():
		return netip.AddrPortFrom(a.IP, a.Port).String()
	case a.Host != "":
		return net.JoinHostPort(a.Host, strconv.Itoa(int(a.Port)))
	}
	return "*:" + strconv.Itoa(int(a.Port))
}
