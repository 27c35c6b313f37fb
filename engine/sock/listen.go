package sock

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"

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

// Bind opens n sockets for one bind line of a frontend and binds them to its address, which is no
// fd@N. They refuse clients until Listen. Each loop thus has its own queue of connections, and the
// kernel distributes connections over the queues. UNIX sockets cannot do this, so there the n
// descriptors refer to one socket.
//
// The caller must close the descriptors. Bind may not notice that another process listens on a TCP
// address: the sockets of this process share addresses (SO_REUSEPORT). To find such a conflict,
// call Probe for all bind lines first. For the path or name of a UNIX socket Bind returns ErrBusy.
func Bind(f *conf.Frontend, b *conf.Bind, n int) ([]int, error) {
	if b.Address.Net != conf.NetTCP {
		return bindUnix(b, n)
	}
	addr, err := Resolve(b.Address, LookUp)
	if err != nil {
		return nil, err
	}
	return bindTCP(&addr, optionsOf(b, &addr, SettingsOf(f, b).Backlog), n)
}

// Listen makes the sockets of Bind accept clients. The settings are those of their bind line. Listen
// needs no privileges, so it may run in a process that has got the sockets from another one.
//
// An error is hardly possible, because no other process can listen on an address after Bind. But
// memory can be short. After an error the caller must close all sockets, and some may have clients.
func Listen(fds []int, s Settings) error {
	for _, fd := range fds {
		if err := listen(fd, s); err != nil {
			return err
		}
	}
	return nil
}

// CheckListen returns the errors of Bind that can be found without opening a socket, for checks of a
// configuration.
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

// bindTCP opens n sockets with one address. With port 0 all of them get the port of the first one.
func bindTCP(addr *Addr, options []option, n int) ([]int, error) {
	options = append(options, option{unix.SOL_SOCKET, unix.SO_REUSEPORT, 1})
	var fds []int
	for range n {
		fd, err := openTCP(addr, options)
		if err != nil {
			CloseAll(fds)
			return nil, err
		}
		fds = append(fds, fd)
		if e := reserve(fd, true); e != 0 {
			CloseAll(fds)
			return nil, os.NewSyscallError("setsockopt", e)
		}
		if len(fds) == 1 { // port 0: the other sockets use the port of the first one
			Local(fd, addr)
		}
	}
	return fds, nil
}

// reserve decides whether another process can listen on the address of a bound TCP socket that does
// not listen yet. Without SO_REUSEADDR the kernel refuses that to the other process. The socket
// itself needs the option to listen beside connections that have the address.
func reserve(fd int, on bool) Errno {
	reuse := 1
	if on {
		reuse = 0
	}
	return rawOption(fd, unix.SOL_SOCKET, unix.SO_REUSEADDR, reuse)
}

// Probe returns ErrBusy if another socket listens on the TCP address of the bind line, or on an
// address that overlaps it. It binds a socket without SO_REUSEPORT and closes it. With that option,
// a second process of the same user could listen on the port without an error. The socket never
// listens, because a client in its queue would be reset. A process calls Probe for all its addresses
// before it binds the first one, because they may overlap each other. Probe returns nil for
// addresses of other kinds.
func Probe(b *conf.Bind) error {
	if b.Address.Net != conf.NetTCP || b.Address.Port == 0 {
		return nil
	}
	addr, err := Resolve(b.Address, LookUp)
	if err != nil {
		return err
	}
	fd, err := openTCP(&addr, optionsOf(b, &addr, 1))
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

// openTCP opens a socket and binds it.
func openTCP(addr *Addr, options []option) (int, error) {
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
	return fd, nil
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

// listen makes one socket of Bind accept clients.
func listen(fd int, s Settings) error {
	if e := reserve(fd, false); e != 0 { // without effect on a UNIX socket
		return os.NewSyscallError("setsockopt", e)
	}
	switch e := rawListen(fd, s.Backlog); e {
	case 0:
	case unix.EADDRINUSE:
		return ErrBusy
	default:
		return os.NewSyscallError("listen", e)
	}
	if s.DelayACK {
		DelayACK(fd) // accepted sockets inherit it; listen(2) resets an earlier setting
	}
	return nil
}

// Copies returns n duplicates of an inherited listening socket, which becomes non-blocking. fd stays
// open.
func Copies(fd, n int) ([]int, error) {
	fds, err := copies(fd, n)
	if err != nil {
		return nil, fmt.Errorf("inherited descriptor %d: %w", fd, err)
	}
	return fds, rawUnblock(fd)
}

func copies(fd, n int) (fds []int, _ error) {
	for len(fds) < n {
		dup, e := Duplicate(fd)
		if e != 0 {
			CloseAll(fds)
			return nil, os.NewSyscallError("dup", e)
		}
		fds = append(fds, dup)
	}
	return fds, nil
}

// CloseAll closes all fds.
func CloseAll(fds []int) {
	for _, fd := range fds {
		Close(fd)
	}
}
