package pool

import (
	"cmp"
	"strings"

	"sluice/conf"
)

// algorithm is one way to choose among servers.
type algorithm struct {
	name  string // as after `balance`
	turns bool   // the next choice is another server, so a failed one is left at once
	most  int    // servers it can hold
	build func(servers []*Server) picker
}

// picker is an immutable choice among the servers it was built from. pick
// returns a usable server, avoid only if there is no other, nil if there is
// none.
type picker interface {
	pick(key Key, turn *turn, avoid *Server) *Server
}

// The first is what a backend without `balance` gets (configuration.txt 4.2).
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

// order is what loops see of a backend: the servers in use and whose turn it
// is. It is immutable.
type order struct {
	picker
	weight int // of all servers in use
}

// Pick chooses a server for a new connection, and counts the turn. avoid, which
// may be nil, is the server that just failed: it is chosen again only if no
// other is usable. Pick returns nil when no server is available. Any goroutine
// may call it; it takes no lock and allocates nothing.
func (b *Backend) Pick(key Key, avoid *Server) *Server {
	return b.order.Load().pick(key, &b.turn, avoid)
}

// build makes the order of the servers that are usable now.
func (b *Backend) build() *order {
	in := b.inUse()
	weight := 0
	for _, s := range in {
		weight += s.Conf.Weight
	}
	return &order{picker: b.algorithm.build(in), weight: weight}
}

// inUse returns the usable servers: backups only when there is nobody else, and
// then only the first unless `option allbackups` is set.
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
