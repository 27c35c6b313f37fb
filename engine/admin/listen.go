package admin

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/netip"
	"os"
	"os/user"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"sluice/conf"
)

// sunPath is the size in bytes of the name of a UNIX socket in the kernel (sun_path).
const sunPath = 108

// defaultMode is the mode of a stats socket whose configuration has none. Only its owner may
// connect, because commands may change the process.
const defaultMode = 0o600

// ErrInUse means that a running process listens on the path of the stats socket.
var ErrInUse = errors.New("another process listens there already")

// socket is a stats socket with its `level`, which decides about the data that its clients see, and
// about the commands that they may use.
type socket struct {
	net.Listener
	level string
}

// levelOf returns the level of a socket: user, operator or admin. A socket that Listen has not opened
// has the level of an unset `level`.
func levelOf(ln net.Listener) string {
	if s, ok := ln.(socket); ok {
		return s.level
	}
	return "operator"
}

// Listen opens a stats socket. A UNIX socket has its owner and mode before it appears at its path.
// It replaces an existing socket that no process listens on, but no other file.
//
// The path is not removed when the socket is closed, because the process may be in a chroot then.
func Listen(s conf.StatsSocket) (net.Listener, error) {
	ln, err := open(s)
	if err != nil {
		return nil, socketError(s, err)
	}
	return socket{ln, s.Level}, nil
}

func socketError(s conf.StatsSocket, err error) error {
	return fmt.Errorf("stats socket '%s': %w", s.Address, err)
}

// Check returns the error with which Listen would fail, if it is known before opening a socket.
// lookUp resolves a host name.
func Check(s conf.StatsSocket, lookUp func(host string) (netip.Addr, error)) error {
	var err error
	switch a := s.Address; {
	case a.Net == conf.NetUnix:
		_, _, err = owner(s)
		err = errors.Join(err, fits(a.Path))
		if err == nil {
			_, err = present(a.Path)
		}
	case a.Net == conf.NetTCP && a.Host != "" && !a.IP.IsValid():
		_, err = lookUp(a.Host)
	}
	if err != nil {
		return socketError(s, err)
	}
	return nil
}

func open(s conf.StatsSocket) (net.Listener, error) {
	switch a := s.Address; a.Net {
	case conf.NetUnix:
		return listenUnix(s)
	case conf.NetAbstract:
		// HAProxy fills sun_path with zero bytes; a shorter name would be another name.
		return net.Listen("unix", "@"+a.Path+strings.Repeat("\x00", max(sunPath-1-len(a.Path), 0)))
	case conf.NetFD:
		f := os.NewFile(uintptr(a.FD), a.String())
		defer f.Close()
		return net.FileListener(f)
	default:
		opener := net.ListenConfig{Control: shareWithBinds}
		return opener.Listen(context.Background(), family(a), host(a)+":"+strconv.Itoa(int(a.Port)))
	}
}

// family returns the network for package net: for an address without a host it
// is IPv4, as for a bind line.
func family(a conf.Address) string {
	if a.Host == "" && !a.IP.Is6() {
		return "tcp4"
	}
	return "tcp"
}

// shareWithBinds lets the address overlap those of bind lines, which have the
// same option: the kernel gives a client to the most specific address.
// listen.Open has made sure that no other process has the port.
func shareWithBinds(_, _ string, c syscall.RawConn) error {
	var failed error
	err := c.Control(func(fd uintptr) {
		failed = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_REUSEPORT, 1)
	})
	return errors.Join(err, failed)
}

func host(a conf.Address) string {
	switch {
	case !a.IP.IsValid():
		return a.Host
	case a.IP.Is6():
		return "[" + a.IP.String() + "]"
	}
	return a.IP.String()
}

// listenUnix creates the socket under a temporary name and then renames it. So a client never
// connects to a socket without its owner and mode.
func listenUnix(s conf.StatsSocket) (net.Listener, error) {
	path := s.Address.Path
	if err := replaceable(path); err != nil {
		return nil, err
	}
	if err := fits(path); err != nil {
		return nil, err
	}
	aside := asideOf(path)
	opener := net.ListenConfig{Control: closeToOthers}
	bound, err := opener.Listen(context.Background(), "unix", aside)
	if err != nil {
		return nil, err
	}
	ln := bound.(*net.UnixListener)
	ln.SetUnlinkOnClose(false)
	err = errors.Join(setOwner(aside, s), os.Chmod(aside, fs.FileMode(cmp.Or(s.Mode, defaultMode)).Perm()))
	if err == nil {
		err = os.Rename(aside, path)
	}
	if err != nil {
		return nil, errors.Join(err, ln.Close(), os.Remove(aside))
	}
	return ln, nil
}

// asideOf returns the temporary path of a socket.
func asideOf(path string) string { return fmt.Sprintf("%s.%d", path, os.Getpid()) }

// fits returns an error if a path is too long for the kernel.
func fits(path string) error {
	if aside := asideOf(path); len(aside) >= sunPath {
		return fmt.Errorf("path of %d bytes, wanted at most %d", len(path), sunPath-1-len(aside)+len(path))
	}
	return nil
}

// present reports whether there is a socket at path. A file of another kind is an error.
func present(path string) (bool, error) {
	info, err := os.Lstat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return false, nil
	case err != nil:
		return false, err
	case info.Mode().Type() != fs.ModeSocket:
		return false, fmt.Errorf("a %s is there, wanted a socket or nothing", kindOf(info.Mode()))
	}
	return true, nil
}

// replaceable returns an error unless a socket may be created at path. It may if there is no file,
// or a socket that refuses connections.
func replaceable(path string) error {
	if socket, err := present(path); err != nil || !socket {
		return err
	}
	conn, err := net.DialTimeout("unix", path, time.Second)
	switch {
	case err == nil:
		conn.Close()
		return ErrInUse
	case errors.Is(err, syscall.ECONNREFUSED):
		return nil
	case errors.Is(err, syscall.EAGAIN): // its queue is full, so a process listens on it
		return ErrInUse
	}
	return err
}

func kindOf(m fs.FileMode) string {
	switch m.Type() {
	case 0:
		return "file"
	case fs.ModeDir:
		return "directory"
	case fs.ModeSymlink:
		return "symbolic link"
	}
	return "device or pipe"
}

// closeToOthers sets the mode of a new socket to defaultMode before its file is created. Other users
// then cannot connect before the owner and the configured mode are set. The umask can only remove
// permissions.
func closeToOthers(_, _ string, c syscall.RawConn) error {
	var failed error
	if err := c.Control(func(fd uintptr) { failed = unix.Fchmod(int(fd), defaultMode) }); err != nil {
		return err
	}
	return failed
}

func setOwner(path string, s conf.StatsSocket) error {
	uid, gid, err := owner(s)
	if err != nil || uid < 0 && gid < 0 {
		return err
	}
	return os.Lchown(path, uid, gid)
}

// owner returns the user and the group that the socket is given to. -1 means that it is not
// changed.
func owner(s conf.StatsSocket) (uid, gid int, err error) {
	uid, gid = s.UID, s.GID
	if s.User != "" {
		if uid, err = userID(s.User); err != nil {
			return uid, gid, err
		}
	}
	if s.Group != "" {
		gid, err = groupID(s.Group)
	}
	return uid, gid, err
}

func userID(name string) (int, error) {
	u, err := user.Lookup(name)
	if err != nil {
		return 0, err
	}
	return strconv.Atoi(u.Uid)
}

func groupID(name string) (int, error) {
	g, err := user.LookupGroup(name)
	if err != nil {
		return 0, err
	}
	return strconv.Atoi(g.Gid)
}
