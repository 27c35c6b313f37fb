package sock

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Addr is a socket address in the kernel's format, so that system calls need no conversion and
// no allocation. It contains no pointer, because some addresses are stored outside the Go heap.
type Addr struct {
	raw unix.RawSockaddrAny
	len uint32
}

// ErrPath is returned if the path or abstract name of a UNIX socket does not fit into an address.
var ErrPath = errors.New("path of a UNIX socket is empty or longer than 107 bytes")

// IP returns the address of a TCP endpoint. The zone of an IPv6 address is the name or the
// index of a network interface. An unknown interface is an error.
func IP(ap netip.AddrPort) (Addr, error) {
	var a Addr
	ip := ap.Addr()
	if ip.Is4() {
		sa := (*unix.RawSockaddrInet4)(unsafe.Pointer(&a.raw))
		sa.Family, sa.Addr, sa.Port = unix.AF_INET, ip.As4(), networkOrder(ap.Port())
		a.len = unix.SizeofSockaddrInet4
		return a, nil
	}
	sa := (*unix.RawSockaddrInet6)(unsafe.Pointer(&a.raw))
	sa.Family, sa.Addr, sa.Port = unix.AF_INET6, ip.As16(), networkOrder(ap.Port())
	a.len = unix.SizeofSockaddrInet6
	scope, err := scopeID(ip.Zone())
	sa.Scope_id = scope
	return a, err
}

// Unix returns the address of a UNIX socket at a path. A path that is empty or too long gives an
// error that wraps ErrPath.
func Unix(path string) (Addr, error) { return unixAddr(path, 0) }

// Abstract returns the address of a UNIX socket in the abstract name space. The name is padded
// with NUL bytes to the full length, as HAProxy does for abns@. The error wraps ErrPath.
func Abstract(name string) (Addr, error) {
	a, err := unixAddr(name, 1)
	a.len = unix.SizeofSockaddrUnix
	return a, err
}

// unixAddr puts name into an address after lead NUL bytes: 0 for a path, 1 for an abstract
// name.
func unixAddr(name string, lead int) (Addr, error) {
	var a Addr
	sa := (*unix.RawSockaddrUnix)(unsafe.Pointer(&a.raw))
	if name == "" || lead+len(name) >= len(sa.Path) {
		return a, fmt.Errorf("%w: %q", ErrPath, name)
	}
	sa.Family = unix.AF_UNIX
	for i := range len(name) {
		sa.Path[lead+i] = int8(name[i])
	}
	a.len = uint32(unsafe.Offsetof(sa.Path)) + uint32(lead+len(name)) + 1
	return a, nil
}

// IsUnix reports whether a is the address of a UNIX socket.
func (a *Addr) IsUnix() bool { return a.raw.Addr.Family == unix.AF_UNIX }

// AddrPort returns the IP address and the port. IPv4 addresses mapped to IPv6 become IPv4
// addresses, and the zone is left out. For a UNIX socket AddrPort returns the zero value.
func (a *Addr) AddrPort() netip.AddrPort {
	switch a.raw.Addr.Family {
	case unix.AF_INET:
		sa := (*unix.RawSockaddrInet4)(unsafe.Pointer(&a.raw))
		return netip.AddrPortFrom(netip.AddrFrom4(sa.Addr), networkOrder(sa.Port))
	case unix.AF_INET6:
		sa := (*unix.RawSockaddrInet6)(unsafe.Pointer(&a.raw))
		return netip.AddrPortFrom(netip.AddrFrom16(sa.Addr).Unmap(), networkOrder(sa.Port))
	}
	return netip.AddrPort{}
}

// String returns the address as text: IP and port, or unix@ or abns@ with the path or name.
func (a *Addr) String() string {
	if !a.IsUnix() {
		return a.AddrPort().String()
	}
	sa := (*unix.RawSockaddrUnix)(unsafe.Pointer(&a.raw))
	path := make([]byte, 0, len(sa.Path))
	for _, c := range sa.Path[1:] {
		if c == 0 {
			break
		}
		path = append(path, byte(c))
	}
	if sa.Path[0] == 0 {
		return "abns@" + string(path)
	}
	return "unix@" + string(byte(sa.Path[0])) + string(path)
}

// networkOrder converts a port between the byte order of the machine and that of the network.
func networkOrder(port uint16) uint16 {
	var b [2]byte
	binary.BigEndian.PutUint16(b[:], port)
	return binary.NativeEndian.Uint16(b[:])
}

// scopeID returns the index of the interface with this name or index; 0 for an empty zone.
func scopeID(zone string) (uint32, error) {
	if zone == "" {
		return 0, nil
	}
	if n, err := strconv.ParseUint(zone, 10, 32); err == nil {
		return uint32(n), nil
	}
	dev, err := net.InterfaceByName(zone)
	if err != nil {
		return 0, fmt.Errorf("zone %q: no network interface of that name", zone)
	}
	return uint32(dev.Index), nil
}
