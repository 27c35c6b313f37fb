package engine

import (
	"net/netip"

	"sluice/conf"
	"sluice/engine/access"
	"sluice/engine/admin"
	"sluice/engine/listen"
)

// LookUp returns the address of a host name.
type LookUp func(host string) (netip.Addr, error)

// Check returns the problems for which listen.Open, New and admin.Listen would refuse the
// configuration. It uses the same functions, but opens no socket. lookUp resolves host names.
func Check(c *conf.Config, lookUp LookUp) conf.Problems {
	lookUp = lookUp.once()
	_, problems := newSite(c, means{lookUp, func(targets []conf.LogTarget) (access.Route, error) {
		return access.None, access.Check(targets, lookUp)
	}})
	for _, s := range c.Global.StatsSockets {
		if err := admin.Check(s, lookUp); err != nil {
			problems.Errorf(s.Pos, "%v", err)
		}
	}
	if err := access.Check(c.Global.Log, lookUp); err != nil {
		problems.Errorf(logPos(c.Global.Log, c.Global.Pos), "%v", err)
	}
	return once(append(problems, listen.Check(c, lookUp)...))
}

// once returns a LookUp that remembers the answer for each host name, because
// the resolver may take seconds.
func (l LookUp) once() LookUp {
	type answer struct {
		ip  netip.Addr
		err error
	}
	known := map[string]answer{}
	return func(host string) (netip.Addr, error) {
		a, ok := known[host]
		if !ok {
			a.ip, a.err = l(host)
			known[host] = a
		}
		return a.ip, a.err
	}
}
