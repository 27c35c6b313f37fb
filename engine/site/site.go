package site

import (
	"errors"
	"io/fs"
	"net/netip"
	"slices"
	"strings"

	"sluice/conf"
	"sluice/conf/diff"
	"sluice/engine/access"
	"sluice/pool"
	"sluice/pool/stat"
)

// LookUp returns the address of a host name. It is not called for IP addresses.
type LookUp = func(host string) (netip.Addr, error)

// Outside is what a configuration refers to outside of its own text.
type Outside struct {
	LookUp LookUp
	Files  fs.FS // has pattern files, by the paths as they are written

	// Checked means that a process with more rights has checked the users, files and settings of the
	// machine that the configuration refers to. They are not checked again.
	Checked bool
}

// Site is a compiled configuration. See the description of the package for the goroutines that may
// use it.
type Site struct {
	Conf      *conf.Config
	Frontends []*Frontend // in the order of Conf.Frontends
	Backends  []*Backend  // in the order of Conf.Backends
	View      diff.View   // Conf with what its compilation has used, for the comparison at a reload
	frontends map[string]*Frontend
	backends  map[string]*Backend

	log   *access.Log // of Open; nil: Open was not called
	lease *pool.Lease // of Share; nil: Share was not called
}

// Compile compiles the rules of a configuration, resolves the names of its servers, and checks its
// log targets unless that is done. It opens no socket and no log target. The problems are errors and warnings; if one
// of them is an error, the site is nil.
func Compile(c *conf.Config, out Outside) (*Site, conf.Problems) {
	s := &Site{Conf: c, View: diff.View{Conf: c}}
	var problems conf.Problems
	out.checkLog(c.Global.Log, c.Global.Pos, &problems)
	for i, b := range c.Backends {
		made, found := newBackend(backendID(c, i), b, out)
		problems = append(problems, found...)
		s.Backends = append(s.Backends, made)
	}
	for i, f := range c.Frontends {
		made, found := newFrontend(firstID+i, c, f, out)
		problems = append(problems, found...)
		s.Frontends = append(s.Frontends, made)
	}
	problems = problems.Distinct() // proxies share log targets
	if problems.Err() != nil {
		return nil, problems
	}
	s.name()
	return s, problems
}

// name fills the maps of frontends and backends by name.
func (s *Site) name() {
	s.frontends, s.backends = map[string]*Frontend{}, map[string]*Backend{}
	for _, f := range s.Frontends {
		s.frontends[f.Conf.Name] = f
	}
	for i, b := range s.Backends {
		b.Index = i
		s.backends[b.Conf.Name] = b
	}
}

// checkLog adds an error if a log target could not be opened by Open. proxy is the position of the
// section.
func (o *Outside) checkLog(targets []conf.LogTarget, proxy conf.Pos, problems *conf.Problems) {
	if o.Checked {
		return
	}
	if err := access.Check(targets, o.LookUp); err != nil {
		problems.Errorf(logPos(targets, proxy), "%v", err)
	}
}

// logPos returns the position of the first log target of a section, or the position of the section
// if it has none.
func logPos(targets []conf.LogTarget, section conf.Pos) conf.Pos {
	if len(targets) == 0 {
		return section
	}
	return targets[0].Pos
}

// Open opens the log targets of all proxies. It should run before chroot and before the process
// drops privileges. The error names each target that cannot be opened once. After an error nothing is
// open.
func (s *Site) Open(log *access.Log) error {
	s.log = log
	var faults []string
	open := func(targets []conf.LogTarget) access.Route {
		route, err := log.Route(targets)
		if err == nil {
			return route
		}
		for fault := range strings.SplitSeq(err.Error(), "\n") {
			if !slices.Contains(faults, fault) { // proxies share log targets
				faults = append(faults, fault)
			}
		}
		return access.None
	}
	for _, f := range s.Frontends {
		f.Route = open(f.Conf.Log.Targets)
	}
	for _, b := range s.Backends {
		b.Route = open(b.Conf.Log.Targets)
	}
	if faults == nil {
		return nil
	}
	s.Close()
	return errors.New(strings.Join(faults, "\n"))
}

// Share finds the state that the site shares with the sites before it: counters, limits and
// backends. The site uses this state until Close. The backends follow the configuration of the site
// from now on, for all sites; Share returns what has changed in them. Reports about their servers go
// to the log targets of the newest site. Share follows Open and is called once. It cannot fail.
func (s *Site) Share(state *pool.Registry) (changes []pool.Change) {
	s.lease = state.Lease()
	for _, f := range s.Frontends {
		f.Frontend = s.lease.Frontend(f.Conf.Name)
	}
	for _, b := range s.Backends {
		var changed []pool.Change
		b.Backend, changed = s.lease.Backend(b.Backend, func(e pool.Event) {
			s.log.Say(b.Route, access.Level(e.Level), e.Text)
		})
		changes = append(changes, changed...)
	}
	return changes
}

// Bind returns the limit (maxconn) of the listening sockets at this address, which the site uses
// until Close. The address is the one to which the sockets are bound. Share was called before.
func (s *Site) Bind(address string) *stat.Limit { return s.lease.Bind(address) }

// Close gives back the log targets that Open has opened, and the state that Share has found. State
// that no other site uses is forgotten. Lines that loops have sent before are not lost. No loop may
// use the site any more.
func (s *Site) Close() {
	if s.lease != nil {
		s.lease.End() // before the targets, because events of backends may come until now
	}
	var routes []access.Route
	for _, f := range s.Frontends {
		routes = append(routes, f.Route)
	}
	for _, b := range s.Backends {
		routes = append(routes, b.Route)
	}
	s.log.Release(routes...)
}

// Frontend returns the frontend of this name, or nil if there is none.
func (s *Site) Frontend(name string) *Frontend { return s.frontends[name] }

// Backend returns the backend of this name, or nil if there is none.
func (s *Site) Backend(name string) *Backend { return s.backends[name] }
