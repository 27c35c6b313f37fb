package stat

import (
	"math/bits"
	"net/netip"
)

// Row is one row of `show stat`: the values of a frontend, a backend or a server at one moment. The
// package that owns the object fills the row, and the metrics of Columns read it.
//
// A writer of many rows uses one Row for all of them: filling it allocates no memory, except for
// a State such as "UP 1/3".
type Row struct {
	Scope      Scope // the kind of the object: one bit
	ProxyName  string
	ServerName string // FRONTEND or BACKEND if the row is not a server
	ProxyID    int    // `iid` of show stat
	ServerID   int    // `sid`, from 1; 0 if the row is not a server
	HTTP       bool   // mode http
	Now        int64  // time of the row, ms, see Now
	Limit      int    // maximum number of connections; 0: no limit
	Status     string // without the progress to another status: UP, DOWN, MAINT
	State      string // with the progress: UP 1/3
	*Traffic
	Proxy *Proxy // nil if the row is a server

	// The following fields are only for backends and servers.
	Weight     int            // present weight; of a backend the sum over the servers in use
	UserWeight int            // as set in the configuration or by a command
	Active     int            // usable servers except backup servers; of a server 1: no backup server
	Backup     int            // usable backup servers; of a server 1: a backup server
	Since      int64          // milliseconds since the status changed
	Downs      int64          // number of times that the status became DOWN or MAINT
	Downtime   int64          // milliseconds in the status DOWN or MAINT; -1: not shown
	Cookie     string         // name of the backend's cookie, or value of the server's; empty: none
	Algorithm  string         // of a backend: name of the balancing algorithm
	Address    netip.AddrPort // of a server; not valid: the server has a UNIX socket
	Check      Check          // of a server
}

// Check is the state of the health checks of a server. The zero value is a server without checks.
type Check struct {
	Checked bool  // the server has checks
	Failed  int64 // number of failed checks, see pool.Server.FailedChecks
	Running bool  // checks run; false: the following fields are not valid

	Rise, Fall, Health int    // HAProxy's check_rise, check_fall and check_health
	Status, Text       string // INI, L4OK and so on, and their explanation
	Ended              bool   // a check has ended; false: the following fields are not valid
	Milliseconds       int64  // duration of the last check
	Code               int    // HTTP status code of the answer; 0: no answer
	Info               string // text of the error or of the answer
}

func (r *Row) in(s Scope) bool { return r.Scope&s != 0 }

// sessions returns the counters of sessions. For a frontend they include connections that were
// closed before a session began, as in HAProxy.
func (r *Row) sessions() *Load {
	if r.Scope == ForFrontend {
		return &r.Proxy.Conns
	}
	return &r.Load
}

func (r *Row) mode() string {
	if r.HTTP {
		return "http"
	}
	return "tcp"
}

// idle returns the seconds since the start of the last session; -1: there was no session.
func (r *Row) idle() int64 {
	if idle := r.Idle(r.Now); idle >= 0 {
		return idle / 1000
	}
	return -1
}

func (r *Row) address() string {
	if r.Address.IsValid() {
		return r.Address.String()
	}
	return "unix"
}

// kind returns 0 for a frontend, 1 for a backend and 2 for a server.
func (r *Row) kind() int64 { return int64(bits.TrailingZeros8(uint8(r.Scope))) }

func (r *Row) downtime() Value {
	if r.Downtime < 0 {
		return Value{}
	}
	return Number(r.Downtime / 1000)
}

// requests returns the number of requests. As in HAProxy, the value is empty for backends and
// servers in mode tcp.
func (r *Row) requests() Value {
	if r.Scope == ForFrontend {
		return Number(r.Requests.Total())
	}
	return r.inHTTP(r.Requests.Total())
}

func (r *Row) intercepted() Value { return r.inHTTP(r.Proxy.Intercepted.Load()) }

func (r *Row) cookie() Value {
	if r.Cookie == "" {
		return Value{}
	}
	return Text(r.Cookie)
}
