package pool

import (
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"sluice/conf"
	"sluice/pool/stat"
)

// Backend is a set of servers and an algorithm to choose one. Its exported fields do not change
// after New, except the counters in Stat.
type Backend struct {
	Name string
	ID   int // number of the backend, `iid` of show stat
	Conf *conf.Backend
	Stat stat.Proxy

	means     Means
	algorithm algorithm
	picker    picker
	roster    atomic.Pointer[roster]
	weight    atomic.Int64 // sum of the weights of the servers that balancing now uses
	active    atomic.Int32 // number of usable servers that are not backup servers
	backup    atomic.Int32 // number of usable backup servers

	listing sync.Mutex                           // held while roster or start changes
	start   func(s *Server, after time.Duration) // starts the checks of a server; nil: Check does not run

	checking chan struct{} // full while Check runs: only one call at a time

	changes  atomic.Int64 // how often the state of a server has changed
	building sync.Mutex   // held while picker gets a new set of servers
	built    int64        // value of changes that this set includes; guarded by building

	mu        sync.Mutex // held while a change is counted and reported, so that events are in order
	life      life       // of the backend as a whole; changed under mu
	available bool       // what life knows of Available; guarded by mu
}

// Key contains the properties of a connection that a balancing algorithm may use.
type Key struct {
	Source netip.Addr // the client's address; not valid for a client of a UNIX socket
}

// New makes a backend from its configuration. id is its number in show stat. New resolves the host
// name of each server that has one instead of an address.
//
// The problems name the wrong settings. If one of them is an error, the caller must not use the
// backend.
func New(id int, c *conf.Backend, m Means) (*Backend, conf.Problems) {
	b := &Backend{Name: c.Name, ID: id, Conf: c, means: m, checking: make(chan struct{}, 1)}
	var ps conf.Problems
	b.algorithm = chooseAlgorithm(c, &ps)
	b.picker = b.algorithm.make()
	servers := make([]*Server, len(c.Servers))
	for i, sc := range c.Servers {
		servers[i] = b.newServer(sc, &ps)
		servers[i].occupy(i)
	}
	b.roster.Store(&roster{servers, servers})
	b.available = len(servers) == 0 || slices.ContainsFunc(servers, (*Server).Usable)
	for _, s := range servers {
		b.record(s)
	}
	b.rebalance()
	return b, ps
}

// tier returns the counter that includes s: active or backup.
func (b *Backend) tier(s *Server) *atomic.Int32 {
	if s.Conf.Backup {
		return &b.backup
	}
	return &b.active
}

// Active returns the number of usable servers that are not backup servers.
func (b *Backend) Active() int { return int(b.active.Load()) }

// Backup returns the number of usable backup servers.
func (b *Backend) Backup() int { return int(b.backup.Load()) }

// Available reports whether a server is usable. It is also true for a backend without any
// servers, which HAProxy shows as UP.
func (b *Backend) Available() bool { return len(b.Servers()) == 0 || b.Active()+b.Backup() > 0 }

// Weight returns the sum of the weights of the servers that balancing now uses.
func (b *Backend) Weight() int { return int(b.weight.Load()) }

// Algorithm returns the name of the balancing algorithm.
func (b *Backend) Algorithm() string { return b.algorithm.name }

// Downs returns how often the backend lost its last usable server.
func (b *Backend) Downs() int64 { return b.life.downs.Load() }

// Since returns the milliseconds since the backend last went up or down, or since the start if
// it never did. now is stat.Now.
func (b *Backend) Since(now int64) int64 { return b.life.age(now) }

// Downtime returns the total time without a usable server, in milliseconds. now is stat.Now.
func (b *Backend) Downtime(now int64) int64 { return b.life.downtime(now) }
