package listen

import (
	"fmt"
	"net/netip"
	"path/filepath"

	"sluice/conf"
)

// endpoint identifies an address to listen on. If two lines had equal endpoints, the kernel would
// distribute the clients over both, or give all clients to one of them. Endpoints differ if their
// addresses only overlap: the kernel then chooses the most specific address, and *:443 rather than
// [::]:443 for IPv4.
type endpoint struct {
	net  conf.Network
	tcp  netip.AddrPort // for NetTCP; IPv4 is not mapped to IPv6
	path string         // of a UNIX socket: the result of realPath, or the abstract name
	fd   int
}

// listening is a configuration line that listens on an endpoint.
type listening struct {
	at      conf.Pos
	title   string // frontend 'web', or stats socket
	address conf.Address
}

func (l *listening) String() string { return fmt.Sprintf("%s at %s", l.title, l.at) }

// collisions reports lines that listen on the same endpoint as an earlier line. For an inherited
// socket of bind lines the problem is a warning, because that may be intended.
func collisions(c *conf.Config, lookUp func(host string) (netip.Addr, error)) (problems conf.Problems) {
	taken := map[endpoint]listening{}
	claim := func(what string, l listening) {
		e, known := endpointOf(l.address, lookUp)
		if !known {
			return
		}
		first, twice := taken[e]
		switch {
		case !twice:
			taken[e] = l
		case e.net == conf.NetFD && first.title != statsTitle && l.title != statsTitle:
			problems.Warnf(l.at, "%s: %s is bound by %s, too: chance decides which of the two gets a client", what, l.address, &first)
		default:
			problems.Errorf(l.at, "%s: %s is bound by %s, wanted another address", what, sameAs(l.address, first.address), &first)
		}
	}
	eachBind(c, func(f *conf.Frontend, b *conf.Bind) {
		claim("'bind' in "+f.Title(), listening{b.Pos, f.Title(), b.Address})
	})
	for _, s := range c.Global.StatsSockets {
		claim("'stats socket'", listening{s.Pos, statsTitle, s.Address})
	}
	return problems
}

const statsTitle = "'stats socket'"

// sameAs returns the text of an address, and the text of the earlier line if the texts differ.
func sameAs(a, first conf.Address) string {
	if a.String() == first.String() {
		return a.String()
	}
	return fmt.Sprintf("%s (written %s before)", a, first)
}

// endpointOf returns the endpoint of an address. known is false for a host name that has no address
// or resolves to the unspecified address. The second case occurs in the command explain, which does
// not resolve names: its lookUp returns the unspecified address for each name.
func endpointOf(a conf.Address, lookUp func(host string) (netip.Addr, error)) (e endpoint, known bool) {
	e.net = a.Net
	switch a.Net {
	case conf.NetUnix:
		e.path = realPath(a.Path)
	case conf.NetAbstract:
		e.path = a.Path
	case conf.NetFD:
		e.fd = a.FD
	case conf.NetTCP:
		ip, known := listenIP(a, lookUp)
		e.tcp = netip.AddrPortFrom(ip.Unmap(), a.Port)
		return e, known
	}
	return e, true
}

func listenIP(a conf.Address, lookUp func(host string) (netip.Addr, error)) (ip netip.Addr, known bool) {
	switch {
	case a.IP.IsValid():
		return a.IP, true
	case a.Host == "":
		return netip.IPv4Unspecified(), true
	}
	ip, err := lookUp(a.Host)
	return ip, err == nil && !ip.IsUnspecified()
}

// realPath returns the absolute path of a UNIX socket. If its directory exists, symbolic links in
// the directory are resolved.
func realPath(path string) string {
	path, err := filepath.Abs(path)
	if err != nil {
		return path
	}
	dir, err := filepath.EvalSymlinks(filepath.Dir(path))
	if err != nil {
		return path
	}
	return filepath.Join(dir, filepath.Base(path))
}
