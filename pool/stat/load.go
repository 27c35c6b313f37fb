package stat

import "sync/atomic"

// cacheLine is padding between fields that loops write and fields that they only read, and between
// the counters of two proxies. It keeps them in different cache lines.
type cacheLine [64]byte

// Counter counts events or bytes; it never decreases. The zero value is 0 and ready to use.
type Counter struct{ n atomic.Int64 }

// Add adds n, which must not be negative.
func (c *Counter) Add(n int64) {
	if n != 0 {
		c.n.Add(n)
	}
}

// Inc adds 1.
func (c *Counter) Inc() { c.n.Add(1) }

// Load returns the count.
func (c *Counter) Load() int64 { return c.n.Load() }

// Gauge is a count that increases and decreases. The zero value is 0 and ready to use.
type Gauge struct{ n atomic.Int64 }

// Add adds n, which may be negative.
func (g *Gauge) Add(n int64) { g.n.Add(n) }

// Load returns the current count.
func (g *Gauge) Load() int64 { return g.n.Load() }

// Load counts sessions: the open sessions, the highest number of open sessions, all sessions since
// the start, and their rate. It also counts the bytes that they moved. The zero value is ready to
// use.
type Load struct {
	cur, max, total atomic.Int64
	last            atomic.Int64 // 1 + Now of the start of the last session; 0: none
	rate            Rate
	in, out         Counter // bytes, see Move
	_               cacheLine
}

// Open counts the start of a session at time now (see Now). It returns the number of open
// sessions, this one included, which %ac, %fc, %bc and %sc of a log line show.
func (l *Load) Open(now int64) int64 {
	cur := l.cur.Add(1)
	raise(&l.max, cur)
	l.total.Add(1)
	if l.last.Load() != now+1 { // another session of this millisecond has stored it already
		l.last.Store(now + 1)
	}
	l.rate.Add(now)
	return cur
}

// Close counts the end of a session, and its bytes that Move has not counted before. in and out are
// the numbers of bytes received from the client and sent to the client.
func (l *Load) Close(in, out int64) {
	l.Move(in, out)
	l.cur.Add(-1)
}

// Move counts bytes before the end of a session, for example at the end of an HTTP request. in and
// out are the numbers of bytes received from the client and sent to the client.
func (l *Load) Move(in, out int64) {
	l.in.Add(in)
	l.out.Add(out)
}

// Cur returns the number of open sessions.
func (l *Load) Cur() int64 { return l.cur.Load() }

// Max returns the highest number of sessions that were open at the same time.
func (l *Load) Max() int64 { return l.max.Load() }

// Total returns the number of sessions since the start.
func (l *Load) Total() int64 { return l.total.Load() }

// In returns the number of bytes received from clients, in sessions and HTTP requests that have
// ended.
func (l *Load) In() int64 { return l.in.Load() }

// Out returns the number of bytes sent to clients, in sessions and HTTP requests that have ended.
func (l *Load) Out() int64 { return l.out.Load() }

// Rate returns the rate of new sessions.
func (l *Load) Rate() *Rate { return &l.rate }

// Idle returns the milliseconds from the start of the last session to now (see Now), or -1 if there
// was no session.
func (l *Load) Idle(now int64) int64 {
	last := l.last.Load()
	if last == 0 {
		return -1
	}
	return max(now+1-last, 0)
}
