package pool

import (
	"cmp"
	"strings"

	"sluice/conf"
)

// algorithm describes a balancing algorithm.
type algorithm struct {
	name  string        // argument of the directive balance
	turns bool          // successive choices differ, so a retry needs no pause
	most  int           // maximum number of servers in a backend
	make  func() picker // makes the picker of a backend
}

// balancing is the algorithm of a backend with its picker. It is immutable.
type balancing struct {
	algorithm algorithm
	picker    picker
}

// picker chooses the server for each connection of a backend. A backend has one picker until its
// algorithm changes. The new picker then gets the drop of assignments whose take went to the old
// one. All loops call pick, take and drop at the same time.
type picker interface {
	// use sets the servers among which pick chooses. Each of them was usable just before the call.
	// use is called after each change of a server's state or weight, by one goroutine at a time.
	use(servers []*Server)
	// pick returns a usable server, or nil if there is none. It returns avoid only if no other
	// server is usable.
	pick(key Key, avoid *Server) *Server
	// take is called when a session was assigned to s, and drop when that assignment has ended. At
	// the call of take, Server.Stat.Cur includes the session; at the call of drop it does not.
	take(s *Server)
	drop(s *Server)
}

// The first algorithm is the default of a backend without `balance` (configuration.txt 4.2).
var algorithms = []algorithm{
	{name: "roundrobin", turns: true, most: 4095, make: newRoundRobin},
}

// algorithmName returns the name of the algorithm that the configuration wants.
func algorithmName(c *conf.Backend) string { return cmp.Or(c.Balance.Algorithm, algorithms[0].name) }

// chooseAlgorithm returns the algorithm that the configuration names. It adds an error if there is
// none.
func chooseAlgorithm(c *conf.Backend, ps *conf.Problems) algorithm {
	wanted := algorithmName(c)
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

// Pick chooses a server for a new connection. avoid is the server whose connection has just
// failed, or nil. Pick returns avoid only if no other server is usable, and nil if no server is
// usable.
//
// Pick adds a reference to the server that it returns. The caller must call Release when it no
// longer stores the server. Any goroutine may call Pick; it takes no lock and allocates nothing.
func (b *Backend) Pick(key Key, avoid *Server) *Server {
	for {
		sets := b.sets.Load()
		s := b.balancing.Load().picker.pick(key, avoid)
		switch {
		case s == nil && b.sets.Load() != sets:
			// pick may have looked at the servers before a change, of which none is usable any more.
		case s == nil || s.Hold():
			return s
		default:
			// The server was removed after pick had chosen it. The picker has new servers by now.
		}
	}
}

// Take counts a session as a current session of the server, and informs the picker. now is
// stat.Now. Take adds no reference.
func (s *Server) Take(now int64) {
	s.Stat.Open(now)
	s.backend.balancing.Load().picker.take(s)
}

// Drop ends the assignment that Take has counted. The caller must call Drop once for each call of
// Take. in and out are the bytes of the session from and to the client.
func (s *Server) Drop(in, out int64) {
	s.Stat.Close(in, out)
	s.backend.balancing.Load().picker.drop(s)
}

// rebalance gives the picker the servers that are usable now. One goroutine calls it at a time.
func (b *Backend) rebalance() {
	in := b.inUse()
	weight := 0
	for _, s := range in {
		weight += s.Weight()
	}
	b.balancing.Load().picker.use(in)
	b.sets.Add(1)
	b.weight.Store(int64(weight))
}

// inUse returns the usable servers that are not backup servers. If there are none, it returns the
// first usable backup server, or all of them with `option allbackups`.
func (b *Backend) inUse() []*Server {
	var active, backup []*Server
	for _, s := range b.Servers() {
		switch {
		case !s.Usable():
		case s.Conf().Backup:
			backup = append(backup, s)
		default:
			active = append(active, s)
		}
	}
	switch {
	case len(active) > 0:
		return active
	case len(backup) > 1 && !b.Conf().AllBackups:
		return backup[:1]
	}
	return backup
}
