package access

import (
	"net/netip"
	"strconv"
	"strings"

	"sluice/conf"
)

// Connect is what HAProxy's default line tells (configuration.txt 8.2.1). A
// frontend without tcplog or httplog sends it at accept, at level [Info], and
// sends nothing when the connection ends.
type Connect struct {
	Client   netip.AddrPort // not valid: a UNIX client
	Local    netip.AddrPort // the address the client connected to
	Listener int32          // of a UNIX client: the number of the bind line, from 1
	Frontend string
	Mode     conf.Mode
}

// AppendConnect appends that line, with neither header nor newline. It does not
// allocate if dst has room.
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

// modeWords are the modes as this line shouts them.
var modeWords = [...]string{
	conf.TCP:  "/" + strings.ToUpper(conf.TCP.String()),
	conf.HTTP: "/" + strings.ToUpper(conf.HTTP.String()),
}
