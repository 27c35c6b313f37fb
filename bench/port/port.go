// Package port finds addresses on the loopback that nobody listens on, for
// processes that can't be told to take any port. It keeps nothing.
package port

import (
	"fmt"
	"net"
	"net/netip"
)

// Ports below the range from which Linux takes those of outgoing connections
// (net.ipv4.ip_local_port_range), so that no client of a run takes one first.
const (
	first = 20000
	last  = 32000
)

// Free returns n different addresses on 127.0.0.1. They are free now; who uses
// them must be ready to fail.
func Free(n int) ([]netip.AddrPort, error) {
	var found []netip.AddrPort
	var held []net.Listener
	defer func() {
		for _, ln := range held {
			ln.Close()
		}
	}()
	for at := first; at < last && len(found) < n; at++ {
		addr := netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), uint16(at))
		ln, err := net.Listen("tcp", addr.String())
		if err != nil {
			continue
		}
		held, found = append(held, ln), append(found, addr)
	}
	if len(found) < n {
		return nil, fmt.Errorf("%d free ports from %d to %d, wanted %d", len(found), first, last, n)
	}
	return found, nil
}
