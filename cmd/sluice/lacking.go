package main

import (
	"bytes"
	"fmt"
	"os"
	"strconv"

	"sluice/conf"
)

// lacking warns of capabilities that the configuration needs and the process does not have, and of a
// `setcap` without effect. Only binding to a low port needs a capability. The process that opens the
// sockets does so: the master, if there is one. A worker that has given up root opens none.
func lacking(c *conf.Config, problems *conf.Problems) {
	id, _ := identityOf(&c.Global) // its problems are known already
	own, err := ownCapabilities()
	if err != nil {
		problems.Warnf(c.Global.Pos, "%v", err)
		return
	}
	idle(&c.Global, id, own, problems)
	if (own.effective|own.permitted&id.keep)&netBindService == 0 {
		lowPorts(c, own, problems)
	}
}

// idle warns of a `setcap` that gives nothing.
func idle(g *conf.Global, id identity, own capabilitySets, problems *conf.Problems) {
	switch missing := id.keep &^ own.permitted; {
	case id.keep == 0 || id.leavesRoot():
		return
	case os.Geteuid() == 0:
		problems.Warnf(g.Place("setcap"), "'setcap' has no effect: the process stays root with all its capabilities, wanted 'uid' or 'user' of an ordinary user")
	case missing != 0 && !id.changes(): // only root can make the changes
		problems.Warnf(g.Place("setcap"), "'setcap' cannot give %s: this process, uid %d, was started without it; %s", missing, os.Geteuid(), grant)
	}
}

const grant = "AmbientCapabilities= of systemd or setcap(8) on the program gives it"

// lowPorts warns of each line with a port that only cap_net_bind_service can bind to.
func lowPorts(c *conf.Config, own capabilitySets, problems *conf.Problems) {
	first := firstOpenPort()
	remedy := "start as root with 'uid', or use an inherited socket; " + grant
	if own.permitted&netBindService != 0 {
		remedy = "'setcap " + netBindService.String() + "' in the global section makes it effective"
	}
	warned := map[conf.Pos]bool{}
	warn := func(at conf.Pos, what string, a conf.Address) {
		if a.Net == conf.NetTCP && 0 < a.Port && int(a.Port) < first && !warned[at] {
			warned[at] = true
			problems.Warnf(at, "%s: port %d is below %d and needs %s, which this process, uid %d, cannot use: %s",
				what, a.Port, first, netBindService, os.Geteuid(), remedy)
		}
	}
	for _, f := range c.Frontends {
		for _, b := range f.Binds {
			warn(b.Pos, fmt.Sprintf("'bind' in frontend '%s'", f.Name), b.Address)
		}
	}
	for _, s := range c.Global.StatsSockets {
		warn(s.Pos, "'stats socket'", s.Address)
	}
}

// firstOpenPort returns the first port to which an ordinary user may bind.
func firstOpenPort() int {
	const usual = 1024
	text, err := os.ReadFile("/proc/sys/net/ipv4/ip_unprivileged_port_start")
	if err != nil {
		return usual // before Linux 4.11
	}
	n, err := strconv.Atoi(string(bytes.TrimSpace(text)))
	if err != nil {
		return usual
	}
	return n
}
