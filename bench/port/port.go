// Package port finds addresses on the loopback that nobody listens on, for
// processes that can't be told to take any port.
package port

import (
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"sync/atomic"
)

// Ports below the range from which Linux takes those of outgoing connections
// (net.ipv4.ip_local_port_range), so that no client of a run takes one first.
const (
	first = 20000
	count = 12000
)

// next is where to look next. Proxies share ports (SO_REUSEPORT), so two runs
// at once must not come to the same one before somebody listens there: each
// begins elsewhere and goes on from there.
var next atomic.Int64

func init() { next.Store(rand.Int64N(count)) }

// Free returns n different addresses on 127.0.0.1. They are free now; who uses
// them must be ready to fail. It may be called from any goroutine.
func Free(n int) ([]netip.AddrPort, error) {
	var found []netip.AddrPort
	for range count {
		if len(found) == n {
			return found, nil
		}
		port := first + next.Add(1)%count
		addr := netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), uint16(port))
		if ln, err := net.Listen("tcp", addr.String()); err == nil {
			ln.Close()
			found = append(found, addr)
		}
	}
	return nil, fmt.Errorf("%d free ports from %d to %d, wanted %d", len(found), first, first+count-1, n)
}
