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
	fdsReserve  = 16 // name look-ups, unforeseen needs
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

// Plan divides the file descriptors and the memory of the process among its needs. The first plan is
// made before the first connection is accepted.
type Plan struct {
	Loops    int           // number of loops, from 1
	MaxConn  int           // effective maxconn of the process
	Capacity int           // sessions for which each loop reserves memory, at least MaxConn
	Wanted   int           // maxconn of the configuration; 0: as many as fit
	Alone    int           // MaxConn if Others were 0
	Nofile   uint64        // limit on descriptors that the plan is based on
	Fixed    int           // descriptors for everything except connections, pipes and Others
	Others   int           // descriptors that only other configurations need, see Beside
	Pipes    int           // number of pipes for splice, of all loops; each needs two descriptors
	Memory   Memory        // budgets for held bytes
	Problems conf.Problems // errors and warnings; with an error, the plan must not be used
}

// Make divides nofile descriptors among the needs of the configuration. If maxconn does not
// fit, it is lowered, with a warning. Under strict-limits this is an error.
func Make(c *conf.Config, nofile uint64) Plan {
	p := Plan{Loops: c.Global.Threads, Nofile: nofile, Memory: memoryOf(&c.Global), Capacity: MostConns}
	if p.Loops <= 0 {
		p.Loops = min(runtime.NumCPU(), conf.MaxThreads)
	}
	p.divide(c, 0)
	p.Capacity = max(p.MaxConn, min(p.descriptors()/conf.FDsPerConn, mostUnasked))
	p.judge(c)
	return p
}

// divide sets the fields that depend on the configuration, on Others and on the number of open
// sessions. If maxconn is configured, pipes get only what it leaves.
func (p *Plan) divide(c *conf.Config, sessions int) {
	p.Wanted, p.Fixed = c.Global.MaxConn, fixedFDs(c, p.Loops)
	p.MaxConn, p.Alone = p.mostConns(p.Others), p.mostConns(0)
	left := p.descriptors() - p.Fixed - p.Others - max(p.MaxConn, sessions)*conf.FDsPerConn
	p.Pipes = max(min(left/2, max(p.MaxConn/4, fewestPipes*p.Loops)), 0)
}

// mostConns returns the number of connections that fit beside this number of descriptors for other
// configurations.
func (p *Plan) mostConns(others int) int {
	free := max(p.descriptors()-p.Fixed-others, 0)
	if p.Wanted > 0 {
		return min(p.Wanted, free/conf.FDsPerConn, p.Capacity)
	}
	keep := 2 * fewestPipes * p.Loops
	if free < 4*keep {
		keep = 0
	}
	return min((free-keep)/conf.FDsPerConn, mostUnasked, p.Capacity)
}

// descriptors returns the limit on descriptors as an int, which suffices for MostConns connections.
func (p *Plan) descriptors() int { return int(min(p.Nofile, 1<<30)) }

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
	free := p.descriptors() - p.Fixed - p.Others - 2*p.Pipes - conf.FDsPerConn*sessions
	return free / (conf.FDsPerConn * p.Loops)
}

// Descriptors returns the maximum number of descriptors that the process uses under the plan.
func (p Plan) Descriptors() int { return p.MaxConn*conf.FDsPerConn + p.Pipes*2 + p.Fixed + p.Others }

// Sum returns the plan as the text of an addition, for messages.
func (p Plan) Sum() string {
	others := ""
	if p.Others > 0 {
		others = fmt.Sprintf(" + %d for listeners and logs of other configurations", p.Others)
	}
	return fmt.Sprintf("%d connections x %d + %d pipes x 2 + %d for %d loops, listeners, checks, logs and reserve%s = %d of %d",
		p.MaxConn, conf.FDsPerConn, p.Pipes, p.Fixed, p.Loops, others, p.Descriptors(), p.Nofile)
}

// fixedFDs returns the number of descriptors that do not depend on the number of connections. Each log
// target counts twice, because a reload opens it anew.
func fixedFDs(c *conf.Config, loops int) int {
	n := fdsProcess + fdsReserve + loops*fdsPerLoop + len(c.Global.StatsSockets)*fdsPerAdmin
	for _, f := range c.Frontends {
		n += len(f.Binds) * loops
	}
	for _, b := range c.Backends {
		for _, s := range b.Servers {
			if s.Check {
				n++
			}
		}
	}
	return n + 2*len(logsOf(c))
}
