// Package port finds free ports on the loopback, for processes that cannot be configured to use
// port 0.
package port

import (
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"sync/atomic"
)

// The ports are below those that Linux uses for outgoing connections
// (net.ipv4.ip_local_port_range). So no client of a run uses one of them.
const (
	first = 20000
	count = 12000
)

// next is the number of the port to try next, counted from first. It starts at a random port,
// because proxies share ports (SO_REUSEPORT). Two simultaneous runs that start at the same port
// could find the same free port.
var next atomic.Int64

func init() { next.Store(rand.Int64N(count)) }

// Free returns n different addresses on 127.0.0.1 that are free now. Another process may use
// one before the caller does, so the caller must handle that error. Any goroutine may call
// Free.
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
