package pool

import (
	"strconv"

	"sluice/conf"
)

// follow gives a server the settings of fresh, which is the same server in the new configuration.
// What a command has set holds as long as the value in the configuration stays the same. A new value
// in the configuration replaces it. If a command has added the server, all values of the
// configuration are new.
//
// Health keeps its meaning if rise or fall change. After a change of the address, of the kind of
// check or of `check` itself, health is as at the start of the process, and the result of a check
// under way does not count. effect is that of changed settings of the backend. follow returns the
// effect of all changes; if it is unaffected, the checks continue. The caller holds Backend.listing.
func (s *Server) follow(fresh *Server, effect effect) ([]Change, effect) {
	s.changing.Lock()
	defer s.changing.Unlock()
	m := &merge{Server: s, old: s.Conf(), c: fresh.Conf(), effect: effect}
	m.followAddress(fresh.Target())
	m.followWeight()
	m.followAdmin()
	m.followSettings()
	s.added = false
	return m.changes, m.effect
}

// merge is one call of follow.
type merge struct {
	*Server
	old, c  *conf.Server // settings before the call, and new settings
	effect  effect
	changes []Change
}

// say adds a change. command reports whether a command had set the value before.
func (m *merge) say(kind ChangeKind, what, was, is string, command bool) {
	m.changes = append(m.changes, Change{Kind: kind, What: what, Was: was, Is: is, Command: command})
}

// followAddress compares resolved addresses, too. So an address that no command has set also changes
// if its name resolves to another address now.
func (m *merge) followAddress(to *Target) {
	now, command := m.Target(), !m.Target().same(m.declared)
	m.declared = to
	if now.same(to) || command && !m.added && m.old.Address == m.c.Address {
		return
	}
	m.say(ServerAddress, "address", now.String(), to.String(), command || m.added)
	m.target.Store(to)
	m.moves.Add(1) // after target, see Moves
	m.effect = anew
}

func (m *merge) followWeight() {
	now, to := m.Weight(), m.c.Weight
	if now == to || !m.added && m.old.Weight == to {
		return
	}
	m.say(ServerWeight, "weight", strconv.Itoa(now), strconv.Itoa(to), m.added || now != m.old.Weight)
	m.weight.Store(int32(to))
}

func (m *merge) followAdmin() {
	now, to := m.Admin(), adminOf(m.c)
	if now == to || !m.added && m.old.Disabled == m.c.Disabled {
		return
	}
	m.say(ServerAdmin, "administrative state", now.String(), to.String(), m.added || now != adminOf(m.old))
	m.admin.Store(uint32(to))
	if now == AdminMaint {
		m.effect = anew
	}
}

func (m *merge) followSettings() {
	var changes []Change
	if !alike(m.old, m.c) {
		var effect effect
		changes, effect = compare(serverSettings, m.old, m.c)
		m.effect = max(m.effect, effect)
	}
	for i := range changes {
		changes[i].Command = m.added
	}
	m.changes = append(m.changes, changes...)
	switch {
	case m.effect == anew:
		m.last.Store(nil)
		m.starts.Add(1)
		m.condition.Store(atStart(m.c))
	case m.last.Load() == nil:
		m.condition.Store(atStart(m.c))
	default:
		m.condition.Store(m.condition.Load().under(m.c))
	}
}
