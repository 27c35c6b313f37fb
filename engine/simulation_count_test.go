//go:build simulation

package engine

import (
	"fmt"
	"slices"

	"sluice/engine/actor"
	"sluice/pool"
)

// truth contains the expected values of all counters of a world. They come from the system calls of
// the balancer, from the actions of the clients and servers, and from the log lines. The log lines
// themselves are checked in simulation_logs_test.go.
type truth struct {
	*simulation
	fronts     []*expected // rows; index: number of the frontend
	backRows   []*expected // rows; index: number of the backend
	serverRows [][]*expected
	attempts   map[*expected]*attempts // key: row of the backend
	plans      map[int]*actor.WebPlan
}

// attempts counts the attempts to connect of a backend's sessions and requests.
type attempts struct {
	blind     bool               // not all log lines are known, so the other fields are incomplete
	made      span               // number of attempts, on new and on idle connections
	retries   span               // number of retries and redispatches
	persisted map[*expected]span // number of choices by a cookie, by row of the server
	heads     map[*expected]span // bytes of requests that were not sent to their server, by row of the server
}

// checkCounts compares all counters with the expected values. It is called when all sessions have
// ended.
func (x *simulation) checkCounts() {
	t := &truth{simulation: x, attempts: map[*expected]*attempts{}, plans: map[int]*actor.WebPlan{}}
	t.makeRows()
	t.addLines()
	t.addMonitor()
	for i := range t.fronts {
		t.checkFront(i)
	}
	for i := range t.backRows {
		t.checkBack(i)
	}
	t.checkProcess()
	t.checkWire()
}

// makeRows makes a row for each frontend, backend and server. If not all log lines of a frontend
// are known, its row and those of its backends are unbounded.
func (t *truth) makeRows() {
	for _, talk := range t.talks {
		if talk.web != nil {
			t.plans[talk.number] = talk.web
		}
	}
	for _, b := range t.backs {
		row := &expected{name: "backend " + b.name}
		var servers []*expected
		for _, v := range b.servers {
			servers = append(servers, &expected{name: "server " + v.name})
		}
		t.backRows, t.serverRows = append(t.backRows, row), append(t.serverRows, servers)
		t.attempts[row] = &attempts{persisted: map[*expected]span{}, heads: map[*expected]span{}}
	}
	for _, f := range t.simulation.fronts {
		row := &expected{name: "frontend " + f.name}
		t.fronts = append(t.fronts, row)
		if all, _ := f.tellsAll(); all {
			continue
		}
		row.forget()
		for i, b := range t.backs {
			if f.leadsTo(b) {
				t.forgetBack(i)
			}
		}
	}
}

func (t *truth) forgetBack(i int) {
	if a := t.attempts[t.backRows[i]]; a.blind {
		return
	} else {
		a.blind = true
	}
	t.backRows[i].forget()
	for _, v := range t.serverRows[i] {
		v.forget()
	}
}

// leadsTo reports whether a frontend may send clients to a backend.
func (f *simFront) leadsTo(b *simBack) bool {
	for _, r := range f.routes {
		if r.back == b {
			return true
		}
	}
	return false
}

// serversOf returns the rows of a backend's servers.
func (t *truth) serversOf(b *expected) []*expected {
	for i, row := range t.backRows {
		if row == b {
			return t.serverRows[i]
		}
	}
	return nil
}

// backOf returns the backend of a row.
func (t *truth) backOf(row *expected) *simBack { return t.backs[slices.Index(t.backRows, row)] }

// headOnly adds the bytes of a request that was not sent to its server. They count as bytes from
// the client, but no system call sends them.
func (t *truth) headOnly(c *countedLine, in span) {
	if c.v != nil {
		h := t.attempts[c.b].heads
		h[c.v] = span{h[c.v].least + in.least, h[c.v].most + in.most}
	}
}

// addMonitor adds the request for monitor-uri, which has no log line.
func (t *truth) addMonitor() {
	answered := map[int]int{}
	for _, r := range t.webs.Records() {
		if r.Own {
			answered[r.Number] = r.Status
		}
	}
	for i, f := range t.simulation.fronts {
		if f.monitored == 0 {
			continue
		}
		row := t.fronts[i]
		for _, c := range []column{colRequests, colIntercepted, classOf(f.monitor)} {
			if row.may(c, 1); answered[f.monitored] == f.monitor {
				row.spans[c].least++
			}
		}
		row.may(colIn, 1<<16)
		row.may(colOut, 1000)
	}
}

// bound sets the counters of highest values and rates: each is at most the total, and at least 1 if
// the total is not 0.
func (e *expected) bound(got *counts) {
	for _, c := range [][2]column{{colMax, colTotal}, {colRate, colTotal}, {colConnsMax, colConns}, {colConnsRate, colConns}, {colRequestRate, colRequests}} {
		e.set(c[0], span{min(1, got[c[1]]), got[c[1]]})
	}
}

// checkFront compares the counters of a frontend.
func (t *truth) checkFront(i int) {
	row, wire := t.fronts[i], &t.wire.clients[i]
	got := countsOfFronts(t.metAt[i])
	row.bound(got)
	unopened := int64(0) // clients that were accepted during a drain, and closed by a stop
	if t.mayStop() {
		unopened = wire.unused
	}
	row.set(colConns, span{wire.accepted - unopened, wire.accepted})
	row.set(colDeniedConn, span{max(0, wire.denied-unopened), wire.denied})
	row.set(colTotal, exactly(got[colConns]-got[colDeniedConn]))
	if wire.held == 0 && len(t.metAt[i]) == 1 {
		row.set(colMax, t.together(wire.most))
		row.set(colConnsMax, t.together(wire.mostAny))
	}
	t.tell(row, got)
}

// together returns the most connections at once. n is the most at an accept. If loops interleave, one
// of them may be a place that another loop has taken for a client which it has not accepted yet.
func (t *truth) together(n int64) span {
	if t.pace.interleaved {
		return span{max(n-1, min(n, 1)), n}
	}
	return exactly(n)
}

// tell reports each counter of a row whose value is not possible. got contains the values.
func (t *truth) tell(row *expected, got *counts) {
	row.settle()
	for _, text := range row.differences(got) {
		t.failf("counters: %s", text)
	}
}

// checkBack compares the counters of a backend and of its servers.
func (t *truth) checkBack(i int) {
	row, b := t.backRows[i], t.backNow(i)
	got := countsOfProxy(&b.Stat)
	row.bound(got)
	connects, most := span{}, int64(0)
	for j, same := range t.met[i] {
		t.checkServer(i, j, same)
		connects.least += t.wire.servers[i][j].attempts
		most += t.wire.servers[i][j].most
	}
	connects.most = connects.least + t.wire.lost
	row.set(colConnects, connects)
	row.set(colReuses, span{t.kept(i, -1), unbounded})
	row.set(colSelected, span{0, unbounded}) // checkSums compares it with the sum over the servers
	t.tell(row, got)
	t.checkSums(i, got)
}

// checkServer compares the counters of a server. A server that a reload has added again has new
// counters, so same are all servers with its name.
func (t *truth) checkServer(i, j int, same []*pool.Server) {
	row, wire := t.serverRows[i][j], &t.wire.servers[i][j]
	got := countsOfServers(same)
	row.bound(got)
	if len(same) > 1 {
		row.forgetTimes()
	}
	if !t.backs[i].http { // in mode http, idle connections belong to no session
		row.spans[colMax].least = wire.most
	}
	row.set(colConnects, span{wire.attempts, wire.attempts + t.wire.lost})
	row.set(colReuses, span{t.kept(i, j), unbounded})
	row.set(colTotal, exactly(got[colConnects]+got[colReuses]))
	row.set(colSelected, t.selected(i, j, got))
	if again := got[colRetries] + got[colRedispatches]; again > wire.failed+got[colReuses]+t.wire.lost {
		t.failf("counters: %s: %d retries and redispatches after %d failed connections and %d requests on idle ones",
			row.name, again, wire.failed, got[colReuses])
	}
	t.tell(row, got)
}

// selected returns the possible values of lbtot of a server: the number of times that balancing has
// chosen it. Choices by a cookie and retries with the same server do not count. But a retry may be
// a new choice that led to the same server.
func (t *truth) selected(i, j int, got *counts) span {
	a := t.attempts[t.backRows[i]]
	if a.blind {
		return span{0, got[colTotal]}
	}
	p := a.persisted[t.serverRows[i][j]]
	return span{max(0, got[colTotal]-got[colRetries]-p.most), got[colTotal] - p.least}
}

// kept returns the number of requests that came to a server on connections with earlier requests.
// server -1 means all servers of the backend.
func (t *truth) kept(back, server int) (n int64) {
	for j, v := range t.backs[back].servers {
		if server < 0 || server == j {
			n += int64(t.webs.Kept(v.name))
		}
	}
	return n
}

// checkSums compares the counters of a backend with the sums of its servers' counters.
func (t *truth) checkSums(i int, got *counts) {
	var sum counts
	for _, same := range t.met[i] {
		sum.add(countsOfServers(same))
	}
	name := t.backRows[i].name
	for _, c := range []column{colRetries, colRedispatches, colConnects, colReuses, colSelected, colDeniedResp, colFailedResp, colServerAborts} {
		if got[c] != sum[c] {
			t.failf("counters: %s: %s is %d, and %d in the sum of its servers", name, columnNames[c], got[c], sum[c])
		}
	}
	for _, c := range []column{colFailedConn, colClientAborts, colIn, colOut, colRequests} {
		if got[c] < sum[c] {
			t.failf("counters: %s: %s is %d, and %d in the sum of its servers", name, columnNames[c], got[c], sum[c])
		}
	}
	a := t.attempts[t.backRows[i]]
	if a.blind {
		return
	}
	for _, one := range []struct {
		what string
		got  int64
		want span
	}{
		{"connect and reuse", got[colConnects] + got[colReuses], a.made},
		{"wretr and wredis", got[colRetries] + got[colRedispatches], a.retries},
	} {
		if !one.want.has(one.got) {
			t.failf("counters: %s: %s are %d together; want %v", name, one.what, one.got, one.want)
		}
	}
}

// checkProcess compares the counters of the process with the sums of its frontends' counters.
func (t *truth) checkProcess() {
	p := &t.engine.Stat
	got, row := countsOfProcess(p), &expected{name: "the process"}
	held := int64(0)
	for i := range t.simulation.fronts {
		one := countsOfFronts(t.metAt[i])
		for _, c := range []column{colTotal, colIn, colOut, colRequests} {
			row.add(c, one[c])
		}
		held += t.wire.clients[i].held
	}
	total, requests := row.spans[colTotal], row.spans[colRequests]
	row.bound(got)
	row.spans[colTotal], row.spans[colRequests] = total, requests
	if held == 0 {
		row.set(colMax, t.together(t.wire.most))
	}
	t.tell(row, got)
	if n := p.Spliced.Load(); n != t.wire.spliced {
		t.failf("counters: the process has spliced %d bytes and counts %d", t.wire.spliced, n)
	}
}

// checkWire compares the counters of bytes with the bytes that the system calls have moved.
func (t *truth) checkWire() {
	for i, f := range t.simulation.fronts {
		t.checkClients(i, f)
	}
	for i, b := range t.backs {
		for j, same := range t.met[i] {
			t.checkUpload(i, j, b, same)
		}
	}
}

// compare reports a counter of bytes if its value got is not possible.
func (t *truth) compare(what string, got int64, want span) {
	if !want.has(got) {
		t.failf("counters: %s: %d bytes are counted; the system calls have moved %v", what, got, want)
	}
}

// checkClients compares the bytes of a frontend's clients with the system calls.
func (t *truth) checkClients(i int, f *simFront) {
	wire, got := &t.wire.clients[i], countsOfFronts(t.metAt[i])
	normal, bad := t.allNormal(f)
	normal = normal && f.monitor == 0 // a request for monitor-uri is not logged, so its end is not known
	in, out := span{0, wire.read}, exactly(wire.written)
	switch {
	case f.http && normal:
	case f.http && bad: // the answer to an incomplete head is not counted
		out = span{0, unbounded}
	case f.http: // the client may not have received all counted bytes
		out = span{wire.written, unbounded}
	case normal:
		in.least = wire.read
	}
	t.compare(fmt.Sprintf("to the clients of %s", f.name), got[colOut], out)
	if !f.http {
		t.compare(fmt.Sprintf("from the clients of %s", f.name), got[colIn], in)
	}
}

// allNormal reports whether all log lines of a frontend are known and have a normal termination
// state. bad: some lines are not known, or one is of a request without a complete head.
func (t *truth) allNormal(f *simFront) (normal, bad bool) {
	if all, _ := f.tellsAll(); !all {
		return false, true
	}
	normal = true
	for _, line := range t.lines {
		if line.front != f {
			continue
		}
		l, err := f.parseLine(line.text)
		normal = normal && err == nil && l.term[:2] == "--"
		bad = bad || l.request == badRequestLine
	}
	return normal, bad
}

// checkUpload compares the counted bytes to a server with the system calls. In mode tcp, bytes that
// the server's socket did not take count, too. In mode http, bytes of an attempt before the last
// one do not count.
func (t *truth) checkUpload(i, j int, b *simBack, same []*pool.Server) {
	row := t.backRows[i]
	a, wire := t.attempts[row], &t.wire.servers[i][j]
	want := span{wire.written, unbounded}
	if b.http && (a.blind || a.retries.most > 0) {
		return
	}
	if b.http {
		heads := a.heads[t.serverRows[i][j]]
		want = span{wire.written + heads.least, wire.written + heads.most}
	}
	t.compare("to "+t.serverRows[i][j].name, countsOfServers(same)[colIn], want)
}
