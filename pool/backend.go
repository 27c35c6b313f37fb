package pool

import (
	"net/netip"
	"sync"
	"sync/atomic"

	"sluice/conf"
	"sluice/pool/stat"
)

// Backend is a set of servers and an algorithm to choose one. Its exported fields do not change
// after New, except the counters in Stat.
type Backend struct {
	Name    string
	ID      int // number of the backend, `iid` of show stat
	Conf    *conf.Backend
	Servers []*Server // in declared order
	Stat    stat.Proxy

	algorithm algorithm
	order     atomic.Pointer[order]
	active    atomic.Int32 // number of usable servers that are not backup servers
	backup    atomic.Int32 // number of usable backup servers

	changes  atomic.Int64 // how often checks have changed the state of a server
	building sync.Mutex   // held while order is rebuilt
	built    int64        // value of changes that order is built from; guarded by building

	checking chan struct{} // full while Check runs: the health of a server has one writer

	mu   sync.Mutex // held while a change is counted and reported, so that events are in order
	life life       // of the backend as a whole; changed under mu
	turn turn
}

// turn counts the choices of all loops. The padding keeps the counter in another cache line
// than fields that loops only read.
type turn struct {
	_ [64]byte
	n atomic.Uint64
	_ [64]byte
}

// Key contains the properties of a connection that a balancing algorithm may use.
type Key struct {
	Source netip.Addr // the client's address; not valid for a client of a UNIX socket
}

// New makes a backend from its configuration. id is its number in show stat. New calls resolve
// once for each server that has a host name instead of an address.
//
// The problems name the wrong settings. If one of them is an error, the caller must not use the
// backend.
func New(id int, c *conf.Backend, resolve func(host string) (netip.Addr, error)) (*Backend, conf.Problems) {
	b := &Backend{Name: c.Name, ID: id, Conf: c, checking: make(chan struct{}, 1)}
	var ps conf.Problems
	b.algorithm = chooseAlgorithm(c, &ps)
	for i, sc := range c.Servers {
		b.Servers = append(b.Servers, b.newServer(i+1, sc, resolve, &ps))
	}
	b.checkChecks(&ps)
	b.count()
	b.order.Store(b.build())
	return b, ps
}

func (b *Backend) newServer(id int, c *conf.Server, resolve func(string) (netip.Addr, error), ps *conf.Problems) *Server {
	s := &Server{Name: c.Name, ID: id, Conf: c, Net: c.Address.Net, Path: c.Address.Path, backend: b}
	s.life.since.Store(stat.Now())
	s.health.Store(int32(c.Rise)) // as in HAProxy: UP, but one failure makes it DOWN
	switch a := c.Address; {
	case a.Net == conf.NetFD:
		ps.Errorf(c.Pos, "server '%s': address 'fd@%d': wanted an address to connect to", s, a.FD)
	case a.Net == conf.NetTCP && a.Port == 0:
		ps.Errorf(c.Pos, "server '%s': address has no port; wanted host:port", s)
	case a.Net == conf.NetTCP:
		s.Addr = netip.AddrPortFrom(s.resolve(resolve, ps), a.Port)
	}
	return s
}

func (s *Server) resolve(resolve func(string) (netip.Addr, error), ps *conf.Problems) netip.Addr {
	a := s.Conf.Address
	if a.IP.IsValid() {
		return a.IP
	}
	ip, err := resolve(a.Host)
	if err != nil {
		ps.Errorf(s.Conf.Pos, "server '%s': could not resolve address '%s': %v", s, a.Host, err)
	}
	return ip
}

// count sets active and backup for the first time.
func (b *Backend) count() {
	for _, s := range b.Servers {
		if s.Usable() {
			b.tier(s).Add(1)
		}
	}
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
func (b *Backend) Available() bool { return len(b.Servers) == 0 || b.Active()+b.Backup() > 0 }

// Weight returns the sum of the weights of the servers that balancing now uses.
func (b *Backend) Weight() int { return b.order.Load().weight }

// Algorithm returns the name of the balancing algorithm.
func (b *Backend) Algorithm() string { return b.algorithm.name }

// Downs returns how often the backend lost its last usable server.
func (b *Backend) Downs() int64 { return b.life.downs.Load() }

// Since returns the milliseconds since the backend last went up or down, or since the start if
// it never did. now is stat.Now.
func (b *Backend) Since(now int64) int64 { return b.life.age(now) }

// Downtime returns the total time without a usable server, in milliseconds. now is stat.Now.
func (b *Backend) Downtime(now int64) int64 { return b.life.downtime(now) }
