package engine

import (
	"net/netip"

	"sluice/conf"
	"sluice/engine/admin"
	"sluice/engine/listen"
	"sluice/engine/site"
)

// LookUp returns the address of a host name. It may take seconds.
type LookUp func(host string) (netip.Addr, error)

// Compile compiles a configuration. The problems are warnings, and the errors for which
// listen.Open, New or admin.Listen would refuse the configuration. If one of them is an error, the
// site is nil. Compile opens no socket and no log target. It resolves each host name once.
func Compile(c *conf.Config, out site.Outside) (*site.Site, conf.Problems) {
	seen := observe(&out)
	made, problems := site.Compile(c, out)
	if !out.Checked {
		problems = append(problems, checkSockets(c, out.LookUp)...).Distinct()
	}
	if problems.Err() != nil {
		return nil, problems
	}
	made.View = seen.view(c)
	return made, problems
}

// checkSockets returns the problems of bind lines and stats sockets.
func checkSockets(c *conf.Config, lookUp LookUp) (problems conf.Problems) {
	for _, s := range c.Global.StatsSockets {
		if err := admin.Check(s, lookUp); err != nil {
			problems.Errorf(s.Pos, "%v", err)
		}
	}
	return append(problems, listen.Check(c, lookUp)...)
}

// Once returns a LookUp that calls l once for each host name and remembers the answer, because the
// resolver may take seconds. One goroutine at a time may call it.
func (l LookUp) Once() LookUp {
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
