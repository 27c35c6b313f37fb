package pool

import (
	"net/netip"
	"sync"
	"sync/atomic"

	"sluice/conf"
	"sluice/engine/stat"
)

// Backend is a set of servers and the way to choose one. Its exported fields
// do not change after New.
type Backend struct {
	Name    string
	ID      int // `iid` of show stat
	Conf    *conf.Backend
	Servers []*Server // in declared order
	Stat    stat.Proxy

	algorithm algorithm
	order     atomic.Pointer[order]
	active    atomic.Int32 // usable servers that are no backup
	backup    atomic.Int32

	changes  atomic.Int64 // of what servers were found to be
	building sync.Mutex   // one rebuild of order at a time
	built    int64        // changes that order holds; guarded by building

	mu   sync.Mutex // orders events, and what they tell, between checks
	life life       // changed under mu
	turn turn
}

// turn counts the choices of all loops. It is apart from what they read.
type turn struct {
	_ [64]byte
	n atomic.Uint64
	_ [64]byte
}

// Key is what balancing may look at. An algorithm declares which part of it
// it needs.
type Key struct {
	Source netip.Addr
}

// New makes a backend of its configuration. resolve is asked once for each
// server that is named and not numbered. The problems name what cannot work;
// the backend is not to be used when one of them is an error.
func New(id int, c *conf.Backend, resolve func(host string) (netip.Addr, error)) (*Backend, conf.Problems) {
	b := &Backend{Name: c.Name, ID: id, Conf: c}
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
	s.health.Store(int32(c.Rise)) // HAProxy: up, but one failure is enough
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

// count fills active and backup for the first time.
func (b *Backend) count() {
	for _, s := range b.Servers {
		if s.Usable() {
			b.tier(s).Add(1)
		}
	}
}

func (b *Backend) tier(s *Server) *atomic.Int32 {
	if s.Conf.Backup {
		return &b.backup
	}
	return &b.active
}

// Active returns how many servers balancing may choose now, backups aside.
func (b *Backend) Active() int { return int(b.active.Load()) }

// Backup returns how many backup servers could be used.
func (b *Backend) Backup() int { return int(b.backup.Load()) }

// Available says whether a session can be served, or could be if there were
// any server at all: HAProxy calls a backend without servers UP.
func (b *Backend) Available() bool { return len(b.Servers) == 0 || b.Active()+b.Backup() > 0 }

// Weight returns the sum of the weights in use.
func (b *Backend) Weight() int { return b.order.Load().weight }

// Algorithm returns the name of the balancing algorithm.
func (b *Backend) Algorithm() string { return b.algorithm.name }

// Downs returns how often the last usable server went down.
func (b *Backend) Downs() int64 { return b.life.downs.Load() }

// Since returns the milliseconds since the backend last went up or down, or
// since the start. now is stat.Now.
func (b *Backend) Since(now int64) int64 { return b.life.age(now) }

// Downtime returns the milliseconds without a usable server in all.
func (b *Backend) Downtime(now int64) int64 { return b.life.downtime(now) }
