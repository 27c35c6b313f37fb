package pool

import (
	"fmt"
	"net/netip"

	"sluice/conf"
)

// Target is the address of a server. It is immutable: if the address of a server changes, the
// server gets a new Target.
type Target struct {
	Net    conf.Network   // NetTCP: Addr is set; NetUnix and NetAbstract: Path is set
	Addr   netip.AddrPort // for NetTCP
	Path   string         // for NetUnix: the path; for NetAbstract: the name without its leading NUL
	Socket Socket         // the same address for system calls; nil if Means.Prepare is nil
}

// Socket is an address in the form that system calls take. Package pool only stores it for the
// engine.
type Socket interface {
	IsUnix() bool // reports whether it is the address of a UNIX socket
}

// Means contains the functions with which a backend finds the addresses of its servers. The caller
// of New provides them.
type Means struct {
	Resolve func(host string) (netip.Addr, error) // resolves a host name; nil: no server has one
	Prepare func(*Target) (Socket, error)         // makes Target.Socket; nil: Socket is not needed
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

// String returns the address as the configuration has it.
func (t *Target) String() string {
	if t.Net == conf.NetTCP {
		return t.Addr.String()
	}
	return conf.Address{Net: t.Net, Path: t.Path}.String()
}

// same reports whether two targets have the same address.
func (t *Target) same(other *Target) bool {
	return t.Net == other.Net && t.Addr == other.Addr && t.Path == other.Path
}
