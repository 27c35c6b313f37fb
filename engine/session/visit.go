package session

import (
	"sluice/engine/site"
	"sluice/pool"
)

// Visit is the receiver of all work on one session. It holds what that work needs beside the tools of
// the loop. Each loop has one visit, and fills it for each event: work on a session never begins
// while work on another one is under way (see yield).
type Visit struct {
	*Loop
	ID       int32
	S        *Session
	Listener *Listener  // which accepted the client
	Site     *site.Site // the generation that the session belongs to
	Frontend *site.Frontend
	Backend  *site.Backend // nil: not chosen
	Mode     Mode
}

// Visit begins work on a session.
func (l *Loop) Visit(id int32) *Visit {
	v := &l.Current
	v.ID, v.S = id, l.Sessions.At(id)
	v.Listener = l.Listeners[v.S.line]
	v.Site = l.sites[v.S.site]
	v.Frontend = v.Site.Frontends[v.S.frontend]
	v.UseBackend(v.S.Backend)
	v.Mode = l.modes[v.Frontend.Conf.Mode]
	v.Mode.Resume()
	return v
}

// UseBackend gives the session a backend: its index in site.backends, or -1 for none.
func (v *Visit) UseBackend(i int32) {
	v.S.Backend, v.Backend = i, nil
	if i >= 0 {
		v.Backend = v.Site.Backends[i]
	}
}

// Server returns the session's server. The session must have one.
func (v *Visit) Server() *pool.Server { return v.Backend.Server(v.S.Server) }

// Forget gives back the session's reference to its server, if it has one.
func (v *Visit) Forget() {
	if v.S.Server >= 0 {
		v.Server().Release()
		v.S.Server = -1
	}
}

// Touch records that bytes from one side have moved, for the timeouts of both sides.
func (v *Visit) Touch(from Side) {
	v.S.Sock[Client].Seen, v.S.Sock[Server].Seen = v.Now(), v.Now()
	v.S.Asked = from == Client
}
