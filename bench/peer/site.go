package peer

import (
	"fmt"
	"net/netip"
)

// Route is by what a proxy chooses between the two sites.
type Route int

const (
	Nothing Route = iota // everything goes to site A
	Host                 // the Host of the first HTTP request
	SNI                  // the server name of a TLS hello
)

func (r Route) String() string { return [...]string{"none", "host", "sni"}[r] }

// Site is what a proxy is asked to do.
type Site struct {
	Route   Route
	Rules   int               // names to tell apart; 0 with Nothing
	Servers [2]netip.AddrPort // of site A and B
	// Log is where a line in HAProxy's tcplog format is sent for each
	// connection, by UDP; invalid: no log.
	Log     netip.AddrPort
	MaxConn int
	// HTTP has every request read (mode http), not only the first (mode tcp).
	HTTP bool
	// Bulk has many bytes pass: who gains by larger buffers has them.
	Bulk bool
}

// Files is how many a proxy must be allowed to have open: two a connection, and
// some of its own.
func (s Site) Files() uint64 { return uint64(2*s.MaxConn + 100) }

// Threads is what every proxy has for its work.
const Threads = 2

// Name is the i-th name of a site, and Of says to which of the two it belongs.
func Name(i int) string { return fmt.Sprintf("h%05d.site.test", i) }

// Of is the site (0 or 1) of the i-th name. Neighbours differ, so that no two
// rules could be one.
func Of(i int) int { return i % 2 }
