package engine

import (
	"fmt"
	"runtime"

	"sluice/conf"
	"sluice/engine/stat"
)

// What the process needs beside connections, in file descriptors.
const (
	fdsPerConn  = 2  // client and server
	fdsPerLoop  = 4  // epoll, gnet's and our eventfd, timerfd
	fdsProcess  = 12 // stdio, the Go runtime's poller, the ready and crash pipes
	fdsPerAdmin = 9  // a stats socket and eight operators on it
	fdsReserve  = 16 // name look-ups, a log that opens again, what nobody thought of
	fewestPipes = 2  // per loop, if there is any room
)

// Every loop that can be configured can wait for a place.
const _ = uint(stat.MaxLoops - conf.MaxThreads)

// Plan is what the process can carry with the file descriptors and the memory
// it has: the budget of features worth knowing before the first connection.
type Plan struct {
	Loops    int
	MaxConn  int    // effective: connections at once
	Wanted   int    // by the configuration; 0: as many as fit
	Nofile   uint64 // the limit that was counted with
	Fixed    int    // descriptors for everything but connections and pipes
	Pipes    int    // for splicing, all loops together
	Memory   Memory
	Problems conf.Problems
}

// MakePlan divides nofile descriptors among what the configuration needs.
// maxconn is lowered to what fits: with a warning, or with an error under
// strict-limits.
func MakePlan(c *conf.Config, nofile uint64) Plan {
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
	fits := min((free-keep)/fdsPerConn, maxSession)
	p.MaxConn = fits
	if p.Wanted > 0 {
		p.MaxConn = min(p.Wanted, fits)
	}
	p.Pipes = min((free-p.MaxConn*fdsPerConn)/2, max(p.MaxConn/4, fewestPipes*p.Loops))
	p.judge(c)
	return p
}

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

// Descriptors is how many the plan uses at most.
func (p Plan) Descriptors() int { return p.MaxConn*fdsPerConn + p.Pipes*2 + p.Fixed }

// Sum shows the budget as an addition.
func (p Plan) Sum() string {
	return fmt.Sprintf("%d connections x %d + %d pipes x 2 + %d for %d loops, listeners, checks, logs and reserve = %d of %d",
		p.MaxConn, fdsPerConn, p.Pipes, p.Fixed, p.Loops,
		p.Descriptors(), p.Nofile)
}

func fixedFDs(c *conf.Config, loops int) int {
	n := fdsProcess + fdsReserve + loops*fdsPerLoop
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
	return n + len(c.Global.StatsSockets)*fdsPerAdmin + len(c.Global.Log)
}
