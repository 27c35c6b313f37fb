package pool

import (
	"slices"

	"sluice/conf"
)

// Follow gives the backend the configuration of fresh: settings, algorithm, number and servers.
// fresh has the same name, was made by New and was never used; the caller must not use it any more.
// Follow cannot fail. It returns the changes. Other goroutines may use the backend meanwhile. If it
// has a usable server both before and after, Pick always finds one.
//
// Servers are found by their names. A server that stays keeps its slot, counters and health. What a
// command has changed holds until the value in the configuration changes, see Server.follow. A server
// that the configuration does not name is removed, as by Remove, unless a command has added it. A
// server that a command has removed stays so until its line in the configuration changes.
func (b *Backend) Follow(fresh *Backend) []Change {
	b.listing.Lock()
	defer b.listing.Unlock()
	f := &following{Backend: b, old: b.Conf(), fresh: fresh}
	f.followSettings()
	f.sort()
	f.replace()
	f.recordAll()
	f.free()
	b.startSpread(f.recheck...)
	return f.changes
}

// following is one call of Follow.
type following struct {
	*Backend
	old     *conf.Backend // settings before the call
	fresh   *Backend
	effect  effect // of changed settings of the backend on the checks of all servers
	changes []Change

	members []*Server // the servers of the backend after the call
	stay    []stayer  // servers that stay, and that the new configuration lets balancing use
	idle    []stayer  // servers that stay, and are disabled or of weight 0 in the new configuration
	join    []*Server
	leave   []*Server
	recheck []*Server // servers whose checks begin now
}

// stayer is a server that stays in the backend, and the same server of the new configuration.
type stayer struct{ server, fresh *Server }

// followSettings gives the backend its new settings.
func (f *following) followSettings() {
	f.id.Store(f.fresh.id.Load())
	f.settings.Store(f.fresh.Conf())
	var changes []Change
	changes, f.effect = compare(backendSettings, f.old, f.Conf())
	f.say("", changes...)
}

// say adds changes of a server, or of the backend if name is empty.
func (f *following) say(name string, changes ...Change) {
	for _, c := range changes {
		c.Backend, c.Server = f.Name, name
		f.changes = append(f.changes, c)
	}
}

// sort finds the servers that stay, join and leave.
func (f *following) sort() {
	have, lines := map[string]*Server{}, map[string]*conf.Server{}
	for _, s := range f.Servers() {
		have[s.Name] = s
	}
	for _, c := range f.old.Servers {
		lines[c.Name] = c
	}
	for _, n := range f.fresh.Servers() {
		s, line := have[n.Name], lines[n.Name]
		switch removed := line != nil; { // removed by a command, if there is no server
		case s != nil:
			f.keep(stayer{s, n})
			delete(have, n.Name)
		case !removed || !alike(line, n.Conf()):
			f.join = append(f.join, n)
			f.members = append(f.members, n)
			f.say(n.Name, Change{Kind: ServerAdded, Is: n.Target().String(), Command: removed})
		}
	}
	for _, s := range f.Servers() {
		switch {
		case have[s.Name] == nil:
		case s.added:
			f.members = append(f.members, s)
		default:
			f.leave = append(f.leave, s)
			f.say(s.Name, Change{Kind: ServerRemoved})
		}
	}
}

// keep notes that a server stays.
func (f *following) keep(s stayer) {
	f.members = append(f.members, s.server)
	if c := s.fresh.Conf(); c.Disabled || c.Weight == 0 {
		f.idle = append(f.idle, s)
		return
	}
	f.stay = append(f.stay, s)
}

// replace changes the servers and gives the picker the new set. The servers that become usable come
// first, and those that become unusable follow when the picker has the former. So Pick finds a
// server in between.
func (f *following) replace() {
	for _, s := range f.join {
		s.backend = f.Backend
	}
	f.recheck = slices.Clone(f.join)
	f.followEach(f.stay)
	f.roster.Store(&roster{enlist(f.roster.Load().slots, f.join...), f.members})
	f.changeAlgorithm()
	f.settle()
	if f.followEach(f.idle) {
		f.settle()
	}
	for _, s := range f.leave {
		s.changing.Lock()
		s.admin.Store(uint32(AdminRemoved))
		s.changing.Unlock()
		s.stopChecks()
	}
}

// followEach gives servers their new settings. It reports whether one of them was usable before.
func (f *following) followEach(all []stayer) (used bool) {
	for _, s := range all {
		used = used || s.server.Usable()
		changes, effect := s.server.follow(s.fresh, f.effect)
		f.say(s.server.Name, changes...)
		if effect != unaffected {
			s.server.stopChecks()
			f.recheck = append(f.recheck, s.server)
		}
	}
	return used
}

// changeAlgorithm replaces the picker if the algorithm has changed. The new picker gets its servers
// before loops see it.
func (f *following) changeAlgorithm() {
	if balanceText(f.old) == balanceText(f.Conf()) {
		return
	}
	f.building.Lock()
	defer f.building.Unlock()
	to := f.fresh.balancing.Load()
	to.picker.use(f.inUse())
	f.balancing.Store(to)
}

// recordAll updates counts and times. Servers that become usable come first, because the backend
// must not count as down in between.
func (f *following) recordAll() {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, s := range slices.Concat(f.members, f.leave) {
		if s.Usable() {
			f.record(s)
		}
	}
	for _, s := range slices.Concat(f.members, f.leave) {
		f.record(s)
	}
}

// free gives back the backend's references to removed servers, and frees the slots to which no other
// reference exists.
func (f *following) free() {
	r := f.roster.Load()
	slots := slices.Clone(r.slots)
	for _, s := range f.leave {
		if s.refs.release() {
			slots[s.Slot] = nil
		}
	}
	f.roster.Store(&roster{slots, r.members})
}
