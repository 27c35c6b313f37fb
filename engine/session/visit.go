package session

import (
	"sluice/engine/site"
	"sluice/pool"
)

// Visit is the receiver of all work on one session. It holds the session and the compiled
// configuration of that session. Each loop has one Visit and fills it for each event. This is
// possible because work on one session ends before work on another one begins.
type Visit struct {
	*Loop
	ID       int32 // number of the session in the slab, from 1
	S        *Session
	Listener *Listener  // the listener that accepted the client
	Site     *site.Site // the compiled configuration with which the session began
	Frontend *site.Frontend
	Backend  *site.Backend // nil: not chosen
	Mode     Mode
}

// Visit begins work on the session with this number. It returns &l.Current.
func (l *Loop) Visit(id int32) *Visit {
	v := &l.Current
	v.ID, v.S = id, l.Sessions.At(id)
	v.Listener = l.lines[v.S.line]
	v.Site = l.sites[v.S.site]
	v.Frontend = v.Site.Frontends[v.S.frontend]
	v.UseBackend(v.S.Backend)
	v.Mode = l.modes[v.Frontend.Conf.Mode]
	v.Mode.Resume()
	return v
}

// UseBackend sets the session's backend to the one with index i in v.Site.Backends; -1: none.
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

// Touch records that bytes from one side have moved. The timeouts of both sides start again.
func (v *Visit) Touch(from Side) {
	v.S.Sock[Client].Seen, v.S.Sock[Server].Seen = v.Now(), v.Now()
	v.S.Asked = from == Client
}
