//go:build simulation

package engine

import (
	"slices"
	"time"

	"sluice/engine/kernel"
	"sluice/engine/session"
	"sluice/engine/site"
)

// era is a configuration that was the newest one for some time.
type era struct {
	label string // see draft.stamp
	site  *site.Site
	names map[*simFront]string // name of the frontend there; no entry: the configuration lacks it
	binds map[bindKey]bool     // whether the frontend has this address there
	ends  time.Duration        // time since the start at which hard-stop-after ends its sessions; 0: never
}

// bindKey is an address of a frontend: an index in its field binds.
type bindKey struct {
	front *simFront
	index int
}

// beginEra is called when a site has become the newest one: that of a reload; nil: of the start.
func (x *simulation) beginEra(label string, r *simReload) {
	e := &era{label: label, site: x.engine.today(), names: map[*simFront]string{}, binds: map[bindKey]bool{}}
	for _, f := range x.fronts {
		for _, name := range f.names() {
			if now := e.site.Frontend(name); now != nil && modeName(f.http) == now.Conf.Mode.String() {
				e.names[f] = name
			}
		}
		for i := range f.binds {
			k := bindKey{f, i}
			e.binds[k] = e.names[f] != "" && f.binds[i].joins == (r != nil && r.changed[k])
		}
	}
	x.limitEras(e.site.Conf.Global.HardStop)
	x.eras = append(x.eras, e)
}

// names returns the names that the frontend has in configurations: a reload may rename it.
func (f *simFront) names() []string { return []string{f.name, f.name + "renamed"} }

// eraOf returns the index in eras of the newest site that a loop has taken.
func (x *simulation) eraOf(l *session.Loop) int {
	return slices.IndexFunc(x.eras, func(e *era) bool { return e.site == l.Newest() })
}

// eldest returns the lowest result of eraOf. Loops that have ended do not count.
func (x *simulation) eldest() int {
	least := len(x.eras) - 1
	for i, l := range x.engine.Loops {
		if !x.ended[i] {
			least = min(least, x.eraOf(l))
		}
	}
	return least
}

// lacks reports whether one of the configurations since the client began to connect does not have its
// address. Its connection may then be refused.
func (x *simulation) lacks(t *simTalk) bool {
	return slices.ContainsFunc(x.eras[t.since:], func(e *era) bool { return !e.binds[t.key] })
}

// mayConnect reports whether the address of a client is in the newest configuration. For some clients
// all loops must have taken that configuration, so that they must be served. Without further reloads
// no client has to wait.
func (x *simulation) mayConnect(t *simTalk) bool {
	now := x.eras[len(x.eras)-1].binds[t.key] && (t.number%2 == 0 || x.eldest() == len(x.eras)-1)
	return now || x.settled == len(x.reloads)
}

// checkServed: no client is accepted that began to connect after its address was removed. A reload
// that is under way may have opened the address again.
func (x *simulation) checkServed(from kernel.Address) {
	t := x.talkFrom(from)
	if t == nil || x.active || x.engine.leaving.Load() {
		return
	}
	if !slices.ContainsFunc(x.eras[t.dials:], func(e *era) bool { return e.binds[t.key] }) {
		x.failf("client %d is accepted, and began to connect after its address %v was removed", t.number, t.bind.address)
	}
}

// simSites are the configurations of a world, for the actors of mode http.
type simSites struct{ *simulation }

// Absent reports whether a client may be refused.
func (x simSites) Absent(conversation int) bool { return x.lacks(x.talkOf(conversation)) }

// Goes reports whether the frontend of a conversation was removed or renamed since its client began to
// connect. Its connection may then end after an answer, even if a later reload has brought the
// frontend back.
func (x simSites) Goes(conversation int) bool {
	t := x.talkOf(conversation)
	name := x.eras[t.since].names[t.front]
	return name == "" || slices.ContainsFunc(x.eras[t.since:], func(e *era) bool { return e.names[t.front] != name })
}

// Answers is called when a server begins its answer to a request.
func (x simSites) Answers(request int) { x.talkOf(request / 10).asked[request].answered = x.eldest() }

// IsGone reports whether all configurations since the server has begun its answer lack the frontend of
// the connection, on all loops.
func (x simSites) IsGone(request int) bool {
	t := x.talkOf(request / 10)
	return !slices.ContainsFunc(x.eras[t.asked[request].answered:], func(e *era) bool {
		return t.home == nil && e.names[t.front] != "" || t.home != nil && e.names[t.front] == t.front.names()[t.name]
	})
}

// talkOf returns the conversation with a number.
func (x *simulation) talkOf(number int) *simTalk {
	return x.talks[slices.IndexFunc(x.talks, func(t *simTalk) bool { return t.number == number })]
}
