package actor

import (
	"fmt"
	"slices"
	"strings"
)

// webFate is the set of the outcomes that the plan allows for a request. Several outcomes may be
// possible, because the network decides which bytes arrive before the end of a connection.
type webFate struct {
	served bool  // the client gets the server's whole answer
	cut    bool  // the client gets a part of that answer, and then a reset
	short  bool  // the client gets a part that looks whole, because the server ended without a reset
	exact  bool  // with cut and short: the client gets all bytes that the server has sent
	torn   bool  // an answer may end with FIN although it is incomplete, because of the client's fault
	own    []int // statuses of answers that the balancer itself may give
	gone   bool  // the connection ends without an answer
	stays  bool  // after the answer of a server or of a rule, the client's connection is kept
	leaves bool  // after that answer, the connection ends; with stays: both are possible
}

// anything returns the fate of a request whose client may have ended its connection: every outcome
// is possible.
func anything() webFate {
	return webFate{served: true, cut: true, short: true, torn: true, gone: true, stays: true, leaves: true,
		own: []int{400, 403, 408, 413, 500, 501, 502, 503, 504}}
}

// restedFate returns the fate of a request whose client has read nothing for long. The balancer may
// have reset the connection, but a part of an answer never ends with FIN, unless the server has ended
// it so. In a tunnel FIN ends a connection whose timeout has expired.
func (p *WebPlan) restedFate(i int) webFate {
	f, q := anything(), &p.Requests[i]
	f.torn = q.tunnels()
	f.short = q.untilEnd() && q.Answer.Fault != Fair
	return f
}

// certain reports whether only one outcome is possible. It is the whole answer of the server, the
// answer of a rule, or the refusal of a malformed request.
func (f *webFate) certain(q *WebRequest) bool {
	switch {
	case f.cut || f.short || f.gone:
		return false
	case f.served:
		return len(f.own) == 0
	}
	return len(f.own) == 1 && (q.Malformed != "" || f.own[0] == q.shown(q.Expect.Answer))
}

// MayFail reports whether request i may remain without the answer of its server, or of the rule
// that answers it.
func (p *WebPlan) MayFail(i int) bool {
	for j := range i {
		if f := p.fate(j); !f.certain(&p.Requests[j]) || f.leaves {
			return true
		}
	}
	f := p.fate(i)
	return !f.certain(&p.Requests[i])
}

// fate returns the possible outcomes of request i, if all requests before have been answered and
// the connection was kept.
func (p *WebPlan) fate(i int) webFate {
	q := &p.Requests[i]
	f, decided := p.clientFate(i)
	switch {
	case decided:
	case q.Malformed != "":
		f = p.malformedFate(i)
	case q.ruled():
		f = webFate{own: []int{q.Expect.Answer}}
		f.follow(p.ends(q) || q.hasBody())
	default:
		f = p.serverFate(i)
	}
	switch {
	case q.Expect.Answer == 0:
	case decided && f.served: // anything is possible
		f.own = append(f.own, q.Expect.Answer)
	case !q.ruled():
		f.replace(q)
	}
	f.own = append(f.own, q.Expect.Own...)
	for i, status := range f.own {
		f.own[i] = q.shown(status)
	}
	return f
}

// shown returns the status that the client receives for an answer of the balancer itself: errorloc
// may replace status.
func (q *WebRequest) shown(status int) int {
	for i := 0; i < len(q.Expect.Instead); i += 2 {
		if q.Expect.Instead[i] == status {
			return q.Expect.Instead[i+1]
		}
	}
	return status
}

// ruled reports whether a rule answers the request, so that no server gets it.
func (q *WebRequest) ruled() bool { return q.Expect.Answer != 0 && !q.Expect.Reaches }

// hasBody reports whether bytes follow the head of the request: a body or a chunked framing.
func (q *WebRequest) hasBody() bool {
	return q.Framing == ByChunks || q.Framing == ByLength && q.Body > 0
}

// ends reports whether the client's connection ends with this request, whoever answers.
func (p *WebPlan) ends(q *WebRequest) bool { return q.last() || p.shape.Closes || q.Expect.Ends }

// follow sets whether the connection ends after the answer.
func (f *webFate) follow(ends bool) { f.stays, f.leaves = !ends, ends }

// replace changes the fate to that of a request whose server's answer a rule replaces with its own.
func (f *webFate) replace(q *WebRequest) {
	if slices.Contains(f.own, q.Expect.Answer) { // the answer may be that of a failure instead, with the same status; then the connection ends
		f.leaves = true
	}
	if f.served || f.cut || f.short {
		f.own = append(f.own, q.Expect.Answer)
	}
	f.served, f.cut, f.short = false, false, false
	if q.Answer.Early >= 0 {
		f.leaves = true
	}
}

// clientFate returns the fate of a request whose client has a fault. decided is false if the fault
// does not concern this request. This is the case if the client has read the answer before the
// fault, which is in a later request or answer.
func (p *WebPlan) clientFate(i int) (f webFate, decided bool) {
	switch {
	case p.Fault == Polite || p.Fault.reading() && i < p.FaultIn:
		return f, false
	case p.Fault == ClientRests:
		return p.restedFate(i), true
	case p.Fault.reading():
		return anything(), true
	case p.Fault == ClientResets:
		return anything(), !p.awaits(i)
	case i > p.FaultIn:
		return webFate{gone: true, leaves: true}, true
	case i == p.FaultIn:
		return p.brokenFate(&p.Requests[i], i == 0)
	}
	return f, false
}

// awaits reports whether the client reads answer i before its fault happens. It does if it waits
// for this answer, or a later one, before it sends a request up to the faulty one.
func (p *WebPlan) awaits(i int) bool {
	for k := i + 1; k <= p.FaultIn; k++ {
		if p.Requests[k].Waits {
			return true
		}
	}
	return false
}

// brokenFate returns the fate of a request of which the client sends only a part, before FIN or
// silence. If first is true, the request is the first one of the connection.
func (p *WebPlan) brokenFate(q *WebRequest, first bool) (f webFate, decided bool) {
	text, head := q.appendTo(nil)
	own := 400
	if p.Fault == ClientStops {
		own = 408
	}
	switch {
	case p.FaultAt == 0 && !first:
		return webFate{gone: true, leaves: true}, true
	case p.FaultAt == 0:
		return webFate{own: []int{own}, gone: p.shape.IgnoresProbes, leaves: true}, true
	case p.FaultAt < head:
		f = webFate{own: []int{own}, leaves: true}
		if q.Malformed != "" {
			f.own = append(f.own, entry(badRequests, q.Malformed).status)
		}
		return f, true
	case p.FaultAt >= len(text):
		return f, false
	}
	f = anything()
	f.torn = p.Fault == ClientFIN
	return f, true
}

// breaks reports whether the client's fault is in its sending of this request.
func (p *WebPlan) breaks(q *WebRequest) bool { return p.Fault.sending() && p.index(q) == p.FaultIn }

// cutsHead reports whether the client sends only a part of the head of a request.
func (p *WebPlan) cutsHead(q *WebRequest) bool {
	if !p.Fault.sending() || p.index(q) != p.FaultIn {
		return false
	}
	_, head := q.appendTo(nil)
	return p.FaultAt < head
}

// malformedFate returns the fate of a malformed request. If only its body is malformed, a server
// may have received the head, and may answer.
func (p *WebPlan) malformedFate(i int) webFate {
	q := &p.Requests[i]
	bad := entry(badRequests, q.Malformed)
	switch {
	case bad.head != "":
		return webFate{own: []int{bad.status}, leaves: true}
	case q.ruled():
		return webFate{own: []int{q.Expect.Answer}, leaves: true}
	}
	f := webFate{own: []int{bad.status}, leaves: true}
	if q.Answer.Early >= 0 {
		f = anything()
		f.stays, f.gone = false, false
	}
	if q.Answer.Fault == ServerDies || p.races(i) {
		f.own = append(f.own, 502)
	}
	return f
}

// serverFate returns the fate of a valid request that is sent to a server.
func (p *WebPlan) serverFate(i int) webFate {
	q := &p.Requests[i]
	a := &q.Answer
	f := webFate{served: true}
	f.follow(p.ends(q) || q.untilEnd() || q.tunnels())
	if (a.Fault == ServerDies || p.races(i)) && !p.repeatable(q) {
		f.own = append(f.own, 502)
	}
	switch a.Fault {
	case ServerErrs:
		f.served, f.exact = false, false
		if entry(badAnswers, a.Bad).head != "" {
			f.own = append(f.own, 502)
		} else {
			f.cut = true
		}
	case ServerStops:
		p.stopped(q, &f)
	case ServerCloses, ServerFIN, ServerResets:
		p.endedEarly(q, &f)
	}
	return f
}

// stopped changes the fate to that of a request whose server stops sending within its answer,
// without closing.
func (p *WebPlan) stopped(q *WebRequest, f *webFate) {
	t := q.appendAnswer(nil)
	switch at := q.Answer.At; {
	case at < t.body:
		f.served, f.own = false, append(f.own, 504)
	case at < len(t.bytes) || q.untilEnd() || q.tunnels():
		f.served, f.cut, f.exact = false, true, true
	}
}

// endedEarly changes the fate to that of a request whose server ends its connection within its
// answer or after it.
func (p *WebPlan) endedEarly(q *WebRequest, f *webFate) {
	a, t := &q.Answer, q.appendAnswer(nil)
	abrupt := q.abrupt()
	fin := !abrupt || a.Fault == ServerCloses || p.shape.UnixServers // the balancer may receive FIN, and not RST
	lossy := abrupt && !a.Acked
	open := q.untilEnd() || q.tunnels()
	f.exact = !lossy
	switch {
	case a.At < t.body:
		f.served, f.own = false, append(f.own, 502)
		return
	case a.At < len(t.bytes):
		f.served, f.cut = false, abrupt || !open
		f.short = open && fin
	case open:
		f.served, f.cut = fin, abrupt
	default:
		f.cut = lossy
	}
	if lossy {
		f.own = append(f.own, 502)
	}
	f.leaves = f.leaves || lossy || abrupt && a.Early >= 0
}

// abrupt reports whether the server's connection may end with RST, which destroys bytes on their
// way. The kernel also sends RST if a socket is closed with unread bytes.
func (q *WebRequest) abrupt() bool {
	a := &q.Answer
	unread := a.Early >= 0 || q.tunnels() && q.Up > 0
	return a.Fault == ServerResets || a.Fault == ServerCloses && unread
}

// repeatable reports whether the balancer must send a request again that failed on a kept
// connection.
func (p *WebPlan) repeatable(q *WebRequest) bool {
	if !q.idempotent() || q.hasBody() && q.Framing != ByLength {
		return false
	}
	text, _ := q.appendTo(nil)
	return len(text) <= p.shape.Repeats
}

// races reports whether request i may be sent on a connection that its server is about to close.
func (p *WebPlan) races(i int) bool {
	for j := i - 1; j >= 0; j-- {
		q, a := &p.Requests[j], &p.Requests[j].Answer
		switch {
		case q.ruled(): // an idle connection remains idle
		case q.Expect.Backend != p.Requests[i].Expect.Backend || q.Expect.Frees || a.Close || q.last():
			return false
		default:
			return slices.Contains([]ServerFault{ServerCloses, ServerFIN, ServerResets}, a.Fault) && !q.endsBehind()
		}
	}
	return false
}

// wanted returns the possible outcomes as a text for messages.
func (f *webFate) wanted() string {
	var all []string
	add := func(possible bool, name string) {
		if possible {
			all = append(all, name)
		}
	}
	add(f.served, "the server's answer")
	add(f.cut, "a part of it and a reset")
	add(f.short, "a part of it and FIN")
	add(f.gone, "the end of the connection")
	add(len(f.own) > 0, fmt.Sprintf("own answers %v", f.own))
	return strings.Join(all, ", ")
}
