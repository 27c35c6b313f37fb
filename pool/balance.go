package pool

import (
	"cmp"
	"strings"

	"sluice/conf"
)

// algorithm is one way to choose among servers.
type algorithm struct {
	name  string // value of the directive balance
	turns bool   // successive choices differ, so a retry can choose another server without a pause
	most  int    // highest number of servers in a backend
	build func(servers []*Server) picker
}

// picker is an immutable choice among the servers from which it was built. pick returns a
// usable server, or nil if there is none. It returns avoid only if no other server is usable.
type picker interface {
	pick(key Key, turn *turn, avoid *Server) *Server
}

// The first algorithm is the default of a backend without `balance` (configuration.txt 4.2).
var algorithms = []algorithm{
	{name: "roundrobin", turns: true, most: 4095, build: newRotation},
}

func chooseAlgorithm(c *conf.Backend, ps *conf.Problems) algorithm {
	wanted := cmp.Or(c.Balance.Algorithm, algorithms[0].name)
	names := make([]string, len(algorithms))
	for i, a := range algorithms {
		if a.name == wanted {
			a.check(c, ps)
			return a
		}
		names[i] = a.name
	}
	at, written := c.At["balance"]
	if !written {
		at = c.Pos
	}
	ps.Errorf(at, "'balance %s' in %s: not supported yet, wanted %s", wanted, c.Title(), strings.Join(names, ", "))
	return algorithms[0]
}

func (a algorithm) check(c *conf.Backend, ps *conf.Problems) {
	if len(c.Servers) > a.most {
		ps.Errorf(c.Pos, "backend '%s': %d servers; balance %s can use at most %d",
			c.Name, len(c.Servers), a.name, a.most)
	}
}

// order is the immutable data that loops read about a backend: the servers in use and the
// algorithm's sequence of them.
type order struct {
	picker
	weight int // sum over all servers in use
}

// Pick chooses a server for a new connection. avoid is the server whose connection has just
// failed, or nil. Pick returns avoid only if no other server is usable, and nil if no server is
// usable.
//
// Each call moves the sequence of turns forward. Any goroutine may call Pick; it takes no lock
// and allocates nothing.
func (b *Backend) Pick(key Key, avoid *Server) *Server {
	return b.order.Load().pick(key, &b.turn, avoid)
}

// build returns an order of the servers that are usable now.
func (b *Backend) build() *order {
	in := b.inUse()
	weight := 0
	for _, s := range in {
		weight += s.Conf.Weight
	}
	return &order{picker: b.algorithm.build(in), weight: weight}
}

// inUse returns the usable servers. If there are only backup servers, it returns the first of
// them, or all with `option allbackups`.
func (b *Backend) inUse() []*Server {
	var active, backup []*Server
	for _, s := range b.Servers {
		switch {
		case !s.Usable():
		case s.Conf.Backup:
			backup = append(backup, s)
		default:
			active = append(active, s)
		}
	}
	switch {
	case len(active) > 0:
		return active
	case len(backup) > 1 && !b.Conf.AllBackups:
		return backup[:1]
	}
	return backup
}
