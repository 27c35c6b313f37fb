package access

import (
	"net/netip"
	"strconv"
	"strings"

	"sluice/conf"
)

// Connect holds the values of HAProxy's default log line (configuration.txt 8.2.1). A frontend
// without tcplog or httplog logs this line when a connection is accepted, at level [Info]. It logs
// nothing when the connection ends.
type Connect struct {
	Client   netip.AddrPort // invalid: the client is on a UNIX socket
	Local    netip.AddrPort // the address that the client connected to
	Listener int32          // for a client on a UNIX socket: number of the bind directive, from 1
	Frontend string
	Mode     conf.Mode
}

// AppendConnect appends that line to dst, without header and newline. It does not allocate if dst
// has enough capacity.
func AppendConnect(dst []byte, c *Connect) []byte {
	if c.Client.IsValid() {
		dst = append(dst, "Connect from "...)
		dst = appendPeer(dst, c.Client, 0)
		dst = append(dst, " to "...)
		dst = appendPeer(dst, c.Local, 0)
	} else {
		dst = append(dst, "Connect to unix:"...)
		dst = strconv.AppendInt(dst, int64(c.Listener), 10)
	}
	dst = append(dst, " ("...)
	dst = append(dst, c.Frontend...)
	dst = append(dst, modeWords[c.Mode]...)
	return append(dst, ')')
}

// modeWords are the modes in the form of this line: in upper case.
var modeWords = [...]string{
	conf.TCP:  "/" + strings.ToUpper(conf.TCP.String()),
	conf.HTTP: "/" + strings.ToUpper(conf.HTTP.String()),
}
