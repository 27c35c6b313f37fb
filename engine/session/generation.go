package session

import "sluice/engine/site"

// Generations is the maximum number of sites, each of one configuration, in use at the same time.
const Generations = 64

// generations are the sites that a loop uses. A site has the same number on all loops. The newest
// one is always in use; another one until the last session and the last listener has left it.
type generations struct {
	sites  [Generations]*site.Site // by Session.site and Listener.site; nil: not in use
	users  [Generations]int        // sessions and listeners that use the site
	newest uint8                   // index in sites of the site that new listeners and sessions get
	left   func(number uint8)      // LoopOptions.Left
}

// joinSite counts a session or a listener that uses the newest site, and returns the site's number.
func (g *generations) joinSite() uint8 {
	g.users[g.newest]++
	return g.newest
}

// leaveSite counts that a session or a listener no longer uses a site.
func (g *generations) leaveSite(number uint8) {
	g.users[number]--
	g.giveUp(number)
}

// giveUp forgets a site if nothing uses it, and reports that to the process.
func (g *generations) giveUp(number uint8) {
	if number != g.newest && g.users[number] == 0 && g.sites[number] != nil {
		g.sites[number] = nil
		g.left(number)
	}
}

// Follow makes s the site of the listeners in fresh and of their clients, see Rebind. number is an
// unused number, below Generations. Sessions in mode http that are between two requests get s, too,
// if it has their frontend. All others continue with the site that they have.
func (l *Loop) Follow(number uint8, s *site.Site, fresh []*Listener) error {
	was := l.newest
	l.sites[number], l.newest = s, number
	l.Rebind(fresh)
	for _, ln := range l.Listeners {
		l.renewListener(ln)
	}
	l.Sessions.Each(func(id int32) { l.Visit(id).Mode.Follow() })
	l.giveUp(was) // nothing may have used it, for example if its configuration had no bind line
	return l.Ended()
}

// renewListener gives a removed listener, which still accepts clients for a while, the newest site,
// if that site has its frontend.
func (l *Loop) renewListener(ln *Listener) {
	if ln.Frontend == nil || ln.site == l.newest {
		return
	}
	if f := l.successor(ln.Frontend); f != nil {
		was := ln.site
		ln.Frontend, ln.site = f, l.joinSite()
		l.leaveSite(was)
	}
}

// successor returns the frontend of the newest site (the newest configuration) that has the name and
// the mode of f. Clients of f go on in it. It returns nil if there is none.
func (l *Loop) successor(f *site.Frontend) *site.Frontend {
	if s := l.Newest().Frontend(f.Conf.Name); s != nil && s.Conf.Mode == f.Conf.Mode {
		return s
	}
	return nil
}

// Users returns the number of sessions that use each site, by the site's number.
func (l *Loop) Users() (sessions [Generations]int) {
	sessions = l.users
	for _, ln := range l.Listeners {
		if ln.Frontend != nil {
			sessions[ln.site]--
		}
	}
	return sessions
}

// UsersOf returns the number of sessions that use the site of this number, by their frontend. It
// looks at each session, so it is for rare messages only.
func (l *Loop) UsersOf(number uint8) map[string]int {
	users := map[string]int{}
	l.Sessions.Each(func(id int32) {
		if v := l.Visit(id); v.S.site == number {
			users[v.Frontend.Conf.Name]++
		}
	})
	return users
}

// Newest returns the site of the loop's newest configuration.
func (l *Loop) Newest() *site.Site { return l.sites[l.newest] }

// Stale reports whether the session has an older site than the newest one.
func (v *Visit) Stale() bool { return v.S.site != v.newest }

// Lasts reports whether the newest site has a frontend of the name and mode of the session's one, so
// that the session may have further requests.
func (v *Visit) Lasts() bool { return v.successor(v.Frontend) != nil }

// Renew gives the session the newest site, which must have its frontend, see Lasts. The session must
// have no backend.
func (v *Visit) Renew() {
	was := v.S.site
	v.S.site = v.joinSite()
	v.Site = v.Newest()
	v.Frontend = v.successor(v.Frontend)
	v.S.frontend = int32(v.Frontend.Index)
	v.leaveSite(was)
}
