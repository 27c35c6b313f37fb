//go:build simulation

package engine

import (
	"fmt"
	"math/rand/v2"
	"slices"

	"sluice/engine/actor"
	"sluice/engine/plan"
)

// shape returns the shape of the conversations of a frontend in mode http.
func (s *scene) shape(f *simFront) *actor.WebShape {
	if f.shape != nil {
		return f.shape
	}
	f.shape = &actor.WebShape{
		Paths: []string{"", "/a", "/a/b"}, Closes: f.closes, IgnoresProbes: f.probes,
		Upgrades: f.tunnels, Connects: f.tunnels,
		Patience: f.patience, Repeats: s.repeats(), Large: s.odds.large, Fill: s.odds.fill, Most: s.odds.most, Tame: s.odds.tame,
		Effects: []func(*rand.Rand, *actor.WebRequest){func(_ *rand.Rand, q *actor.WebRequest) { s.effect(f, q) }},
	}
	for _, route := range f.routes {
		f.shape.Hosts = append(f.shape.Hosts, route.webHost())
		f.shape.UnixServers = f.shape.UnixServers || route.back != nil && route.back.overUnix()
	}
	return f.shape
}

// repeats returns the size in bytes up to which the engine certainly stores a request, so that it
// can send it again. The head may become a little larger on its way to the server. Bodies that are
// spliced are not stored.
func (s *scene) repeats() int {
	const added = 300
	most := s.sizes.loop.Repeat
	if s.sizes.memory.Records < usualBudget {
		most = min(most, plan.OwnRecord)
	}
	return min(max(most-added, 0), s.sizes.loop.Pump)
}

func (r *simRoute) webHost() actor.WebHost {
	h := actor.WebHost{Name: r.host}
	if r.back != nil {
		h.Backend, h.Frees = r.back.name, r.back.frees
	}
	return h
}

// effect sets the expected effects of the configuration on a request.
func (s *scene) effect(f *simFront, q *actor.WebRequest) {
	a := &asked{WebRequest: q, front: f.name, pages: f.pages, terms: s.terms}
	q.Expect.Instead = f.instead
	if q.Number == f.monitored && q.Method == "CONNECT" { // CONNECT has no path, so it cannot ask for monitor-uri
		f.monitored = 0
	}
	if q.Number == f.monitored {
		q.Path = monitorPath
		a.give(f.monitor, "")
		return
	}
	for _, do := range f.effects {
		do(a)
	}
	back := f.routeOf(q)
	if back == nil {
		return
	}
	a.back = back.name
	q.Expect.Instead = slices.Concat(f.instead, back.instead)
	s.forwarded(a, f, back)
	if q.Method != "CONNECT" {
		f.askForRules(s.plan.source(fmt.Sprint("rules of ", q.Number)), a, back)
	}
	a.season(s.plan.source(fmt.Sprint("spice of ", q.Number)))
	if back.cookie != nil {
		back.cookie.expect(s.plan.source(fmt.Sprint("cookies of ", q.Number)), a, back)
	}
	if back.doubts.has(refusals) {
		q.Expect.Own = append(q.Expect.Own, 503)
	}
}

// routeOf returns the backend of a request; nil: the request gets no backend.
func (f *simFront) routeOf(q *actor.WebRequest) *simBack {
	for _, route := range f.routes {
		if route.host == q.Host {
			return route.back
		}
	}
	return nil
}

// askForRules makes some requests ask for a rule for requests, and their answers for a rule for
// answers.
func (f *simFront) askForRules(r *rand.Rand, q *asked, back *simBack) {
	switch {
	case r.IntN(3) > 0:
	case r.IntN(2) == 0 && len(f.rules) > 0:
		q.demand(r, f.rules, frontMark)
	case len(back.rules) > 0:
		q.demand(r, back.rules, backMark)
	}
	if q.Expect.Answer != 0 || q.WebRequest.Answer.Status < 200 || r.IntN(3) > 0 {
		return
	}
	switch {
	case r.IntN(2) == 0 && len(f.answers) > 0:
		q.demandAnswer(r, f.answers, frontMark)
	case len(back.answers) > 0:
		q.demandAnswer(r, back.answers, backMark)
	}
}

// demand adds the field that asks for one of the rules to the request, and the expected effect of
// the rule. If the rule edits fields, the request may ask for further ones that do.
func (q *asked) demand(r *rand.Rand, rules []*webRule, mark string) {
	rule := rules[r.IntN(len(rules))]
	if rule == nil {
		return
	}
	for _, one := range rule.withOthers(r, rules) {
		q.adds(mark + ": " + one.name)
		one.apply(q)
	}
	if q.Expect.Answer != 0 {
		q.terms[q.Number] = rule.term('R')
	}
}

// demandAnswer adds the field that asks for one of the rules to the answer, and the expected effect
// of the rule.
func (q *asked) demandAnswer(r *rand.Rand, rules []*webRule, mark string) {
	rule := rules[r.IntN(len(rules))]
	if rule == nil || bodiless(q.WebRequest.Answer.Status) && rule.name != "set-status" {
		return
	}
	for _, one := range rule.withOthers(r, rules) {
		q.says(mark + ": " + one.name)
		one.apply(q)
	}
	if q.Expect.Answer != 0 {
		q.terms[q.Number] = rule.term('H')
	}
}

func bodiless(status int) bool { return status == 204 || status == 304 }

// forwarded sets the expected field with the client's address, if option forwardfor is on.
func (s *scene) forwarded(q *asked, f *simFront, b *simBack) {
	o := b.forward
	if o == nil {
		o = f.forward
	}
	t := s.client(q.Number / 10)
	if o == nil || t.bind.address.IsUnix() {
		return
	}
	for _, side := range []*simForward{f.forward, b.forward} {
		if side != nil && side.sparesOutlaw && t.outlaw {
			return
		}
	}
	q.has(fmt.Sprintf("%s: %s", o.header, t.from.IP.Addr()))
}
