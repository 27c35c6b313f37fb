package stat

// Proxy counts for a frontend or a backend. Column names of `show stat` are
// in brackets.
type Proxy struct {
	Load
	Conns        Load    // frontend: connections, also those refused before a session [conn_tot conn_rate]
	DeniedConn   Counter // refused by tcp-request connection [dcon]
	DeniedSess   Counter // refused by tcp-request session [dses]
	DeniedReq    Counter // refused by tcp-request content or http-request [dreq]
	DeniedResp   Counter // [dresp]
	FailedReq    Counter // bad or unfinished request, client gone before it was whole [ereq]
	FailedConn   Counter // backend: no server could be connected to [econ]
	FailedResp   Counter // server's answer bad or cut [eresp]
	Retries      Counter // connection tried again on the same server [wretr]
	Redispatches Counter // sent to another server instead [wredis]
	ClientAborts Counter // [cli_abrt]
	ServerAborts Counter // [srv_abrt]
	Selected     Counter // a server was chosen by balancing [lbtot]
	Requests     Requests
	Times        Times
}

// Server counts for a server.
type Server struct {
	Load
	DeniedResp   Counter // [dresp]
	FailedConn   Counter // [econ]
	FailedResp   Counter // [eresp]
	Retries      Counter // [wretr]
	Redispatches Counter // [wredis]
	ClientAborts Counter // [cli_abrt]
	ServerAborts Counter // [srv_abrt]
	Selected     Counter // [lbtot]
	Connects     Counter // connections tried [connect]
	Requests     Requests
	Times        Times
}

// Times are the averages of a session's phases in milliseconds. A phase that
// was not reached (-1, as in the log line) is left out.
type Times struct {
	Queue, Connect, Response, Total Mean
}

// Requests counts HTTP requests and the classes of their answers.
type Requests struct {
	total Counter
	rate  Rate
	class [6]Counter // other, 1xx .. 5xx
	_     cacheLine
}

// Request counts a request at now (see Now).
func (r *Requests) Request(now int64) {
	r.total.Inc()
	r.rate.Add(now)
}

// Response counts an answer with that status.
func (r *Requests) Response(status int) {
	class := status / 100
	if class < 1 || class > 5 {
		class = 0
	}
	r.class[class].Inc()
}

// Total returns the requests.
func (r *Requests) Total() int64 { return r.total.Load() }

// Rate returns the requests per second.
func (r *Requests) Rate() *Rate { return &r.rate }

// Class returns the answers of class 1 (1xx) to 5; class 0 is any other.
func (r *Requests) Class(n int) int64 { return r.class[n].Load() }

// Process counts for the whole process.
type Process struct {
	Load              // connections of all frontends [CurrConns CumConns ConnRate]
	Requests Requests // [CumReq]
	Spliced  Counter  // bytes moved by splice [TotalSplicdedBytesOut]
}
