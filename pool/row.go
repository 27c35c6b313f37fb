package pool

import (
	"sluice/conf"
	"sluice/pool/stat"
)

// Fill sets all fields of r, so that r is the row of the backend in `show stat`. now is stat.Now.
func (b *Backend) Fill(r *stat.Row, now int64) {
	status, c := b.status().String(), b.Conf()
	*r = stat.Row{
		Scope: stat.ForBackend, ProxyName: b.Name, ServerName: "BACKEND", ProxyID: b.ID(), HTTP: c.Mode == conf.HTTP,
		Now: now, Status: status, State: status, Traffic: &b.Stat.Traffic, Proxy: &b.Stat,
		Weight: b.Weight(), UserWeight: b.Weight(), Active: b.Active(), Backup: b.Backup(),
		Since: b.Since(now), Downs: b.Downs(), Downtime: b.Downtime(now), Algorithm: b.Algorithm(),
	}
	if len(b.Servers()) == 0 {
		r.Downtime = -1
	}
	if c.Cookie != nil {
		r.Cookie = c.Cookie.Name
	}
}

func (b *Backend) status() Status {
	if b.Available() {
		return Up
	}
	return Down
}

// Fill sets all fields of r, so that r is the row of the server in `show stat`. now is stat.Now.
func (s *Server) Fill(r *stat.Row, now int64) {
	state, c := s.State(), s.Conf()
	*r = stat.Row{
		Scope: stat.ForServer, ProxyName: s.backend.Name, ServerName: s.Name, ProxyID: s.backend.ID(), ServerID: s.ID,
		HTTP: s.backend.Conf().Mode == conf.HTTP, Now: now, Status: state.Status.String(), State: state.String(),
		Traffic: &s.Stat.Traffic, Weight: s.Weight(), UserWeight: s.Weight(), Active: 1,
		Since: s.Since(now), Downs: s.Downs(), Downtime: s.Downtime(now), Cookie: c.Cookie,
	}
	if at := s.Target(); at.Net == conf.NetTCP {
		r.Address = at.Addr
	}
	if c.Backup {
		r.Active, r.Backup = 0, 1
	}
	if c.Check {
		s.fillCheck(&r.Check)
	} else {
		r.Downtime = -1
	}
}

func (s *Server) fillCheck(c *stat.Check) {
	settings := s.Conf()
	*c = stat.Check{
		Checked: true, Failed: s.FailedChecks(), Running: s.enabled(), Rise: settings.Rise, Fall: settings.Fall,
		Health: s.Health(), Status: "INI", Text: "Initializing",
	}
	last := s.LastCheck()
	if last == nil || !s.enabled() {
		return
	}
	c.Ended, c.Status, c.Text, c.Info = true, last.Status.String(), last.Status.Text(), last.Info
	c.Milliseconds, c.Code = last.Duration.Milliseconds(), last.Code
}
