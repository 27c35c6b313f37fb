//go:build simulation

package engine

import (
	"fmt"

	"sluice/pool"
	"sluice/pool/stat"
)

// column is a counter of a frontend, a backend or a server.
type column int

// The counters, in the order of columnNames. A counter of `show stat` has its name there.
const (
	colCur column = iota
	colMax
	colTotal
	colIn
	colOut
	colRate
	colConns
	colConnsCur
	colConnsMax
	colConnsRate
	colDeniedConn
	colDeniedSess
	colDeniedReq
	colDeniedResp
	colFailedReq
	colFailedConn
	colFailedResp
	colRetries
	colRedispatches
	colClientAborts
	colServerAborts
	colSelected
	colConnects
	colReuses
	colIntercepted
	colRequests
	colRequestRate
	colOther // answers by class: other, then 1xx to 5xx up to colOther+5
	col1xx
	col2xx
	col3xx
	col4xx
	col5xx
	colQueue // average times in ms, up to colQueue+3
	colConnect
	colResponse
	colAll
	colQueueMax // highest times in ms, up to colQueueMax+3
	colConnectMax
	colResponseMax
	colAllMax
	columns
)

var columnNames = [columns]string{
	"scur", "smax", "stot", "bin", "bout", "rate_max", "conn_tot", "current connections", "most connections", "conn_rate_max",
	"dcon", "dses", "dreq", "dresp", "ereq", "econ", "eresp", "wretr", "wredis", "cli_abrt", "srv_abrt", "lbtot", "connect", "reuse",
	"intercepted", "req_tot", "req_rate_max", "hrsp_other", "hrsp_1xx", "hrsp_2xx", "hrsp_3xx", "hrsp_4xx", "hrsp_5xx",
	"qtime", "ctime", "rtime", "ttime", "qtime_max", "ctime_max", "rtime_max", "ttime_max",
}

// counts are the values of all counters of a row: a frontend, a backend, a server or the process.
type counts [columns]int64

// countsOfProxy reads the counters of a frontend or a backend.
func countsOfProxy(p *stat.Proxy) *counts {
	c := &counts{
		colConns: p.Conns.Total(), colConnsCur: p.Conns.Cur(), colConnsMax: p.Conns.Max(), colConnsRate: p.Conns.Rate().Max(),
		colDeniedConn: p.DeniedConn.Load(), colDeniedSess: p.DeniedSess.Load(), colDeniedReq: p.DeniedReq.Load(),
		colDeniedResp: p.DeniedResp.Load(), colFailedReq: p.FailedReq.Load(), colFailedConn: p.FailedConn.Load(),
		colFailedResp: p.FailedResp.Load(), colRetries: p.Retries.Load(), colRedispatches: p.Redispatches.Load(),
		colClientAborts: p.ClientAborts.Load(), colServerAborts: p.ServerAborts.Load(), colSelected: p.Selected.Load(),
		colConnects: p.Connects.Load(), colReuses: p.Reuses.Load(), colIntercepted: p.Intercepted.Load(),
	}
	c.addLoad(&p.Load)
	c.addRequests(&p.Requests)
	c.addTimes(&p.Times)
	return c
}

// countsOfFronts returns the sums of the counters of frontends.
func countsOfFronts(all []*pool.Frontend) *counts {
	sum := &counts{}
	for _, f := range all {
		sum.add(countsOfProxy(&f.Stat))
	}
	return sum
}

// countsOfServer reads the counters of a server.
func countsOfServer(s *stat.Server) *counts {
	c := &counts{
		colDeniedResp: s.DeniedResp.Load(), colFailedConn: s.FailedConn.Load(), colFailedResp: s.FailedResp.Load(),
		colRetries: s.Retries.Load(), colRedispatches: s.Redispatches.Load(),
		colClientAborts: s.ClientAborts.Load(), colServerAborts: s.ServerAborts.Load(), colSelected: s.Selected.Load(),
		colConnects: s.Connects.Load(), colReuses: s.Reuses.Load(),
	}
	c.addLoad(&s.Load)
	c.addRequests(&s.Requests)
	c.addTimes(&s.Times)
	return c
}

// countsOfServers returns the sums of the counters of servers. Sums of averages and of highest values
// mean nothing.
func countsOfServers(all []*pool.Server) *counts {
	sum := &counts{}
	for _, v := range all {
		sum.add(countsOfServer(&v.Stat))
	}
	return sum
}

func (c *counts) add(other *counts) {
	for i, n := range other {
		c[i] += n
	}
}

// countsOfProcess reads the counters of the process.
func countsOfProcess(p *stat.Process) *counts {
	c := &counts{}
	c.addLoad(&p.Load)
	c.addRequests(&p.Requests)
	return c
}

func (c *counts) addLoad(l *stat.Load) {
	c[colCur], c[colMax], c[colTotal] = l.Cur(), l.Max(), l.Total()
	c[colIn], c[colOut], c[colRate] = l.In(), l.Out(), l.Rate().Max()
}

func (c *counts) addRequests(r *stat.Requests) {
	c[colRequests], c[colRequestRate] = r.Total(), r.Rate().Max()
	for class := range 6 {
		c[colOther+column(class)] = r.Class(class)
	}
}

func (c *counts) addTimes(t *stat.Times) {
	for i, m := range []*stat.Mean{&t.Queue, &t.Connect, &t.Response, &t.Total} {
		c[colQueue+column(i)], c[colQueueMax+column(i)] = m.Avg(), m.Max()
	}
}

// classOf returns the counter of answers for a status.
func classOf(status int) column {
	if status < 100 || status > 599 {
		return colOther
	}
	return colOther + column(status/100)
}

// span is the range of the possible values of a counter. The zero value allows only 0.
type span struct{ least, most int64 }

// unbounded is larger than any counter of a world.
const unbounded = 1 << 40

func exactly(n int64) span { return span{n, n} }

func (s span) has(n int64) bool { return s.least <= n && n <= s.most }

// String describes the range for messages.
func (s span) String() string {
	switch {
	case s.least == s.most:
		return fmt.Sprint(s.least)
	case s.most >= unbounded:
		return fmt.Sprintf("at least %d", s.least)
	}
	return fmt.Sprintf("%d to %d", s.least, s.most)
}

// expected contains the possible values of the counters of a row.
type expected struct {
	name  string
	spans [columns]span
	times [4][]int64 // samples in ms: queue, connect, response, total
}

// add raises the smallest and the largest possible value of a counter by n.
func (e *expected) add(c column, n int64) {
	e.spans[c].least += n
	e.spans[c].most += n
}

// inc raises the smallest and the largest possible value of a counter by 1.
func (e *expected) inc(c column) { e.add(c, 1) }

// may raises only the largest possible value of a counter by n.
func (e *expected) may(c column, n int64) { e.spans[c].most += n }

// set sets the possible values of a counter.
func (e *expected) set(c column, s span) { e.spans[c] = s }

// forget makes the counters of a row unbounded, because not all log lines are known. Counters of
// current sessions and of denied sessions still must be 0.
func (e *expected) forget() {
	for c := range columns {
		switch c {
		case colCur, colConnsCur, colDeniedSess:
		default:
			e.spans[c].most += unbounded
		}
	}
}

// forgetTimes makes the average and highest times of a row unbounded.
func (e *expected) forgetTimes() {
	e.times = [4][]int64{}
	for c := colQueue; c <= colAllMax; c++ {
		e.spans[c] = span{0, unbounded}
	}
}

// settle sets the expected average and highest times, from the samples. Unbounded averages stay so.
func (e *expected) settle() {
	for i, all := range e.times {
		if len(all) == 0 {
			continue
		}
		var sum, most int64
		for _, v := range all {
			sum += v
			most = max(most, v)
		}
		e.add(colQueueMax+column(i), most)
		if avg := colQueue + column(i); e.spans[avg].most < unbounded {
			e.add(avg, sum/int64(len(all)))
		}
	}
}

// differences returns the counters that are not as expected.
func (e *expected) differences(got *counts) (all []string) {
	for c := range columns {
		if !e.spans[c].has(got[c]) {
			all = append(all, fmt.Sprintf("%s: %s is %d; want %v", e.name, columnNames[c], got[c], e.spans[c]))
		}
	}
	return all
}
