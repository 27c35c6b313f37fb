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

// Backend is a set of servers and an algorithm to choose one of them. Its exported fields do not
// change after New, except the counters in Stat. Its methods may be called from any goroutine, and
// return present values.
type Backend struct {
	Name string
	Stat stat.Proxy // counters, updated by loops

	id        atomic.Int64
	settings  atomic.Pointer[conf.Backend]
	means     Means // to find addresses of servers
	balancing atomic.Pointer[balancing]
	sets      atomic.Int64 // number of sets of servers that pickers got
	roster    atomic.Pointer[roster]
	weight    atomic.Int64 // sum of the weights of the servers that balancing now uses
	active    atomic.Int32 // number of usable servers that are not backup servers
	backup    atomic.Int32 // number of usable backup servers

	listing sync.Mutex                           // held while roster, start or an endChecks changes
	start   func(s *Server, after time.Duration) // starts the checks of s; nil: checks do not run

	changes  atomic.Int64 // number of changes of the states of servers
	building sync.Mutex   // held while the picker gets a new set of servers
	built    int64        // value of changes that the picker's set includes; guarded by building

	mu        sync.Mutex // held while a change is counted and reported, which keeps events in order
	life      life       // of the backend; changed under mu
	available bool       // result of Available that life has recorded; guarded by mu
	logs      []eventLog // receivers of events; the last one gets them; guarded by mu
}

// Key contains the properties of a connection that a balancing algorithm may use.
type Key struct {
	Source netip.Addr // the client's address; not valid for a client on a UNIX socket
}

// New makes a backend from its configuration. id is its number in show stat. New resolves the host
// names of servers, which can take seconds.
//
// The problems name the wrong settings. If one of them is an error, the caller must not use the
// backend.
func New(id int, c *conf.Backend, m Means) (*Backend, conf.Problems) {
	b := &Backend{Name: c.Name, means: m}
	b.id.Store(int64(id))
	b.settings.Store(c)
	var ps conf.Problems
	algorithm := chooseAlgorithm(c, &ps)
	b.balancing.Store(&balancing{algorithm, algorithm.make()})
	servers := make([]*Server, len(c.Servers))
	for i, sc := range c.Servers {
		servers[i] = b.newServer(sc, &ps)
	}
	b.roster.Store(&roster{enlist(nil, servers...), servers})
	b.available = len(servers) == 0 || slices.ContainsFunc(servers, (*Server).Usable)
	for _, s := range servers {
		b.record(s)
	}
	b.rebalance()
	return b, ps
}

// Conf returns the present settings of the backend. A reload replaces them at any time, so a caller
// that compares several of them calls Conf once. The result is immutable.
func (b *Backend) Conf() *conf.Backend { return b.settings.Load() }

// ID returns the number of the backend, `iid` of show stat. After a reload it is the number in the
// new configuration.
func (b *Backend) ID() int { return int(b.id.Load()) }

// Active returns the number of usable servers that are not backup servers.
func (b *Backend) Active() int { return int(b.active.Load()) }

// Backup returns the number of usable backup servers.
func (b *Backend) Backup() int { return int(b.backup.Load()) }

// Available reports whether at least one server is usable. It is also true for a backend without
// any servers, which HAProxy shows as UP.
func (b *Backend) Available() bool { return len(b.Servers()) == 0 || b.Active()+b.Backup() > 0 }

// Weight returns the sum of the weights of the servers that balancing now uses.
func (b *Backend) Weight() int { return int(b.weight.Load()) }

// Algorithm returns the name of the balancing algorithm, as in the directive balance.
func (b *Backend) Algorithm() string { return b.balancing.Load().algorithm.name }

// Downs returns the number of times that the backend lost its last usable server.
func (b *Backend) Downs() int64 { return b.life.downs.Load() }

// Since returns the milliseconds since the backend last went up or down, or since New if it never
// did. now is stat.Now.
func (b *Backend) Since(now int64) int64 { return b.life.age(now) }

// Downtime returns the total time without a usable server, in milliseconds. now is stat.Now.
func (b *Backend) Downtime(now int64) int64 { return b.life.downtime(now) }
