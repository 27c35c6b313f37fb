package listen

import (
	"net/netip"

	"sluice/conf"
	"sluice/engine/sock"
)

// Check returns the problems of the lines of a configuration that listen. They are errors of [Open]
// that can be found without opening a socket, and addresses that occur twice. Check also warns of
// options `tfo`, of bind lines and of servers, that the system does not allow. lookUp resolves host
// names.
func Check(c *conf.Config, lookUp func(host string) (netip.Addr, error)) conf.Problems {
	problems := checkFastOpen(c)
	eachBind(c, func(f *conf.Frontend, b *conf.Bind) {
		if err := sock.CheckListen(b, lookUp); err != nil {
			problems.Errorf(b.Pos, "%v", openError(f.Name, b, err))
		}
	})
	return append(problems, collisions(c, lookUp)...)
}

// eachBind calls do for each bind line, in the order of the configuration.
func eachBind(c *conf.Config, do func(*conf.Frontend, *conf.Bind)) {
	for _, f := range c.Frontends {
		for i := range f.Binds {
			do(f, &f.Binds[i])
		}
	}
}
