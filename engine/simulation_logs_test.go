//go:build simulation

package engine

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"sluice/engine/actor"
)

// simLog contains the log lines of one frontend, at the end of a world.
type simLog struct {
	*simulation
	front    *simFront
	lines    []*simLine
	byTalk   map[int][]*simLine // key: number of the conversation; 0: the line does not contain it
	byNumber map[int]*simLine   // mode http; key: number of the request
}

// checkLogs compares the log lines of all frontends with the records of the conversations.
func (x *simulation) checkLogs() {
	logs := map[*simFront]*simLog{}
	for _, f := range x.fronts {
		logs[f] = &simLog{simulation: x, front: f, byTalk: map[int][]*simLine{}, byNumber: map[int]*simLine{}}
	}
	for _, l := range x.lines {
		logs[l.front].read(l)
	}
	streams := x.streams.Outcomes()
	records := x.webs.Records()
	for _, f := range x.fronts {
		g := logs[f]
		switch {
		case !f.tells():
		case f.http:
			g.checkRequests(records)
		default:
			g.checkStreams(streams)
		}
	}
}

// tells reports whether the frontend writes a line for each connection or request.
func (f *simFront) tells() bool { return f.log != logNothing && f.log != logConnect }

// read parses a line and adds it.
func (g *simLog) read(from frontLine) {
	text := from.text
	l, err := g.front.parseLine(text)
	if err != nil {
		g.failf("log line %q: %v", text, err)
		return
	}
	l.stamp, l.newest, l.at = from.stamp, from.newest, from.at
	g.lines = append(g.lines, l)
	if !g.front.tells() {
		return
	}
	if wrong := g.checkKilled(l); wrong != "" {
		g.failf("%s: %s", wrong, text)
	}
	talk := l.talk()
	if number, named := l.number(); named {
		talk = number / 10
		if g.byNumber[number] != nil {
			g.failf("request %d has two log lines: %q and %q", number, g.byNumber[number].text, text)
		}
		g.byNumber[number] = l
	}
	g.byTalk[talk] = append(g.byTalk[talk], l)
	g.checkPlace(l, talk)
}

// talk returns the number of the conversation, which the client's address contains; 0: the client
// has no IPv4 address.
func (l *simLine) talk() int {
	a := l.client.Addr().Unmap()
	if !a.Is4() {
		return 0
	}
	return int(a.As4()[2])<<8 | int(a.As4()[3])
}

// number returns the number of the request in the logged request line. named is false if there is
// none, for example for CONNECT.
func (l *simLine) number() (n int, named bool) {
	words := strings.Split(l.request, " ")
	if len(words) != 3 {
		return 0, false
	}
	n, err := strconv.Atoi(words[1][strings.LastIndexByte(words[1], '/')+1:])
	return n, err == nil
}

// checkPlace: a line comes from the frontend to which its client has connected.
func (g *simLog) checkPlace(l *simLine, talk int) {
	if talk == 0 {
		return
	}
	c := g.client(talk)
	switch {
	case c.front != g.front:
		g.failf("a line about conversation %d came from %s: %q", talk, g.front.name, l.text)
	case l.client.IsValid() && l.client.Addr() != c.from.IP.Addr():
		g.failf("conversation %d came from %v: %q", talk, c.from.IP.Addr(), l.text)
	case l.client.IsValid() == c.bind.address.IsUnix():
		g.failf("conversation %d came by %v: %q", talk, c.bind.address, l.text)
	}
}

// checkRequests compares the lines of a frontend in mode http with its requests.
func (g *simLog) checkRequests(records []actor.WebRecord) {
	requests := map[int]*actor.WebRequest{}
	for _, t := range g.talks {
		for i := 0; t.front == g.front && !t.rejected() && i < len(t.web.Requests); i++ {
			requests[t.web.Requests[i].Number] = &t.web.Requests[i]
		}
	}
	for i := range records {
		r := &records[i]
		q := requests[r.Number]
		if q == nil || g.front.log == logTCP || q.Method == "CONNECT" {
			continue
		}
		if wrong := g.judge(q, r, g.byNumber[r.Number]); wrong != "" {
			g.failf("conversation %d request %d: %s", r.Number/10, r.Number, wrong)
		}
	}
}

// judge returns a description of the first error in the line of a request; empty: none. l is nil if
// the request has no line.
func (g *simLog) judge(q *actor.WebRequest, r *actor.WebRecord, l *simLine) string {
	if l == nil {
		return g.missing(q, r)
	}
	switch {
	case q.Number == g.front.monitored:
		return "it asks for monitor-uri and is logged: " + l.text
	case r.Status != 0 && l.status != g.meant(q, r):
		return fmt.Sprintf("the client got status %d, and the line tells %d: %s", r.Status, l.status, l.text)
	case r.Whole && l.bytes != int64(r.Bytes):
		return fmt.Sprintf("the client got %d bytes, and the line tells %d: %s", r.Bytes, l.bytes, l.text)
	case l.bytes < int64(r.Bytes):
		return fmt.Sprintf("the client got %d bytes, and the line tells less: %s", r.Bytes, l.text)
	case q.Malformed == "" && l.request != r.Line && q.Odd != "target with a host":
		return fmt.Sprintf("its request line is %q: %s", r.Line, l.text)
	}
	if wrong := g.serverDiffers(q, r, l); wrong != "" {
		return wrong
	}
	if wrong := g.checkStamp(l, g.talkOf(q.Number/10), g.talkOf(q.Number / 10).asked[q.Number]); wrong != "" {
		return fmt.Sprintf("the stamp of its line is %s: %s", l.stamp, wrong)
	}
	if wrong := g.late(q, l); wrong != "" {
		return wrong
	}
	if !g.termFits(q, r, l) {
		return fmt.Sprintf("its termination state does not fit: %s; %+v", l.text, *r)
	}
	return ""
}

// missing returns the reason why a request must have a line; empty: it need not have one.
func (g *simLog) missing(q *actor.WebRequest, r *actor.WebRecord) string {
	switch {
	case q.Number == g.front.monitored, r.Status == 0, q.Malformed != "", g.front.quiet.normal:
		return ""
	case r.Own && !r.Sent:
		return "" // the balancer may not have received its whole head
	}
	return fmt.Sprintf("it has no log line: %+v", *r)
}

// serverDiffers returns a description of a wrong backend or server in a line; empty: they are
// right.
func (g *simLog) serverDiffers(q *actor.WebRequest, r *actor.WebRecord, l *simLine) string {
	switch {
	case r.Status == 0 || r.Own:
		return ""
	case l.back != q.Expect.Backend && q.Expect.Backend != "":
		return fmt.Sprintf("it belongs to %s: %s", q.Expect.Backend, l.text)
	case len(r.Servers) > 0 && l.server != r.Servers[len(r.Servers)-1]:
		return fmt.Sprintf("server %s has answered it: %s", r.Servers[len(r.Servers)-1], l.text)
	case l.retries < len(r.Servers)-1:
		return fmt.Sprintf("servers %v have got it: %s", r.Servers, l.text)
	}
	return ""
}

// lateness is the maximum delay of a timeout in ms. Delays come from the resolution of the timer
// wheel, from steps that take time, and from calls that are repeated after a lack of memory.
const lateness = 2000

// late checks that a timeout has expired at its time. It returns a description of the error; empty:
// none.
func (g *simLog) late(q *actor.WebRequest, l *simLine) string {
	f, took := g.eras[0].site.Frontend(g.front.name).Conf, l.all
	want := cmp.Or(f.Timeout.HTTPRequest, f.Timeout.Client)
	silent := q.Answer.Fault == actor.ServerStops && q.Answer.At == 0 && q.Framing == actor.NoBody && !q.Answer.Blind
	switch term := l.term[:2]; {
	case term == "cR":
	case term == "sH" && silent:
		want = g.engine.today().Conf.Backend(l.back).Timeout.Server
		took -= l.head + l.tw + l.tc
	default:
		return ""
	}
	if least := want.Milliseconds(); took < least || took > least+lateness {
		return fmt.Sprintf("its timeout is %v and expires after %d ms: %s", want, took, l.text)
	}
	return ""
}

// termFits reports whether the termination state of a line agrees with the record of its request.
func (g *simLog) termFits(q *actor.WebRequest, r *actor.WebRecord, l *simLine) bool {
	term := l.term[:2]
	switch {
	case term == "KD":
		return g.mayStop()
	case term[0] == 'R':
		return g.doubts.has(cuts)
	case r.Own && r.Whole && q.Expect.Answer == r.Status && g.terms[q.Number] != "":
		return term == g.terms[q.Number] || slices.Contains(ownTerms[r.Status], term)
	case r.Own && r.Whole:
		return slices.Contains(ownTerms[g.meant(q, r)], term)
	case r.Whole && q.Answer.Fault == actor.Fair && q.Answer.Early < 0 && !r.Aborted && r.Sent:
		return term == "--"
	}
	return slices.Contains(webTerms, term)
}

// meant returns the status that the line of a request must contain. If errorloc has replaced an
// answer, this is the status of the original answer.
func (g *simLog) meant(q *actor.WebRequest, r *actor.WebRecord) int {
	for i := 0; i < len(q.Expect.Instead) && r.Own; i += 2 {
		if q.Expect.Instead[i+1] == r.Status {
			return q.Expect.Instead[i]
		}
	}
	return r.Status
}

// ownTerms are the possible termination states of the balancer's own answers, by status.
var ownTerms = map[int][]string{
	400: {"PR", "CR", "PH", "PD"},
	408: {"cR", "cH"},
	413: {"PR"}, 414: {"PR"}, 431: {"PR"}, 501: {"PR"}, 500: {"PR"},
	502: {"SH", "PH"},
	503: {"SC", "sC", "RC"},
	504: {"sH"},
}

// webTerms are the possible termination states of mode http.
var webTerms = []string{
	"--", "CR", "CL", "CD", "CH", "cR", "cH", "cD", "SH", "sH", "SD", "sD", "SC", "sC", "RC", "PR", "PH", "PD", "LR", "LH", "KD", "RR", "CC",
}
