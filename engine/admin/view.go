package admin

import (
	"cmp"
	"slices"

	"sluice/conf"
	"sluice/engine/stat"
	"sluice/pool"
)

// View is what the door shows. It is not changed once given; what its pointers
// lead to is atomic.
type View struct {
	Process   Process
	Frontends []Frontend
	Backends  []*pool.Backend
}

// Process is what `show info` says beside the counters. A figure that is 0 is
// shown as 0.
type Process struct {
	Version     string
	Released    string // date of the version, YYYY/MM/DD; empty: not shown
	Threads     int    // event loops
	UlimitN     int    // file descriptors the process may open
	MaxSock     int    // descriptors the plan needs
	MaxConn     int
	MaxPipes    int
	Binds       int    // listening addresses
	DroppedLogs uint64 // lines that could not be sent
	Stopping    func() bool
	Stat        *stat.Process
}

// Frontend is one frontend. ID is `iid`: a `listen` section has one ID for its
// frontend and its backend. Rows are shown in the order of IDs.
type Frontend struct {
	ID      int
	Conf    *conf.Frontend
	MaxConn int // the limit in force
	Stat    *stat.Proxy
}

// rows returns the lines of `show stat`: by ID, a frontend before the servers
// of the backend, and these before the backend.
func (v *View) rows(now int64, legends bool) []row {
	var rows []row
	for _, f := range v.Frontends {
		rows = append(rows, frontendRow(f, now))
	}
	for _, b := range v.Backends {
		for _, s := range b.Servers {
			rows = append(rows, serverRow(b, s, now, legends))
		}
		rows = append(rows, backendRow(b, now, legends))
	}
	slices.SortStableFunc(rows, func(a, b row) int { return cmp.Compare(a["iid"].(int), b["iid"].(int)) })
	return rows
}
