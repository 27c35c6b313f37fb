package engine

import (
	"sluice/engine/site"
	"sluice/pool"
)

// visit is the receiver of all work on one session. It holds what that work needs beside the tools of
// the loop. Each loop has one visit, and fills it for each event: work on a session never begins
// while work on another one is under way (see yield).
type visit struct {
	*loop
	id   int32
	s    *session
	ln   *listener  // which accepted the client
	site *site.Site // the generation that the session belongs to
	f    *site.Frontend
	b    *site.Backend // nil: not chosen
	mode mode
}

// visit begins work on a session.
func (l *loop) visit(id int32) *visit {
	v := &l.current
	v.id, v.s = id, l.sessions.at(id)
	v.ln = l.listeners[v.s.line]
	v.site = l.sites[v.s.site]
	v.f = v.site.Frontends[v.s.frontend]
	v.useBackend(v.s.backend)
	v.mode = l.modes[v.f.Conf.Mode]
	v.mode.resume()
	return v
}

// useBackend gives the session a backend: its index in site.backends, or -1 for none.
func (v *visit) useBackend(i int32) {
	v.s.backend, v.b = i, nil
	if i >= 0 {
		v.b = v.site.Backends[i]
	}
}

// srv returns the session's server. The session must have one.
func (v *visit) srv() *pool.Server { return v.b.Server(v.s.server) }

// forget gives back the session's reference to its server, if it has one.
func (v *visit) forget() {
	if v.s.server >= 0 {
		v.srv().Release()
		v.s.server = -1
	}
}

// touch records that bytes from one side have moved, for the timeouts of both sides.
func (v *visit) touch(from side) {
	v.s.sock[client].seen, v.s.sock[server].seen = v.now(), v.now()
	v.s.asked = from == client
}
