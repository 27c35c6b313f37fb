package stat

// Traffic contains the counters that frontends, backends and servers have in common. The names in
// brackets are the columns of `show stat`. Fields marked with a * are not counted for frontends.
type Traffic struct {
	Load
	DeniedResp   Counter  // answers of servers refused by a rule [dresp]
	FailedConn   Counter  // * sessions that ended because no server could be connected [econ]
	FailedResp   Counter  // * answers of servers that were malformed or incomplete [eresp]
	Retries      Counter  // * further attempts with the same server [wretr]
	Redispatches Counter  // * sessions sent to another server after a failed connection [wredis]
	ClientAborts Counter  // * sessions or requests that the client ended too early [cli_abrt]
	ServerAborts Counter  // * sessions or requests that the server ended too early [srv_abrt]
	Selected     Counter  // * choices of a server by the balancing algorithm [lbtot]
	Connects     Counter  // * attempts to connect to a server [connect]
	Reuses       Counter  // * requests sent on an idle connection of a server [reuse]
	Requests     Requests // HTTP requests and answers [req_tot req_rate hrsp_1xx ...]
	Times        Times    // * averages of times, ms [qtime ctime rtime ttime]
}

// Server contains the counters of a server.
type Server struct{ Traffic }

// Proxy contains the counters of a frontend or a backend. Fields that begin with "frontend:" stay 0
// for backends.
type Proxy struct {
	Traffic
	Conns       Load    // frontend: connections, also those refused before a session [conn_tot conn_rate]
	DeniedConn  Counter // frontend: connections refused by tcp-request connection [dcon]
	DeniedSess  Counter // frontend: sessions refused by tcp-request session [dses]
	DeniedReq   Counter // requests, or first bytes, refused by a rule [dreq]
	FailedReq   Counter // frontend: requests that were malformed or that the client did not complete [ereq]
	Intercepted Counter // frontend: requests answered by redirect, return or monitor-uri [intercepted]
}

// Times are the averages of four times of sessions or requests, in milliseconds. Queue lasts until
// a server is chosen, Connect until it is connected, and Response until it answers. Total is the
// whole duration. A phase that was not reached (-1 in the log line) is not counted.
type Times struct {
	Queue, Connect, Response, Total Mean
}

// Add adds one sample of each phase in milliseconds. A negative value means that the phase was not
// reached.
func (t *Times) Add(queue, connect, response, total int64) {
	t.Queue.Add(queue)
	t.Connect.Add(connect)
	t.Response.Add(response)
	t.Total.Add(total)
}

// Requests counts HTTP requests, and their answers by class of status. The zero value is ready to
// use.
type Requests struct {
	total Counter
	rate  Rate
	class [6]Counter // 0: other, 1: 1xx, ... 5: 5xx
	_     cacheLine
}

// Request counts a request at time now (see Now).
func (r *Requests) Request(now int64) {
	r.total.Inc()
	r.rate.Add(now)
}

// Response counts an answer with this status code. A status outside 100 to 599, such as 0 for no
// answer, counts as class 0.
func (r *Requests) Response(status int) {
	class := status / 100
	if class < 1 || class > 5 {
		class = 0
	}
	r.class[class].Inc()
}

// Total returns the number of requests.
func (r *Requests) Total() int64 { return r.total.Load() }

// Rate returns the rate of requests.
func (r *Requests) Rate() *Rate { return &r.rate }

// Class returns the number of answers of class n: 1 (1xx) to 5 (5xx), or 0 for any other
// status.
func (r *Requests) Class(n int) int64 { return r.class[n].Load() }

// Process contains the counters of the process. The names in brackets are the fields of `show
// info`.
type Process struct {
	Load              // connections of all frontends [CurrConns CumConns ConnRate]
	Requests Requests // HTTP requests [CumReq]
	Spliced  Counter  // bytes moved by splice; HAProxy spells the field this way [TotalSplicdedBytesOut]
}
