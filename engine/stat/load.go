package stat

import "sync/atomic"

// cacheLine keeps what loops write apart from what they only read, and the
// counters of one proxy apart from those of the next.
type cacheLine [64]byte

// Counter counts events; it only grows.
type Counter struct{ n atomic.Int64 }

// Add adds n.
func (c *Counter) Add(n int64) {
	if n != 0 {
		c.n.Add(n)
	}
}

// Inc adds one.
func (c *Counter) Inc() { c.n.Add(1) }

// Load returns the count.
func (c *Counter) Load() int64 { return c.n.Load() }

// Gauge is a count that goes up and down.
type Gauge struct{ n atomic.Int64 }

// Add adds n, which may be negative.
func (g *Gauge) Add(n int64) { g.n.Add(n) }

// Load returns the count.
func (g *Gauge) Load() int64 { return g.n.Load() }

// Load is what everything that carries sessions has: how many there are, were
// at most and have been, how fast they come, and the bytes they moved. The
// zero value is ready.
type Load struct {
	cur, max, total atomic.Int64
	last            atomic.Int64 // 1 + Now of the last session, 0: none
	rate            Rate
	in, out         Counter
	_               cacheLine
}

// Open counts the start of a session at now (see Now) and returns how many are
// open with it, which is what %ac, %fc, %bc and %sc of a log line show.
func (l *Load) Open(now int64) int64 {
	cur := l.cur.Add(1)
	raise(&l.max, cur)
	l.total.Add(1)
	if l.last.Load() != now+1 { // in a busy millisecond, somebody else has said so
		l.last.Store(now + 1)
	}
	l.rate.Add(now)
	return cur
}

// Close counts the end of a session and what it moved: in bytes from the
// client, out bytes to it.
func (l *Load) Close(in, out int64) {
	l.in.Add(in)
	l.out.Add(out)
	l.cur.Add(-1)
}

// Cur returns the open sessions.
func (l *Load) Cur() int64 { return l.cur.Load() }

// Max returns the most sessions that were open at once.
func (l *Load) Max() int64 { return l.max.Load() }

// Total returns the sessions since the start.
func (l *Load) Total() int64 { return l.total.Load() }

// In returns the bytes received from clients by sessions that ended.
func (l *Load) In() int64 { return l.in.Load() }

// Out returns the bytes sent to clients by sessions that ended.
func (l *Load) Out() int64 { return l.out.Load() }

// Rate returns the sessions per second.
func (l *Load) Rate() *Rate { return &l.rate }

// Idle returns the milliseconds since the last session started, -1 for none.
func (l *Load) Idle(now int64) int64 {
	last := l.last.Load()
	if last == 0 {
		return -1
	}
	return max(now+1-last, 0)
}
