package listen

import (
	"net"
	"net/netip"
	"strconv"

	"sluice/conf"
)

// bindName returns the address of a bind line as text for messages.
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
