package sock

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/user"
	"strconv"

	"golang.org/x/sys/unix"

	"sluice/conf"
)

// deepest is the default length of the queue of connections that wait for accept. It is more than
// any kernel allows: listen(2) reduces it to net.core.somaxconn. So the queue gets the largest
// allowed length.
const deepest = 65535

// ErrBusy is returned if another socket already listens on the address.
var ErrBusy = errors.New("another process listens there already")

// Resolve converts an address from the configuration into a socket address. It calls lookUp for
// a host name. An address without a host is the IPv4 wildcard 0.0.0.0.
func Resolve(a conf.Address, lookUp func(host string) (netip.Addr, error)) (Addr, error) {
	switch {
	case a.Net == conf.NetUnix:
		return Unix(a.Path)
	case a.Net == conf.NetAbstract:
		return Abstract(a.Path)
	case a.IP.IsValid():
		return IP(netip.AddrPortFrom(a.IP, a.Port))
	case a.Host == "":
		return IP(netip.AddrPortFrom(netip.IPv4Unspecified(), a.Port))
	}
	ip, err := lookUp(a.Host)
	if err != nil {
		return Addr{}, err
	}
	return IP(netip.AddrPortFrom(ip, a.Port))
}

// LookUp resolves a host name to one address. It prefers IPv4, as HAProxy does at its start.
func LookUp(host string) (netip.Addr, error) {
	for _, family := range []string{"ip4", "ip6"} {
		ips, err := net.DefaultResolver.LookupNetIP(context.Background(), family, host)
		if err == nil && len(ips) > 0 {
			return ips[0], nil
		}
	}
	return netip.Addr{}, fmt.Errorf("host name %q can't be resolved to an address", host)
}

// Listen opens n listening sockets for one bind line of a frontend. Each loop thus has its own
// queue of connections, and the kernel distributes connections over the queues. UNIX sockets and
// inherited descriptors cannot do this, so there the n descriptors refer to one socket.
//
// The caller must close the descriptors. Listen may not notice that another process listens on a
// TCP address: the sockets of this process share addresses (SO_REUSEPORT). To find such a conflict,
// call Probe for all bind lines first. For the path or name of a UNIX socket Listen returns
// ErrBusy.
func Listen(f *conf.Frontend, b *conf.Bind, n int) ([]int, error) {
	backlog := cmp.Or(b.Backlog, f.Backlog, deepest)
	switch b.Address.Net {
	case conf.NetFD:
		return copies(b.Address.FD, n, false)
	case conf.NetUnix, conf.NetAbstract:
		fd, err := listenUnix(b, backlog)
		if err != nil {
			return nil, err
		}
		return copies(fd, n, true)
	}
	addr, err := Resolve(b.Address, LookUp)
	if err != nil {
		return nil, err
	}
	fds, err := listenTCP(&addr, optionsOf(b, &addr, backlog), backlog, n)
	if f.SmartAccept {
		for _, fd := range fds {
			DelayACK(fd) // accepted sockets inherit it; listen(2) resets an earlier setting
		}
	}
	return fds, err
}

// CheckListen returns the errors of Listen that can be found without opening a socket, for checks
// of a configuration.
func CheckListen(b *conf.Bind, lookUp func(host string) (netip.Addr, error)) error {
	if b.Address.Net == conf.NetFD {
		return nil
	}
	if _, err := Resolve(b.Address, lookUp); err != nil {
		return err
	}
	if b.Address.Net != conf.NetUnix {
		return nil
	}
	if _, err := replaceable(b.Address.Path); err != nil {
		return err
	}
	_, _, err := owner(b)
	return err
}

// listenTCP opens n sockets on one address. With port 0 all of them get the port of the first
// one.
func listenTCP(addr *Addr, options []option, backlog, n int) ([]int, error) {
	options = append(options, option{unix.SOL_SOCKET, unix.SO_REUSEPORT, 1})
	var fds []int
	for range n {
		fd, err := openTCP(addr, options, backlog)
		if err != nil {
			CloseAll(fds)
			return nil, err
		}
		fds = append(fds, fd)
		if len(fds) == 1 { // port 0: the other sockets use the port of the first one
			Local(fd, addr)
		}
	}
	return fds, nil
}

// Probe returns ErrBusy if another socket listens on the TCP address of the bind line, or on an
// address that overlaps it. It opens a socket without SO_REUSEPORT and closes it. With that option,
// a second process of the same user could listen on the port without an error. A process calls
// Probe for all its addresses before it listens on the first one, because they may overlap each
// other. Probe returns nil for addresses of other kinds.
func Probe(b *conf.Bind) error {
	if b.Address.Net != conf.NetTCP || b.Address.Port == 0 {
		return nil
	}
	addr, err := Resolve(b.Address, LookUp)
	if err != nil {
		return err
	}
	fd, err := openTCP(&addr, optionsOf(b, &addr, 1), 1)
	if err != nil {
		return err
	}
	Close(fd)
	return nil
}

// option is a socket option with its value.
type option struct{ level, name, value int }

// optionsOf returns the options of a bind line's listening sockets. Accepted sockets inherit
// them.
func optionsOf(b *conf.Bind, addr *Addr, backlog int) []option {
	options := []option{
		{unix.SOL_SOCKET, unix.SO_REUSEADDR, 1},
		{unix.IPPROTO_TCP, unix.TCP_NODELAY, 1},
	}
	if b.TFO {
		options = append(options, option{unix.IPPROTO_TCP, unix.TCP_FASTOPEN, backlog})
	}
	if a := b.Address; addr.raw.Addr.Family == unix.AF_INET6 && (a.V4V6 || a.V6Only) {
		only := 0
		if a.V6Only {
			only = 1
		}
		options = append(options, option{unix.IPPROTO_IPV6, unix.IPV6_V6ONLY, only})
	}
	return options
}

func openTCP(addr *Addr, options []option, backlog int) (int, error) {
	fd, e := Stream(addr)
	if e != 0 {
		return -1, os.NewSyscallError("socket", e)
	}
	for _, o := range options {
		if e := rawOption(fd, o.level, o.name, o.value); e != 0 {
			Close(fd)
			return -1, os.NewSyscallError("setsockopt", e)
		}
	}
	if err := bind(fd, addr); err != nil {
		Close(fd)
		return -1, err
	}
	return fd, listen(fd, backlog)
}

func listenUnix(b *conf.Bind, backlog int) (int, error) {
	addr, err := Resolve(b.Address, LookUp)
	if err != nil {
		return -1, err
	}
	if b.Address.Net == conf.NetUnix {
		if err := ClearStale(b.Address.Path); err != nil {
			return -1, err
		}
	}
	fd, e := Stream(&addr)
	if e != 0 {
		return -1, os.NewSyscallError("socket", e)
	}
	if err := bind(fd, &addr); err != nil {
		Close(fd)
		return -1, err
	}
	if err := grant(b); err != nil {
		Close(fd)
		return -1, err
	}
	return fd, listen(fd, backlog)
}

// ClearStale removes the socket file that an earlier process left at path. It returns ErrBusy
// if a process still listens there, and an error if the file is not a socket.
func ClearStale(path string) error {
	stale, err := replaceable(path)
	if err != nil || !stale {
		return err
	}
	conn, err := net.Dial("unix", path)
	if err == nil {
		_ = conn.Close()
		return ErrBusy
	}
	return os.Remove(path)
}

// replaceable reports whether there is a socket file at path. A file of another kind is an
// error.
func replaceable(path string) (stale bool, err error) {
	info, err := os.Lstat(path)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return false, nil
	case err != nil:
		return false, err
	case info.Mode()&os.ModeSocket == 0:
		return false, fmt.Errorf("%s exists and is not a socket", path)
	}
	return true, nil
}

// grant sets the owner and the permissions of a UNIX socket's file, as its bind line demands.
func grant(b *conf.Bind) error {
	if b.Address.Net != conf.NetUnix {
		return nil
	}
	if b.Mode != 0 {
		if err := os.Chmod(b.Address.Path, os.FileMode(b.Mode)); err != nil {
			return err
		}
	}
	uid, gid, err := owner(b)
	if err != nil || uid < 0 && gid < 0 {
		return err
	}
	return os.Chown(b.Address.Path, uid, gid)
}

// owner returns the user and the group for the socket file of a UNIX bind line. -1 leaves the
// user or the group unchanged.
func owner(b *conf.Bind) (uid, gid int, err error) {
	uid, gid = b.UID, b.GID
	if b.User != "" {
		u, err := user.Lookup(b.User)
		if err != nil {
			return -1, -1, fmt.Errorf("user '%s' is not known on this machine", b.User)
		}
		uid, _ = strconv.Atoi(u.Uid)
	}
	if b.Group != "" {
		g, err := user.LookupGroup(b.Group)
		if err != nil {
			return -1, -1, fmt.Errorf("group '%s' is not known on this machine", b.Group)
		}
		gid, _ = strconv.Atoi(g.Gid)
	}
	return uid, gid, nil
}

// bind assigns the address to the socket. Its errors have a text for the user.
func bind(fd int, addr *Addr) error {
	e := rawBind(fd, addr)
	switch err := os.NewSyscallError("bind", e); {
	case e == 0:
		return nil
	case e == unix.EADDRINUSE:
		return ErrBusy
	case e == unix.EACCES && !addr.IsUnix():
		return fmt.Errorf("%w: ports below 1024 want root or CAP_NET_BIND_SERVICE", err)
	default:
		return err
	}
}

// listen starts listening. If that fails, it closes fd.
func listen(fd, backlog int) error {
	e := rawListen(fd, backlog)
	if e == 0 {
		return nil
	}
	Close(fd)
	if e == unix.EADDRINUSE {
		return ErrBusy
	}
	return os.NewSyscallError("listen", e)
}

// copies returns n duplicates of the listening descriptor fd. own means that this process
// opened fd: copies then closes it. Otherwise fd was inherited and becomes non-blocking.
func copies(fd, n int, own bool) ([]int, error) {
	var fds []int
	for len(fds) < n {
		dup, e := Duplicate(fd)
		if e != 0 {
			CloseAll(fds)
			return nil, fmt.Errorf("inherited descriptor %d: %w", fd, os.NewSyscallError("dup", e))
		}
		fds = append(fds, dup)
	}
	if own {
		Close(fd)
		return fds, nil
	}
	return fds, rawUnblock(fd)
}

// CloseAll closes all fds.
func CloseAll(fds []int) {
	for _, fd := range fds {
		Close(fd)
	}
}
