package admin

import (
	"maps"

	"sluice/conf"
	"sluice/pool"
	"sluice/pool/stat"
)

// Types of rows. `show stat` filters them by a bit mask of 1 << type.
const (
	typeFrontend = iota
	typeBackend
	typeServer
)

func frontendRow(f Frontend, now int64) row {
	s := f.Stat
	r := row{
		"pxname": f.Conf.Name, "svname": "FRONTEND", "status": "OPEN", "mode": f.Conf.Mode,
		"iid": f.ID, "sid": 0, "type": typeFrontend, "slim": f.MaxConn,
		"dreq": s.DeniedReq.Load(), "dresp": s.DeniedResp.Load(), "ereq": s.FailedReq.Load(),
		"rate_lim":  0,
		"conn_rate": s.Conns.Rate().Per(now), "conn_rate_max": s.Conns.Rate().Max(), "conn_tot": s.Conns.Total(),
		"dcon": s.DeniedConn.Load(), "dses": s.DeniedSess.Load(),
		"req_rate": s.Requests.Rate().Per(now), "req_rate_max": s.Requests.Rate().Max(), "req_tot": s.Requests.Total(),
	}
	if f.Conf.Mode == conf.HTTP {
		r["intercepted"] = s.Intercepted.Load()
	}
	addLoad(r, &s.Load, now)
	r["scur"], r["smax"] = s.Conns.Cur(), s.Conns.Max() // includes connections that became no session
	addResponses(r, f.Conf.Mode, &s.Requests)
	return r
}

func backendRow(b *pool.Backend, now int64, legends bool) row {
	s := &b.Stat
	r := row{
		"pxname": b.Name, "svname": "BACKEND", "status": backendStatus(b), "mode": b.Conf.Mode,
		"iid": b.ID, "sid": 0, "type": typeBackend,
		"weight": b.Weight(), "uweight": b.Weight(), "act": b.Active(), "bck": b.Backup(),
		"chkdown": b.Downs(), "lastchg": b.Since(now) / 1000,
		"dreq": s.DeniedReq.Load(), "dresp": s.DeniedResp.Load(),
		"econ": s.FailedConn.Load(), "eresp": s.FailedResp.Load(), "wretr": s.Retries.Load(), "wredis": s.Redispatches.Load(),
		"lbtot": s.Selected.Load(), "cli_abrt": s.ClientAborts.Load(), "srv_abrt": s.ServerAborts.Load(),
		"connect": s.Connects.Load(), "reuse": s.Reuses.Load(),
	}
	if len(b.Servers) > 0 {
		r["downtime"] = b.Downtime(now) / 1000
	}
	if legends {
		r["algo"] = b.Algorithm()
		if b.Conf.Cookie != nil {
			r["cookie"] = b.Conf.Cookie.Name
		}
	}
	addServing(r, &s.Load, &s.Times, now)
	addResponses(r, b.Conf.Mode, &s.Requests)
	return r
}

func backendStatus(b *pool.Backend) pool.Status {
	if b.Available() {
		return pool.Up
	}
	return pool.Down
}

func serverRow(b *pool.Backend, s *pool.Server, now int64, legends bool) row {
	st := &s.Stat
	r := row{
		"pxname": b.Name, "svname": s.Name, "status": s.State(), "mode": b.Conf.Mode,
		"iid": b.ID, "sid": s.ID, "type": typeServer,
		"weight": s.Conf.Weight, "uweight": s.Conf.Weight, "act": 1, "bck": 0, "lastchg": s.Since(now) / 1000,
		"dresp": st.DeniedResp.Load(), "econ": st.FailedConn.Load(), "eresp": st.FailedResp.Load(),
		"wretr": st.Retries.Load(), "wredis": st.Redispatches.Load(), "lbtot": st.Selected.Load(),
		"cli_abrt": st.ClientAborts.Load(), "srv_abrt": st.ServerAborts.Load(), "connect": st.Connects.Load(), "reuse": st.Reuses.Load(),
	}
	if s.Conf.Backup {
		r["act"], r["bck"] = 0, 1
	}
	if legends {
		r["addr"] = address(s)
		if s.Conf.Cookie != "" {
			r["cookie"] = s.Conf.Cookie
		}
	}
	addServing(r, &st.Load, &st.Times, now)
	addResponses(r, b.Conf.Mode, &st.Requests)
	addCheck(r, s, now)
	return r
}

func address(s *pool.Server) string {
	if s.Net == conf.NetTCP {
		return s.Addr.String()
	}
	return "unix"
}

// addCheck fills the columns of a server with health checks.
func addCheck(r row, s *pool.Server, now int64) {
	if !s.Conf.Check {
		return
	}
	r["chkfail"], r["chkdown"], r["downtime"] = s.FailedChecks(), s.Downs(), s.Downtime(now)/1000
	if s.Conf.Disabled {
		return
	}
	r["check_rise"], r["check_fall"], r["check_health"] = s.Conf.Rise, s.Conf.Fall, s.Health()
	r["check_status"], r["check_desc"] = "INI", "Initializing"
	if last := s.LastCheck(); last != nil {
		r["check_status"], r["check_desc"], r["last_chk"] = last.Status, last.Status.Text(), last.Info
		r["check_duration"] = last.Duration.Milliseconds()
		if last.Code > 0 {
			r["check_code"] = last.Code
		}
	}
}

func addLoad(r row, l *stat.Load, now int64) {
	maps.Copy(r, row{
		"pid": 1, "-": "-",
		"scur": l.Cur(), "smax": l.Max(), "stot": l.Total(), "bin": l.In(), "bout": l.Out(),
		"rate": l.Rate().Per(now), "rate_max": l.Rate().Max(),
	})
}

// addServing fills the columns that servers and backends have in common.
func addServing(r row, l *stat.Load, t *stat.Times, now int64) {
	addLoad(r, l, now)
	r["qcur"], r["qmax"], r["lastsess"] = 0, 0, l.Idle(now)
	if idle := l.Idle(now); idle >= 0 {
		r["lastsess"] = idle / 1000
	}
	for name, m := range map[string]*stat.Mean{
		"qtime": &t.Queue, "ctime": &t.Connect, "rtime": &t.Response, "ttime": &t.Total,
	} {
		r[name], r[name+"_max"] = m.Avg(), m.Max()
	}
}

// addResponses fills the numbers of answers by status class. Mode tcp has none.
func addResponses(r row, mode conf.Mode, q *stat.Requests) {
	if mode != conf.HTTP {
		return
	}
	for class, name := range []string{"hrsp_other", "hrsp_1xx", "hrsp_2xx", "hrsp_3xx", "hrsp_4xx", "hrsp_5xx"} {
		r[name] = q.Class(class)
	}
	r["req_tot"] = q.Total()
}
