package admin

import (
	"cmp"
	"slices"

	"sluice/conf"
	"sluice/pool"
	"sluice/pool/stat"
)

// View is the data that the stats socket shows. It does not change; the counters that it points to
// are atomic.
type View struct {
	Process   Process
	Frontends []Frontend
	Backends  []*pool.Backend
}

// Process holds the values of `show info` that are not counters. A value of 0 is written as 0.
type Process struct {
	Version     string
	Released    string      // release date of the version, YYYY/MM/DD; empty: not shown
	Threads     int         // number of event loops
	UlimitN     int         // limit of file descriptors of the process
	MaxSock     int         // descriptors that the process needs at most
	MaxConn     int         // limit of connections of the process
	MaxPipes    int         // limit of pipes for splicing
	Binds       int         // number of listening addresses
	DroppedLogs uint64      // log lines that could not be sent
	Stopping    func() bool // reports whether the process is stopping
	Stat        *stat.Process
}

// Frontend is one frontend. ID is the column `iid`. The frontend and the backend of a `listen`
// section have the same ID. Rows are sorted by ID.
type Frontend struct {
	ID      int
	Conf    *conf.Frontend
	MaxConn int // the limit in force, of the frontend or of the process
	Stat    *stat.Proxy
}

// rows returns the rows of `show stat`, sorted by ID. With the same ID a frontend comes first, then
// the servers of the backend, then the backend. now is in milliseconds, as stat.Now returns it.
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
