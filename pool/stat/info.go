package stat

import "fmt"

// Info contains the values of the process at one moment, from which `show info` is written. The
// caller fills it.
type Info struct {
	Now       int64 // time of the values, ms, see Now
	Version   string
	Released  string   // date of the version, YYYY/MM/DD; empty: not known
	Threads   int      // number of event loops
	PID       int      // number of the process
	UlimitN   int      // maximum number of file descriptors of the process
	MaxSock   int      // maximum number of descriptors that the process needs
	MaxConn   int      // maximum number of connections of the process, maxconn
	MaxPipes  int      // maximum number of pipes for splicing
	Allocated int64    // bytes of memory that the process has from the system
	Used      int64    // bytes of memory in use, a part of Allocated
	Tasks     int      // number of goroutines
	Node      string   // name of the machine
	Stopping  bool     // no new clients are accepted
	Listeners int      // number of bind lines
	Dropped   int64    // number of log lines that could not be sent
	Counts    *Process // counters of the process
}

// in reports whether s contains the process.
func (i *Info) in(s Scope) bool { return s&ForProcess != 0 }

func (*Info) nothing() Value { return Value{} }

func (*Info) zero() Value { return Number(0) }

func (*Info) one() Value { return Number(1) }

// uptime returns the time since the start as HAProxy writes it: 0d 0h00m00s.
func (i *Info) uptime() string {
	s := i.Now / 1000
	return fmt.Sprintf("%dd %dh%02dm%02ds", s/86400, s/3600%24, s/60%60, s%60)
}

func (i *Info) stopping() Value {
	if i.Stopping {
		return Number(1)
	}
	return Number(0)
}

// rate returns the number of sessions that started in the last second.
func (i *Info) rate() int64 { return i.Counts.Rate().Per(i.Now) }

func (i *Info) maxRate() int64 { return i.Counts.Rate().Max() }
