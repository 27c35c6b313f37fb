package stat

import (
	"math/bits"
	"net/netip"
)

// Row is one row of `show stat`: a frontend, a backend or a server at one moment. The owner of the
// object fills the row, and the metrics of Columns read it.
//
// A writer of many rows uses one Row for all of them: filling it allocates no memory, except for
// a State such as "UP 1/3".
type Row struct {
	Scope      Scope // one bit
	ProxyName  string
	ServerName string // FRONTEND and BACKEND if the row is no server
	ProxyID    int    // `iid`
	ServerID   int    // `sid`, from 1; 0 if the row is no server
	HTTP       bool   // mode http
	Now        int64  // time of the row, see Now
	Limit      int    // connections at most; 0: no limit
	Status     string // without the progress to another status: UP, DOWN, MAINT
	State      string // with the progress: UP 1/3
	*Traffic
	Proxy *Proxy // nil if the row is a server

	// The rest is for backends and servers.
	Weight     int            // in effect; of a backend the sum over the servers in use
	UserWeight int            // as set in the configuration or by a command
	Active     int            // usable servers that are no backup servers; of a server 1 or 0
	Backup     int            // usable backup servers; of a server 1 or 0
	Since      int64          // milliseconds since the status changed
	Downs      int64          // how often the status became DOWN
	Downtime   int64          // milliseconds in the status DOWN; -1: the status cannot change
	Cookie     string         // name of the backend's cookie, or value of the server's; empty: none
	Algorithm  string         // of a backend
	Address    netip.AddrPort // of a server; not valid: a UNIX socket
	Check      Check
}

// Check is the state of the health checks of a server. The zero value is a server without checks.
type Check struct {
	Checked bool  // the server has checks
	Failed  int64 // failed checks
	Running bool  // false: the server is disabled, and the rest is not known

	Rise, Fall, Health int    // HAProxy's check_rise, check_fall and check_health
	Status, Text       string // INI, L4OK and so on, and their explanation
	Ended              bool   // a check has ended; if not, the rest is not known
	Milliseconds       int64  // duration of the last check
	Code               int    // status of the answer; 0: none
	Info               string // text of the error or of the answer
}

func (r *Row) in(s Scope) bool { return r.Scope&s != 0 }

// sessions returns the counters of open sessions. For a frontend they include connections that
// became no session, as in HAProxy.
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

// idle returns the seconds since the last session, -1 if there was none.
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

// requests returns the number of requests. HAProxy shows it in mode tcp for frontends only.
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
