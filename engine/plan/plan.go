package plan

import (
	"fmt"
	"runtime"

	"sluice/conf"
	"sluice/pool/stat"
)

// Descriptors that the process needs beside conf.FDsPerConn for each connection.
const (
	fdsPerLoop  = 4  // epoll, gnet's eventfd, the reactor's eventfd and timerfd
	fdsProcess  = 12 // descriptors of the process itself: stdio, the Go runtime's poller, pipes; some spare
	fdsPerAdmin = 9  // a stats socket and eight connections to it
	fdsReserve  = 16 // name look-ups, reopened logs, unforeseen needs
	fewestPipes = 2  // minimum per loop, if there are enough descriptors
)

// MostConns is the highest MaxConn of a plan. It is the highest number of a session: one loop may
// get all connections.
const MostConns = 1<<29 - 1

// mostUnasked is the highest MaxConn without a maxconn in the configuration, and the highest
// Capacity above MaxConn. There is a bound because memory is reserved for each connection and the
// limit on descriptors may be infinite.
const mostUnasked = 1<<22 - 1

// This does not compile if more loops can be configured than can wait for one stat.Limit.
const _ = uint(stat.MaxLoops - conf.MaxThreads)

// Plan divides the file descriptors and the memory of the process among its needs, before the
// first connection is accepted.
type Plan struct {
	Loops    int           // number of loops, from 1
	MaxConn  int           // effective maxconn of the process
	Capacity int           // sessions for which each loop reserves memory, at least MaxConn
	Wanted   int           // maxconn of the configuration; 0: as many as fit
	Nofile   uint64        // limit on descriptors that the plan is based on
	Fixed    int           // descriptors for everything except connections and pipes
	Pipes    int           // number of pipes for splice, of all loops; each needs two descriptors
	Memory   Memory        // budgets for held bytes
	Problems conf.Problems // errors and warnings; with an error, the plan must not be used
}

// Make divides nofile descriptors among the needs of the configuration. If maxconn does not
// fit, it is lowered, with a warning. Under strict-limits this is an error.
func Make(c *conf.Config, nofile uint64) Plan {
	p := Plan{Loops: c.Global.Threads, Wanted: c.Global.MaxConn, Nofile: nofile, Memory: memoryOf(&c.Global)}
	if p.Loops <= 0 {
		p.Loops = min(runtime.NumCPU(), conf.MaxThreads)
	}
	p.Fixed = fixedFDs(c, p.Loops)
	free := max(int(min(nofile, 1<<30))-p.Fixed, 0)
	keep := 2 * fewestPipes * p.Loops
	if free < 4*keep {
		keep = 0
	}
	fits := min((free-keep)/conf.FDsPerConn, MostConns)
	p.MaxConn = min(fits, mostUnasked)
	if p.Wanted > 0 {
		p.MaxConn = min(p.Wanted, fits)
	}
	p.Capacity = max(p.MaxConn, min(fits, mostUnasked))
	p.Pipes = min((free-p.MaxConn*conf.FDsPerConn)/2, max(p.MaxConn/4, fewestPipes*p.Loops))
	p.judge(c)
	return p
}

// Beside returns the plan for a configuration that replaces others at run time. The sockets and logs
// of all of them are open for a while. The number of loops, the pipes and the memory stay as they
// are. The plan has an error if the connections do not fit, unless they did not fit before.
func (p Plan) Beside(others []*conf.Config, c *conf.Config) Plan {
	lowered := p.Wanted == c.Global.MaxConn && p.Wanted > p.MaxConn
	n := p
	n.Wanted, n.Problems, n.Fixed = c.Global.MaxConn, nil, fixedFDs(c, p.Loops)
	alone := n.Fixed
	for _, other := range others {
		n.Fixed += ownFDs(other, p.Loops)
	}
	fits := (int(min(p.Nofile, 1<<30)) - n.Fixed - 2*p.Pipes) / conf.FDsPerConn
	n.MaxConn = min(max(fits, 0), p.Capacity)
	if n.Wanted > 0 {
		n.MaxConn = min(n.MaxConn, n.Wanted)
	}
	n.judge(c)
	if n.Wanted > n.MaxConn && n.Problems.Err() == nil && !lowered {
		n.Problems = nil
		n.Problems.Errorf(c.Global.Pos, "maxconn %d does not fit into %d file descriptors, beside the sockets and logs of %d configurations: %s; lower maxconn, or restart",
			n.Wanted, n.Nofile, len(others)+1, n.Sum())
	}
	n.Fixed = alone
	return n
}

// judge adds the problems of a plan that does not satisfy the configuration.
func (p *Plan) judge(c *conf.Config) {
	at := c.Global.Pos
	switch {
	case p.MaxConn < 1:
		p.Problems.Errorf(at, "%d file descriptors are too few to carry one connection: %s; raise ulimit-n", p.Nofile, p.Sum())
	case p.Wanted > p.MaxConn && c.Global.StrictLimits:
		p.Problems.Errorf(at, "maxconn %d does not fit into %d file descriptors, and strict-limits is on: %s; raise ulimit-n or lower maxconn", p.Wanted, p.Nofile, p.Sum())
	case p.Wanted > p.MaxConn:
		p.Problems.Warnf(at, "maxconn %d does not fit into %d file descriptors, lowered to %d: %s", p.Wanted, p.Nofile, p.MaxConn, p.Sum())
	}
}

// Spare returns the number of further sessions that each loop may have if the process has sessions
// of them now. It leaves enough descriptors for these sessions and for the pipes. During a drain
// the result may exceed MaxConn. It can be negative.
func (p Plan) Spare(sessions int) int {
	free := int(min(p.Nofile, 1<<30)) - p.Fixed - 2*p.Pipes - conf.FDsPerConn*sessions
	return free / (conf.FDsPerConn * p.Loops)
}

// Descriptors returns the maximum number of descriptors that the process uses under the plan.
func (p Plan) Descriptors() int { return p.MaxConn*conf.FDsPerConn + p.Pipes*2 + p.Fixed }

// Sum returns the plan as the text of an addition, for messages.
func (p Plan) Sum() string {
	return fmt.Sprintf("%d connections x %d + %d pipes x 2 + %d for %d loops, listeners, checks, logs and reserve = %d of %d",
		p.MaxConn, conf.FDsPerConn, p.Pipes, p.Fixed, p.Loops,
		p.Descriptors(), p.Nofile)
}

// fixedFDs returns the number of descriptors that do not depend on the number of connections.
func fixedFDs(c *conf.Config, loops int) int {
	return fdsProcess + fdsReserve + loops*fdsPerLoop + len(c.Global.StatsSockets)*fdsPerAdmin + ownFDs(c, loops)
}

// ownFDs returns the number of descriptors that a configuration needs for itself: for listening
// sockets, log targets and checks.
func ownFDs(c *conf.Config, loops int) int {
	n := len(c.Global.Log)
	for _, f := range c.Frontends {
		n += len(f.Binds)*loops + len(f.Log.Targets)
	}
	for _, b := range c.Backends {
		n += len(b.Log.Targets)
		for _, s := range b.Servers {
			if s.Check {
				n++
			}
		}
	}
	return n
}
