//go:build simulation

package engine

import (
	"slices"
	"strings"

	"sluice/engine/actor"
	"sluice/engine/kernel"
)

// excused returns the ways in which the configuration or a fault may end a conversation in mode
// tcp.
func (x *simulation) excused(p *actor.StreamPlan) (e actor.Excuse) {
	d, back := x.doubts, x.greets[p.Number]
	if t := x.streamTalk(p.Number); t != nil {
		d |= t.front.doubts
		back = t.route.back
		if x.lacks(t) {
			e |= actor.Absent
		}
	}
	if back == nil {
		back, e = &simBack{}, e|actor.Denied
	}
	if d|back.doubts != 0 {
		e |= actor.Refused
	}
	if slices.ContainsFunc(x.faults, func(f simFault) bool { return f.call == kernel.CallControl }) {
		e |= actor.Broken
	}
	if x.mayStop() || back.keepsWaiting() || p.Client.End >= actor.Mute || p.Server.End >= actor.Mute {
		e |= actor.Cut
	}
	return e
}

// streamTalk returns the conversation in mode tcp with a number; nil: the server sends its first
// byte, or there is none.
func (x *simulation) streamTalk(number int) *simTalk {
	i := slices.IndexFunc(x.talks, func(t *simTalk) bool { return t.stream != nil && t.number == number })
	if i < 0 {
		return nil
	}
	return x.talks[i]
}

// checkRoutes: each conversation in mode tcp has reached a server of the backend that the rules
// select. Conversations without their whole prefix are excepted, because the rules need it.
func (x *simulation) checkRoutes() {
	for _, o := range x.streams.Outcomes() {
		t := x.streamTalk(o.Plan.Number)
		if t == nil || o.Server == nil || t.route.back == nil || o.Client.Sent < len(o.Plan.Prefix) {
			continue
		}
		if !strings.HasPrefix(o.Server.Name, t.route.back.name+"s") {
			x.failf("conversation %d reached %s, and not a server of %s", t.number, o.Server.Name, t.route.back.name)
		}
	}
}

// checkExpelled: neither a drain nor a reload, even one that is refused, resets a client that the
// kernel has accepted. Where descriptors are scarce or calls fail, clients may remain in the accept
// queue. A stop resets them.
func (x *simulation) checkExpelled() {
	fails := slices.ContainsFunc(x.faults, func(f simFault) bool { return f.call == kernel.CallAccept })
	if n := x.kernel.Expelled; n > 0 && !fails && !x.mayStop() && !x.sizes.tight && x.sizes.open == 0 {
		x.failf("%d clients in an accept queue are reset by a drain or a reload", n)
	}
}

// checkEnd makes all checks of a world after its end.
func (x *simulation) checkEnd() {
	x.streams.Finish()
	x.checkExpelled()
	x.checkRoutes()
	x.checkLogs()
	x.checkCounts()
	x.checkNothingLeft()
	x.checkClosed()
	x.collect()
}

// checkNothingLeft: when all clients have ended, no budget is in use, and no counter of current
// connections or sessions is above 0.
func (x *simulation) checkNothingLeft() {
	e := x.engine
	if n := e.Held(); n != 0 {
		x.failf("%d bytes of the budgets are still in use", n)
	}
	for _, f := range slices.Concat(x.metAt...) {
		if n := f.Limit.Cur(); n != 0 {
			x.failf("frontend %s counts %d connections at the end", f.Name, n)
		}
	}
	for _, b := range e.today().Backends {
		for _, v := range append(b.Removed(), b.Servers()...) {
			if n := v.Stat.Cur() + v.References(); n != 0 {
				x.failf("server %s counts %d sessions and references at the end", v, n)
			}
		}
	}
	for _, l := range e.Loops {
		for _, ln := range l.Listeners {
			for _, limit := range ln.Limits {
				if n := limit.Cur(); n != 0 {
					x.failf("a limit of %s counts %d connections at the end", lineName(ln), n)
				}
			}
		}
	}
}
