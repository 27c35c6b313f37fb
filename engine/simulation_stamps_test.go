//go:build simulation

package engine

import (
	"fmt"
	"slices"
	"strings"

	"sluice/engine/kernel"
	"sluice/engine/session"
)

// In a world with stamps, rules and log formats of each configuration contain its label and the name
// of the frontend, for example g3/f1. So a request shows whose rules it has met.

// stamp adds the label of a configuration to the rules of mode http, and to the log formats.
func (d *draft) stamp(label string) {
	for _, s := range *d {
		kind, name, _ := strings.Cut(s.title, " ")
		mark := map[string]string{"frontend": "X-Site " + label + "/" + name, "backend": "X-Site-Back " + label}[kind]
		if mark != "" && slices.Contains(s.lines, "mode http") {
			s.lines = append([]string{"http-request set-header " + mark, "http-response set-header " + mark}, s.lines...)
		}
		for i, line := range s.lines {
			if rest, ours := strings.CutPrefix(line, "log-format '"); ours {
				s.lines[i] = "log-format '" + label + "/" + name + " " + rest
			}
		}
	}
}

// labelOf returns the label of the configuration of a reload.
func labelOf(reload int) string { return fmt.Sprint("g", reload+1) }

// firstLabel is the label of the configuration of the start.
const firstLabel = "g0"

// parseStamp returns the index in eras of a stamp's configuration, and the index of the name in the
// names of the frontend. It returns what is wrong with the stamp; empty: nothing.
func (x *simulation) parseStamp(f *simFront, stamp string) (at, name int, wrong string) {
	label, text, _ := strings.Cut(stamp, "/")
	at = slices.IndexFunc(x.eras, func(e *era) bool { return e.label == label })
	name = slices.Index(f.names(), text)
	if at < 0 || name < 0 || x.eras[at].names[f] != text {
		return 0, 0, fmt.Sprintf("the stamp %q is of no frontend of the client", stamp)
	}
	return at, name, ""
}

// eraFor returns the index of the newest configuration that a loop has taken and in which the frontend
// has this name; -1: none.
func (x *simulation) eraFor(l *session.Loop, f *simFront, name int) int {
	for i := x.eraOf(l); i >= 0; i-- {
		if x.eras[i].names[f] == f.names()[name] {
			return i
		}
	}
	return -1
}

// erasFor returns the lowest and the highest result of eraFor of the loops that may have a client: its
// own one if it is known.
func (x *simulation) erasFor(t *simTalk, name int) (least, most int) {
	least = len(x.eras)
	for i, l := range x.engine.Loops {
		if t.home == l || t.home == nil && !x.ended[i] {
			at := x.eraFor(l, t.front, name)
			least, most = min(least, at), max(most, at)
		}
	}
	return least, most
}

// meetClient is called when a loop accepts a client on a listener.
func (x *simulation) meetClient(ln *session.Listener, from kernel.Address) {
	t := x.talkFrom(from)
	if t == nil || ln.Frontend == nil {
		return
	}
	t.accepts++
	t.home, t.name = x.acting, slices.Index(t.front.names(), ln.Frontend.Name)
	if t.name >= 0 {
		t.bound = x.eraFor(x.acting, t.front, t.name)
	}
}

// talkFrom returns the conversation whose client has an address; nil: none.
func (x *simulation) talkFrom(from kernel.Address) *simTalk {
	i := slices.IndexFunc(x.talks, func(t *simTalk) bool { return from.IP.IsValid() && t.from.IP.Addr() == from.IP.Addr() })
	if i < 0 {
		return nil
	}
	return x.talks[i]
}

// asking is what is known when a client begins to send a request.
type asking struct {
	eldest   int    // index in eras of the oldest configuration that is the newest one of a loop
	least    [2]int // by name of the frontend: lowest index of the configuration that may serve the request
	answered int    // index in eras of the oldest configuration of a loop when the server begins its answer
	sent     int64  // number of bytes that the client has sent before
	alone    bool   // all requests before were answered then
	heard    int    // index in eras of the site of the loop that has read the first byte; -1: not known
	stamp    string // stamp that the request had at its server; empty: it did not reach one
}

// Asks is called when a client begins to send a request.
func (x simSites) Asks(request, sent int, alone bool) {
	t := x.talkOf(request / 10)
	a := &asking{eldest: x.eldest(), sent: int64(sent), alone: alone, heard: -1}
	t.latest = a
	for name := range a.least {
		a.least[name], _ = x.erasFor(t, name)
	}
	t.asked[request] = a
}

// haveRead is called when a loop has read or seen so many bytes of a client.
func (x *simulation) haveRead(t *simTalk, bytes int64) {
	if t == nil || t.latest == nil {
		return
	}
	if a := t.latest; a.alone && a.heard < 0 && bytes > a.sent {
		a.heard = x.eraOf(x.acting)
	}
}

// since returns the index of the oldest configuration that may serve a request, under a name of its
// frontend. A connection that is busy while the frontend exists, and keeps its configuration when the
// frontend is gone, may have an older one.
func (a *asking) since(eras []*era, f *simFront, name int) int {
	if slices.ContainsFunc(eras[a.eldest:], func(e *era) bool { return e.names[f] != f.names()[name] }) {
		return 0
	}
	return a.least[name]
}

// Reaches judges the stamps of a request at its server.
func (x simSites) Reaches(request int, front, back string) string {
	if !x.stamps {
		return ""
	}
	t := x.talkOf(request / 10)
	a := t.asked[request]
	label, _, _ := strings.Cut(front, "/")
	switch wrong := x.misstamped(t, a, front); {
	case wrong != "":
		return wrong
	case back != label:
		return fmt.Sprintf("it has met the rules of frontend %s and those of the backend in %s", front, back)
	case a.stamp != "" && a.stamp != front:
		return fmt.Sprintf("it comes again with the stamp %s, and had %s", front, a.stamp)
	}
	a.stamp = front
	return ""
}

// misstamped returns why a request must not have a stamp now; empty: it may have it. The first byte of
// a request decides: it is not older than the sending of this byte.
func (x *simulation) misstamped(t *simTalk, a *asking, stamp string) string {
	at, name, wrong := x.parseStamp(t.front, stamp)
	if wrong != "" {
		return wrong
	}
	_, most := x.erasFor(t, name)
	if a.heard >= 0 {
		most = min(most, a.heard)
	}
	switch {
	case t.home != nil && name != t.name:
		return fmt.Sprintf("it has met the rules of %s; its client came to frontend %s", stamp, t.front.names()[t.name])
	case at < a.since(x.eras, t.front, name):
		return fmt.Sprintf("it has met the rules of %s; the loop had %s before its first byte was sent", stamp, x.eras[a.least[name]].label)
	case at > most:
		return fmt.Sprintf("it has met the rules of %s; the loop had %s when its first byte came", stamp, x.eras[most].label)
	}
	return ""
}

// Answered judges the stamps of a server's answer at the client.
func (x simSites) Answered(request int, front, back string) string {
	label, _, _ := strings.Cut(front, "/")
	a := x.talkOf(request / 10).asked[request]
	if x.stamps && (a.stamp != "" && front != a.stamp || back != label) {
		return fmt.Sprintf("its answer has met the rules of frontend %s and those of the backend in %s; the request those of %s", front, back, a.stamp)
	}
	return ""
}

// checkStamp returns what is wrong with the stamp of a log line; empty: nothing.
func (g *simLog) checkStamp(l *simLine, t *simTalk, a *asking) string {
	if l.stamp == "" || t == nil {
		return ""
	}
	at, name, wrong := g.parseStamp(g.front, l.stamp)
	switch {
	case wrong != "":
		return wrong
	case a == nil && t.stream != nil && t.accepts == 1 && t.home != nil && at != t.bound:
		return fmt.Sprintf("its client was accepted under %s", g.eras[t.bound].label)
	case a == nil:
		return ""
	case a.stamp != "" && a.stamp != l.stamp:
		return fmt.Sprintf("the request has met the rules of %s", a.stamp)
	case at < a.since(g.eras, g.front, name) || at > l.newest:
		return fmt.Sprintf("it must belong to %s to %s", g.eras[a.least[name]].label, g.eras[l.newest].label)
	}
	return ""
}
