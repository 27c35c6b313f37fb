package listen

import (
	"sluice/conf"
	"sluice/engine/sock"
)

// checkFastOpen warns of options `tfo` that the system does not allow. It gives at most one warning
// for bind lines and one for servers. Such connections are made without TCP Fast Open.
func checkFastOpen(c *conf.Config) conf.Problems {
	bits, known := sock.FastOpen()
	if !known {
		return nil
	}
	return fastOpenProblems(c, bits)
}

// fastOpenProblems returns the warnings of checkFastOpen on a system whose setting has these bits.
func fastOpenProblems(c *conf.Config, bits int) (problems conf.Problems) {
	fine := bits
	warn := func(at conf.Pos, where string, bit int) {
		if fine&bit == 0 {
			problems.Warnf(at, "'tfo' of %s has no effect: %s is %d, wanted %d", where, sock.FastOpenSetting, bits, bits|bit)
		}
		fine |= bit
	}
	eachBind(c, func(f *conf.Frontend, b *conf.Bind) {
		if b.TFO {
			warn(b.Pos, "bind "+bindName(b)+" in "+f.Title(), sock.FastOpenListens)
		}
	})
	for _, b := range c.Backends {
		for _, s := range b.Servers {
			if s.TFO {
				warn(s.Pos, "server '"+s.Name+"' in "+b.Title(), sock.FastOpenConnects)
			}
		}
	}
	return problems
}
