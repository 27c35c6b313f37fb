package pool

import (
	"fmt"
	"net/netip"

	"sluice/conf"
)

// Target is the address of a server. It never changes: a server whose address changes gets a new
// Target.
type Target struct {
	Net    conf.Network   // NetTCP: Addr is set; NetUnix and NetAbstract: Path is set
	Addr   netip.AddrPort // for NetTCP
	Path   string         // for NetUnix: the path; for NetAbstract: the name without its leading NUL
	Socket Socket         // the same address for system calls; nil if Means.Prepare is nil
}

// Socket is an address in the form in which the engine gives it to the kernel. The package pool
// only stores it.
type Socket interface {
	IsUnix() bool // reports whether it is the address of a UNIX socket
}

// Means are functions of the caller with which a backend finds the addresses of its servers.
type Means struct {
	Resolve func(host string) (netip.Addr, error) // resolves a host name; may be nil if there are none
	Prepare func(*Target) (Socket, error)         // makes Target.Socket; nil: nobody connects to the servers
}

// locate returns the target for an address. It resolves a host name, which can take seconds.
func (m Means) locate(a conf.Address) (*Target, error) {
	t := &Target{Net: a.Net, Path: a.Path}
	switch {
	case a.Net == conf.NetFD:
		return nil, fmt.Errorf("address 'fd@%d': wanted an address to connect to", a.FD)
	case a.Net == conf.NetTCP && a.Port == 0:
		return nil, fmt.Errorf("address has no port; wanted host:port")
	case a.Net == conf.NetTCP:
		ip, err := m.resolve(a)
		if err != nil {
			return nil, fmt.Errorf("could not resolve address '%s': %w", a.Host, err)
		}
		t.Addr = netip.AddrPortFrom(ip, a.Port)
	}
	if m.Prepare == nil {
		return t, nil
	}
	var err error
	t.Socket, err = m.Prepare(t)
	return t, err
}

func (m Means) resolve(a conf.Address) (netip.Addr, error) {
	if a.IP.IsValid() {
		return a.IP, nil
	}
	return m.Resolve(a.Host)
}

// same reports whether two targets are one address.
func (t *Target) same(other *Target) bool {
	return t.Net == other.Net && t.Addr == other.Addr && t.Path == other.Path
}
