package admin

import (
	"sluice/conf"
	"sluice/pool"
	"sluice/pool/stat"
)

// View is the data that the stats socket shows. It does not change; the counters that it points to
// are atomic.
type View struct {
	Process   stat.Info // without the values of the runtime and the system, see info
	Frontends []Frontend
	Backends  []*pool.Backend
}

// Frontend is one frontend. ID is the column `iid`. The frontend and the backend of a `listen`
// section have the same ID. Rows are sorted by ID.
type Frontend struct {
	ID      int
	Conf    *conf.Frontend
	MaxConn int // the limit in force, of the frontend or of the process
	Stat    *stat.Proxy
}

// fill makes r the row of the frontend in `show stat`.
func (f *Frontend) fill(r *stat.Row, now int64) {
	*r = stat.Row{
		Scope: stat.ForFrontend, ProxyName: f.Conf.Name, ServerName: "FRONTEND", ProxyID: f.ID, HTTP: f.Conf.Mode == conf.HTTP,
		Now: now, Limit: f.MaxConn, Status: "OPEN", State: "OPEN", Traffic: &f.Stat.Traffic, Proxy: f.Stat,
	}
}
