//go:build simulation

package engine

import (
	"strconv"
	"strings"

	"sluice/engine/actor"
)

// countedLine is a log line with the rows whose counters depend on it.
type countedLine struct {
	*simLine
	front *simFront
	f     *expected
	b, v  *expected         // rows of the backend and the server; nil: none was chosen
	q     *actor.WebRequest // nil: the line does not identify its request
}

// tellsAll reports whether each session or request of a frontend has a log line with all values
// that counters depend on. The result bytes reports whether the lines contain the bytes from the
// client.
func (f *simFront) tellsAll() (all, bytes bool) {
	if f.quiet.null || f.quiet.normal {
		return false, false
	}
	switch f.log {
	case logOfOurs, logJSON:
		return true, true
	case logHTTP:
		return true, false
	case logTCP:
		return !f.http, false
	}
	return false, false
}

// addLines adds the values of all complete log lines to the expected counters.
func (t *truth) addLines() {
	for _, line := range t.lines {
		all, bytes := line.front.tellsAll()
		if !all {
			continue
		}
		l, err := line.front.parseLine(line.text)
		if err != nil {
			t.failf("a line of frontend %s %v: %s", line.front.name, err, line.text)
			continue
		}
		c := &countedLine{simLine: l, front: line.front}
		t.place(c)
		if c.front.http {
			c.q = t.requestOf(c)
			t.addRequest(c)
		} else {
			t.addSession(c)
		}
		t.addBytes(c, bytes)
		if c.b != nil {
			t.addAttempts(c)
			t.addTimes(c)
		}
	}
}

// place finds the rows of a line. A line of mode tcp may name the default backend although its
// session ended before a backend was chosen. A client that failed before, or whose timeout expired,
// has a backend.
func (t *truth) place(c *countedLine) {
	c.f = t.fronts[c.front.number]
	if !c.front.http && c.term[1] == 'R' && !c.ends("CR") && !c.ends("cR") {
		return
	}
	for i, b := range t.backs {
		if b.name != c.back {
			continue
		}
		c.b = t.backRows[i]
		for j, v := range b.servers {
			if v.name == c.server {
				c.v = t.serverRows[i][j]
			}
		}
	}
}

// requestOf returns the request of a line; nil: unknown. The target of CONNECT does not identify a
// request, but a CONNECT is always the last request of its client.
func (t *truth) requestOf(c *countedLine) *actor.WebRequest {
	_, target, _ := strings.Cut(c.request, " ")
	target, _, _ = strings.Cut(target, " ")
	if strings.HasPrefix(c.request, "CONNECT ") && c.client.IsValid() {
		a := c.client.Addr().As4()
		if p := t.plans[int(a[2])<<8|int(a[3])]; p != nil {
			return &p.Requests[len(p.Requests)-1]
		}
	}
	n, err := strconv.Atoi(target[strings.LastIndexByte(target, '/')+1:])
	if p := t.plans[n/10]; err == nil && p != nil {
		return p.Request(n)
	}
	return nil
}

// inBoth adds 1 to a counter of the frontend and of the backend.
func (c *countedLine) inBoth(of column) {
	c.f.inc(of)
	if c.b != nil {
		c.b.inc(of)
	}
}

// atServer adds 1 to a counter of the backend and of the server.
func (c *countedLine) atServer(of column) {
	c.b.inc(of)
	if c.v != nil {
		c.v.inc(of)
	}
}

// mayAtServer adds 0 or 1 to a counter of the backend and of the server.
func (c *countedLine) mayAtServer(of column) {
	c.b.may(of, 1)
	if c.v != nil {
		c.v.may(of, 1)
	}
}

// ends reports whether the termination state begins with a text.
func (c *countedLine) ends(with string) bool { return strings.HasPrefix(c.term, with) }

// addSession adds a session of mode tcp to the expected counters.
func (t *truth) addSession(c *countedLine) {
	switch {
	case c.ends("PR"):
		c.f.inc(colDeniedReq)
	case c.ends("cR"), c.ends("CR"):
		c.f.inc(colFailedReq)
	}
	if c.b == nil {
		return
	}
	c.b.inc(colTotal)
	if c.ends("SD") {
		c.atServer(colFailedResp)
	}
	t.addAborts(c)
}

// addAborts adds the failure or abort of a session or request that had a backend.
func (t *truth) addAborts(c *countedLine) {
	switch who, when := c.term[0], c.term[1]; {
	case who == 'C' || who == 'c':
		c.atServer(colClientAborts)
	case (who == 'S' || who == 's') && when == 'D':
		c.atServer(colServerAborts)
	case c.ends("RC"): // also the end of a session whose socket cannot be registered with epoll, see loop.watch
		c.mayAtServer(colFailedConn)
		if c.status == 503 {
			c.b.spans[colFailedConn].least++
		}
	case when == 'C' && (who == 'S' || who == 's'):
		c.b.inc(colFailedConn)
		t.addFailedServer(c)
	}
}

// addFailedServer adds a failed connection to the server's counter. If a retry found no available
// server, the line names the server of the attempt before.
func (t *truth) addFailedServer(c *countedLine) {
	switch {
	case c.v == nil:
	case c.ends("SC") && c.retries > 0:
		c.v.may(colFailedConn, 1)
	default:
		c.v.inc(colFailedConn)
	}
}

// addAttempts adds the attempts to connect, the retries, and the choices of servers.
func (t *truth) addAttempts(c *countedLine) {
	a := t.attempts[c.b]
	n := int64(c.retries)
	if c.v != nil {
		a.made.least += 1 + n
		a.made.most += 1 + n
	}
	// The last retry was not made if the session ended in the pause before it, or found no server.
	unmade := n > 0 && (c.ends("CC") || c.ends("K") || c.ends("RC") || c.ends("SC"))
	if unmade {
		a.made.least--
	}
	// Without redispatch, a retry counts before the pause.
	counted := !t.backOf(c.b).redispatch && (c.ends("CC") || c.ends("K"))
	t.addRetries(c, n, unmade && !counted)
	t.addPersistence(c, a)
}

// addRetries adds n retries. unsure means that the last one may not be counted. Each retry counts for the server that failed. The line identifies this
// server if there was no redispatch, in mode http only if the backend has one server.
func (t *truth) addRetries(c *countedLine, n int64, unsure bool) {
	sure := n
	if unsure {
		sure--
	}
	switch {
	case n == 0:
	case c.redispatched:
		c.b.may(colRetries, n-1)
		c.b.add(colRedispatches, 1)
		c.b.may(colRedispatches, n-1)
	default:
		c.b.add(colRetries, sure)
		c.b.may(colRetries, n-sure)
	}
	a := t.attempts[c.b]
	a.retries.least += sure
	a.retries.most += n
	if n > 0 && !c.redispatched && c.v != nil && (!c.front.http || len(t.serversOf(c.b)) == 1) {
		c.v.add(colRetries, sure)
		c.v.may(colRetries, n-sure)
		return
	}
	for _, v := range t.serversOf(c.b) {
		v.may(colRetries, n)
		if c.redispatched {
			v.may(colRedispatches, n)
		}
	}
}

// addPersistence adds choices of a server by a cookie. Such choices do not count in lbtot.
func (t *truth) addPersistence(c *countedLine, a *attempts) {
	switch {
	case len(c.term) < 4 || c.v == nil:
	case c.term[2] == 'V' && !c.redispatched:
		a.persisted[c.v] = span{a.persisted[c.v].least + 1, a.persisted[c.v].most + 1}
	case c.q == nil || c.q.Cookie != "":
		for _, v := range t.serversOf(c.b) {
			a.persisted[v] = span{a.persisted[v].least, a.persisted[v].most + 1}
		}
	}
}

// addTimes adds the times of a session, or of a request with an answer, to the samples.
func (t *truth) addTimes(c *countedLine) {
	response := c.tr
	if !c.front.http {
		response = 0
	}
	if c.tc < 0 || response < 0 {
		return
	}
	for i, ms := range [4]int64{c.tw, c.tc, response, c.all} {
		c.b.times[i] = append(c.b.times[i], ms)
		if c.v != nil {
			c.v.times[i] = append(c.v.times[i], ms)
		}
	}
}

// addBytes adds the bytes of a session or a request. If nothing was sent to a server, the head of
// the request counts as bytes from the client. known: the line contains the bytes from the client.
func (t *truth) addBytes(c *countedLine, known bool) {
	in := exactly(c.uploaded)
	switch {
	case !known:
		in = span{0, unbounded}
		t.headOnly(c, in)
	case c.front.http && c.uploaded == 0 && c.request != badRequestLine:
		in = span{0, unbounded}
		if c.q != nil {
			in = exactly(int64(c.q.HeadSize()))
		}
		t.headOnly(c, in)
	}
	for _, e := range []*expected{c.f, c.b, c.v} {
		if e != nil {
			e.add(colIn, in.least)
			e.may(colIn, in.most-in.least)
			e.add(colOut, c.bytes)
		}
	}
}
