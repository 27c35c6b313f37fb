package plan

import "sluice/conf"

// Others are the needs of other configurations than that of a plan.
type Others struct {
	Logs     []*conf.Config // their log targets are open; may contain the configuration of the plan
	Sockets  *conf.Config   // its listening sockets are open, too; nil: none
	Removed  int            // descriptors of further listening sockets, of removed bind lines
	Sessions int            // sessions that are open now
}

// Beside returns the plan for c if these other configurations are in use, too. The number of loops,
// the memory and the capacity stay as they are. A descriptor that both need is counted once: that of
// a listening socket with the same address, and that of a log target with the same destination.
//
// The plan has an error if the connections do not fit, unless they fit neither before nor without
// the other configurations. Pipes get what is left, and cause no error.
func (p Plan) Beside(o Others, c *conf.Config) Plan {
	n := p
	n.Problems, n.Others = nil, o.descriptors(c, p.Loops)
	n.divide(c, o.Sessions)
	n.judge(c)
	lowered := p.Wanted == n.Wanted && p.Wanted > p.Alone
	switch open := o.Sessions*conf.FDsPerConn + n.Fixed + n.Others; {
	case n.Problems.Err() != nil:
	case n.Wanted > n.MaxConn && !lowered:
		n.Problems = nil
		n.Problems.Errorf(c.Global.Pos, "maxconn %d does not fit into %d file descriptors: %s; lower maxconn, or restart", n.Wanted, n.Nofile, n.sumOfWanted())
	case open-fdsReserve > p.descriptors():
		n.Problems.Errorf(c.Global.Pos, "%d connections are open, and do not fit into %d file descriptors beside the new configuration: %d x %d + %d = %d; try again when connections have ended, or restart",
			o.Sessions, n.Nofile, o.Sessions, conf.FDsPerConn, n.Fixed+n.Others, open)
	}
	return n
}

// sumOfWanted returns the sum that exceeds the descriptors.
func (p Plan) sumOfWanted() string {
	p.MaxConn, p.Pipes = p.Wanted, 0
	return p.Sum()
}

// descriptors returns the number of descriptors that o needs beside those of c.
func (o *Others) descriptors(c *conf.Config, loops int) int {
	logs, own := logsOf(o.Logs...), logsOf(c)
	for target := range own {
		delete(logs, target)
	}
	n := len(logs) + o.Removed
	if o.Sockets != nil {
		n += loops * missing(socketsOf(o.Sockets), socketsOf(c))
	}
	return n
}

// destination identifies what a log target opens.
type destination struct {
	kind    conf.LogKind
	address conf.Address
	path    string
}

// logsOf returns the destinations of all log targets. Targets with the same destination share one
// descriptor.
func logsOf(all ...*conf.Config) map[destination]bool {
	to := map[destination]bool{}
	for _, c := range all {
		for _, t := range c.LogTargets() {
			to[destination{t.Kind, t.Address, t.Path}] = true
		}
	}
	return to
}

// socketsOf returns the number of bind lines by address. Package listen compares more exactly: it keeps
// the sockets of a host name that becomes its IP address, which count twice here.
func socketsOf(c *conf.Config) map[conf.Address]int {
	lines := map[conf.Address]int{}
	for _, f := range c.Frontends {
		for _, b := range f.Binds {
			lines[b.Address]++
		}
	}
	return lines
}

// missing returns the number of bind lines in was that is does not have.
func missing(was, is map[conf.Address]int) (n int) {
	for address, lines := range was {
		n += max(lines-is[address], 0)
	}
	return n
}
