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

// sunPath is what the kernel has for the name of a UNIX socket.
const sunPath = 108

// defaultMode is the mode of a stats socket for which none is written: it may
// hold commands that change the process, so nobody but its owner connects.
const defaultMode = 0o600

// ErrInUse says that a living process listens on the stats socket's path.
var ErrInUse = errors.New("another process listens there already")

// socket is a stats socket that knows what its clients may see.
type socket struct {
	net.Listener
	level string
}

// seesLegends says whether clients of the socket are shown addresses and
// cookies: from level operator on.
func seesLegends(ln net.Listener) bool {
	s, ok := ln.(socket)
	return !ok || s.level != "user"
}

// Listen opens a stats socket. A UNIX socket gets its owner and mode before
// its name appears; it takes the place of a socket nobody listens on any more,
// and of nothing else. The path stays when the socket is closed, as the process
// may be in a chroot by then.
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

// Check says why Listen would fail, where that is known before a socket is
// opened. lookUp finds the address of a host name.
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
		// HAProxy's names fill all of sun_path, and a shorter one is another.
		return net.Listen("unix", "@"+a.Path+strings.Repeat("\x00", max(sunPath-1-len(a.Path), 0)))
	case conf.NetFD:
		f := os.NewFile(uintptr(a.FD), a.String())
		defer f.Close()
		return net.FileListener(f)
	default:
		return net.Listen("tcp", host(a)+":"+strconv.Itoa(int(a.Port)))
	}
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

// listenUnix prepares the socket under a name of its own and then renames it,
// so that no client ever meets it half made.
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

// asideOf is the path under which a socket is prepared.
func asideOf(path string) string { return fmt.Sprintf("%s.%d", path, os.Getpid()) }

// fits refuses a path that is too long for the kernel.
func fits(path string) error {
	if aside := asideOf(path); len(aside) >= sunPath {
		return fmt.Errorf("path of %d bytes, wanted at most %d", len(path), sunPath-1-len(aside)+len(path))
	}
	return nil
}

// present reports whether a socket is at path. A file of another kind is an
// error.
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

// replaceable says whether a socket may be put at path: nothing is there, or a
// socket that refuses connections.
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
	case errors.Is(err, syscall.EAGAIN): // its queue is full: it lives
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

// closeToOthers sets the mode that a UNIX socket's file is made with, so that
// it is never open to more users than later: the umask can only take away.
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

// owner returns who the socket is given to, -1 for nobody.
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
