package peer

import (
	"fmt"
	"net/netip"
)

// Route is the property of a connection by which a proxy chooses between the two sites.
type Route int

const (
	Nothing Route = iota // no choice: all connections go to site A
	Host                 // the field Host of the first HTTP request
	SNI                  // the server name of a TLS hello
)

func (r Route) String() string { return [...]string{"none", "host", "sni"}[r] }

// Site describes the configuration that a proxy must have.
type Site struct {
	Route   Route
	Rules   int               // number of names with a rule; 0 with Nothing
	Servers [2]netip.AddrPort // of site A and site B
	// Log is the address to which one line per connection is sent by UDP, in HAProxy's tcplog
	// format. An invalid address means no log.
	Log     netip.AddrPort
	MaxConn int // highest number of connections
	// HTTP makes the proxy read every request (mode http) instead of only the first one (mode
	// tcp).
	HTTP bool
	// Bulk announces large transfers. A proxy that is faster with larger buffers then gets
	// them.
	Bulk bool
	// Backends is the number of backends. Rule i uses backend i % Backends, and odd backends have
	// site B. It must be even. 0 means 2.
	Backends int
	Reloads  *Reloads // nil: the configuration is not replaced
}

// Files returns the number of files that a proxy must be able to open: two per connection, and
// 100 others.
func (s Site) Files() uint64 { return uint64(2*s.MaxConn + 100) }

func (s Site) backends() int { return max(len(s.Servers), s.Backends) }

// Threads is the number of threads of each proxy.
const Threads = 2

// Name returns the i-th host name. Of returns its site.
func Name(i int) string { return fmt.Sprintf("h%05d.site.test", i) }

// Of returns the site (0 or 1) of the i-th name. Successive names have different sites, so a
// proxy cannot merge two rules into one.
func Of(i int) int { return i % 2 }
