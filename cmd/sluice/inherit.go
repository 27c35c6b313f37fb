package main

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"

	"golang.org/x/sys/unix"

	"sluice/conf"
	"sluice/engine/listen"
)

// firstPassedFD is the first descriptor that systemd passes (sd_listen_fds(3)).
const firstPassedFD = 3

// openSockets opens the listening sockets. Inherited ones (`bind fd@N`) go to the
// engine as copies, and the originals are closed here. After a drain, an open
// original would go on queueing clients that nobody accepts.
func openSockets(c *conf.Config, loops int) (*listen.Sockets, error) {
	fds, err := inherited(c)
	if err != nil {
		return nil, err
	}
	l, err := listen.Open(c, loops)
	for _, fd := range fds {
		unix.Close(fd)
	}
	return l, err
}

// inherited returns the descriptors that bind lines name. A descriptor that is
// no listening stream socket is an error: it may belong to this process.
func inherited(c *conf.Config) (fds []int, err error) {
	var errs []error
	for _, f := range c.Frontends {
		for _, b := range f.Binds {
			if b.Address.Net != conf.NetFD {
				continue
			}
			fd := b.Address.FD
			if !isListener(fd) {
				errs = append(errs, fmt.Errorf("%s: frontend '%s' on fd@%d: %w", b.Pos, f.Name, fd, noListener(fd)))
			}
			if !slices.Contains(fds, fd) {
				fds = append(fds, fd)
			}
		}
	}
	for _, s := range c.Global.StatsSockets {
		if fd := s.Address.FD; s.Address.Net == conf.NetFD && !isListener(fd) {
			errs = append(errs, fmt.Errorf("%s: stats socket 'fd@%d': %w", s.Pos, fd, noListener(fd)))
		}
	}
	return fds, errors.Join(errs...)
}

// isListener reports whether the descriptor is a listening stream socket. A
// SOCK_SEQPACKET socket of systemd's ListenSequentialPacket= is none: it cuts
// the bytes into packets, and the rest of a packet that is read in part is lost.
func isListener(fd int) bool {
	on, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_ACCEPTCONN)
	if err != nil || on == 0 {
		return false
	}
	kind, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_TYPE)
	return err == nil && kind == unix.SOCK_STREAM
}

func noListener(fd int) error {
	return fmt.Errorf("descriptor %d is not an inherited listening stream socket", fd)
}

// inheritedStats are the descriptors that stats sockets name, in the order of
// the configuration.
func inheritedStats(c *conf.Config) (fds []int) {
	for _, s := range c.Global.StatsSockets {
		if s.Address.Net == conf.NetFD {
			fds = append(fds, s.Address.FD)
		}
	}
	return fds
}

// unbound warns about sockets that systemd passed (LISTEN_FDS) and that no bind
// line uses: their clients would wait for ever.
func unbound(c *conf.Config, problems *conf.Problems) {
	if os.Getenv("LISTEN_PID") != strconv.Itoa(os.Getpid()) {
		return
	}
	passed, err := strconv.Atoi(os.Getenv("LISTEN_FDS"))
	if err != nil {
		problems.Warnf(conf.Pos{}, "LISTEN_FDS is '%s': want the number of sockets passed", os.Getenv("LISTEN_FDS"))
	}
	for fd := firstPassedFD; fd < firstPassedFD+passed; fd++ {
		if !binds(c, fd) {
			problems.Warnf(conf.Pos{}, "systemd passed a socket as descriptor %d, but no frontend has 'bind fd@%d'", fd, fd)
		}
	}
}

func binds(c *conf.Config, fd int) bool {
	for _, f := range c.Frontends {
		for _, b := range f.Binds {
			if b.Address.Net == conf.NetFD && b.Address.FD == fd {
				return true
			}
		}
	}
	return false
}
